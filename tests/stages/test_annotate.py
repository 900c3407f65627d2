"""Algorithms over batches of titles: what they give is checked, and whose fault an error is decides what follows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl
import pytest

from mediaflow.algorithms.contract import Algorithm, Batch, Shape
from mediaflow.errors import AlgorithmError, SystemFault, TitleError
from mediaflow.planning.ledger import DONE, Fact
from mediaflow.planning.plan import Retries
from tests.stages.loud import Loud
from tests.stages.room import ALL, SOURCES, Room

LONG = {"shots": 2, "frames": 1_999, "thumbnails": 2}


def test_an_algorithm_gives_an_artifact_a_title_in_one_batch(heard: Room) -> None:
    loud = Loud()
    heard.use(loud)
    done = heard.run("loud")
    assert {outcome.state for outcome in done.values()} == {"computed"}
    assert loud.batches == [list(ALL)]
    rows = heard.part(done["bees"])
    assert rows["text"].to_list() == ["HELLO BEES", "AND MORE"]
    assert rows.schema["letters"] == pl.Int32
    assert done["bees"].facts["rows"] == {"rows": 2}
    assert done["bees"].why == done["bees"].facts["why"] == "never built"
    assert set(done["bees"].inputs) == {"media", "subtitles"}


def test_a_title_that_an_algorithm_blames_is_quarantined_at_once(heard: Room) -> None:
    heard.use(Loud(cats=TitleError("the sound is gone")))
    done = heard.run("loud")
    assert {title: outcome.state for title, outcome in done.items()} == dict.fromkeys(ALL, "computed") | {
        "cats": "quarantined"
    }
    assert done["cats"].reason == "the sound is gone"


def test_only_the_title_that_fails_alone_is_blamed(heard: Room) -> None:
    loud = Loud(cats=ValueError("no such line"))
    heard.use(loud)
    done = heard.run("loud")
    assert {title: outcome.state for title, outcome in done.items()} == dict.fromkeys(ALL, "computed") | {
        "cats": "failed"
    }
    assert done["cats"].reason == "ValueError: no such line"
    assert loud.batches == [list(ALL), *([name] for name in ALL)]
    assert [fact["error"] for fact in heard.facts() if fact["state"] == "failed"] == ["ValueError"]


def test_what_is_not_the_titles_own_fault_is_tried_three_times_with_growing_delays(heard: Room) -> None:
    heard.retries = Retries((5.0, 60.0))
    loud = Loud(cats=ValueError("no such line"))
    heard.use(loud)
    waits = []
    states = [heard.states("loud")["cats"]]
    for _ in range(2):
        row = heard.plan().frame.filter((pl.col("stage") == "loud") & (pl.col("title_id") == "cats")).to_dicts()[0]
        waits.append(row["due_ms"] - heard.facts()[-1]["at_ms"])
        states.append(heard.states("loud", titles=["cats"])["cats"])
    assert states == ["failed", "failed", "quarantined"]
    assert waits == [5_000, 60_000]
    loud.trouble.clear()
    again = heard.run("loud", titles=["cats"])["cats"]
    assert (again.state, again.why) == ("computed", "retry")


def test_an_algorithm_that_fails_in_one_way_on_its_first_titles_stops_and_no_attempt_is_spent(heard: Room) -> None:
    loud = Loud(every=RuntimeError("CUDA is away"))
    heard.use(loud)
    done = heard.run("loud")
    assert {outcome.state for outcome in done.values()} == {"stopped"}
    assert "failed on its first 3 titles in the same way (RuntimeError: CUDA is away)" in done["alps"].reason
    assert "ann@example.org" in done["alps"].reason
    assert set(heard.attempts("loud").values()) == {0}
    assert loud.batches == [list(ALL), ["alps"], ["bees"], ["cats"]], "the other titles are not even tried"
    assert set(heard.plan().stopped) == {"loud"}
    loud.batches.clear()
    assert set(heard.states("loud").values()) == {"stopped"}
    assert loud.batches == []


def test_a_stopped_algorithm_goes_on_with_a_new_version(heard: Room) -> None:
    heard.use(Loud(every=RuntimeError("CUDA is away")))
    heard.run("loud")

    class Mended(Loud):
        version = "2"

    heard.use(Mended())
    assert set(heard.states("loud").values()) == {"computed"}


def test_it_stops_also_where_each_call_holds_few_titles(room: Room) -> None:
    """Long films come alone: the first titles count over several calls."""

    class Look(Algorithm):
        name, version, owner, inputs, shape = "look", "1", "team:looks", ("frames",), Shape.LABEL

        def run(self, batch: Batch) -> Iterator[pl.DataFrame]:
            raise RuntimeError("no card")
            yield

    room.use(Look())
    room.run(*SOURCES, "frames")
    ledger = room.library.ledger
    facts = ledger.facts().filter((pl.col("stage") == "frames") & (pl.col("state") == DONE))
    long = [
        Fact(row["title_id"], "frames", row["revision"], row["generation"], DONE, row["attempt"], facts={"rows": LONG})
        for row in facts.to_dicts()
    ]
    ledger.append(long)
    assert set(room.states("look").values()) == {"stopped"}
    assert set(room.attempts("look").values()) == {0}


@pytest.mark.parametrize(
    "trouble",
    [
        {"alps": ValueError("one"), "bees": ValueError("two"), "cats": ValueError("three")},
        {name: TitleError("no sound") for name in ALL[:3]},
        {"bees": ValueError("same"), "cats": ValueError("same"), "dogs": ValueError("same")},
    ],
    ids=["different errors", "the titles' own fault", "one title worked before"],
)
def test_it_goes_on_where_its_first_titles_say_that_the_fault_is_theirs(
    heard: Room, trouble: dict[str, Exception]
) -> None:
    heard.use(Loud(**trouble))
    states = heard.states("loud")
    assert {title for title, state in states.items() if state != "computed"} == set(trouble)
    assert "stopped" not in states.values()


def test_an_algorithm_that_has_worked_is_not_stopped_by_three_bad_titles(heard: Room) -> None:
    loud = Loud()
    heard.use(loud)
    heard.run("loud", titles=["eels"])
    loud.trouble["every"] = ValueError("same")
    assert set(heard.states("loud", titles=ALL[:4]).values()) == {"failed"}


def test_an_algorithm_that_says_that_it_is_broken_stops(heard: Room) -> None:
    heard.use(Loud(bees=AlgorithmError("The weights are missing: copy them.")))
    done = heard.run("loud")
    assert {outcome.state for outcome in done.values()} == {"stopped"}
    assert done["eels"].reason == "The weights are missing: copy them."


def test_a_fault_of_the_system_inside_an_algorithm_is_not_the_titles(heard: Room) -> None:
    heard.use(Loud(cats=SystemFault("The store is away.")))
    with pytest.raises(SystemFault, match="store is away"):
        heard.run("loud")
    assert heard.attempts("loud") == dict.fromkeys(ALL, 0)


WRONG = {
    "a missing column": (lambda cues: cues.select("start_ms", "end_ms"), "loud gave no column text, letters"),
    "another kind": (lambda cues: cues.with_columns(letters=pl.lit("many")), "of another kind than it declares"),
    "no frame": (lambda cues: cues.to_dicts(), "gave a list where a polars DataFrame was asked for"),
}


@pytest.mark.parametrize(("make", "said"), WRONG.values(), ids=WRONG)
def test_a_wrong_result_is_a_sentence(heard: Room, make: Any, said: str) -> None:
    class Wrong(Loud):
        def run(self, batch: Batch) -> Any:
            return [make(title.cues.select("start_ms", "end_ms", "text")) for title in batch]

    heard.use(Wrong())
    outcome = heard.run("loud", titles=["alps"])["alps"]
    assert outcome.state == "failed"
    assert said in outcome.reason and outcome.reason.startswith("loud gave")


@pytest.mark.parametrize("given", [None, 3, pl.DataFrame({"start_ms": [1]}), []])
def test_a_wrong_number_of_results_is_a_sentence(heard: Room, given: Any) -> None:
    class Wrong(Loud):
        def run(self, batch: Batch) -> Any:
            return given

    heard.use(Wrong())
    outcome = heard.run("loud")["alps"]
    assert outcome.state == "stopped"
    assert "must give one" in outcome.reason and "TypeError" not in outcome.reason
