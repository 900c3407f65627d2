"""Stages over batches of titles: only what is missing is computed, and whose fault an error is decides what follows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import polars as pl
import pytest

from mediaflow.algorithms.contract import Algorithm, Batch, Parameters, Shape
from mediaflow.errors import AlgorithmError, SystemFault, TitleError
from mediaflow.planning.ledger import DONE, Fact
from mediaflow.planning.plan import Retries
from mediaflow.storage.objects import FolderStore
from tests.stages.room import CUE, Room

SOURCES = ("media", "subtitles", "catalogue")
ALL = ("alps", "bees", "cats", "dogs", "eels")
LONG = {"shots": 2, "frames": 1_999, "thumbnails": 2}


class Loud(Algorithm):
    """Gives the cues in capitals; `trouble` says what it raises on which title."""

    name = "loud"
    version = "1"
    owner = "ann@example.org"
    inputs = ("cues",)
    shape = Shape.TEXT
    fields: ClassVar[dict[str, Any]] = {"letters": pl.Int32}

    def __init__(self, **trouble: BaseException | None) -> None:
        self.trouble = trouble
        self.batches: list[list[str]] = []

    def run(self, batch: Batch) -> Iterator[pl.DataFrame]:
        self.batches.append([title.title_id for title in batch])
        for title in batch:
            if error := self.trouble.get(title.title_id, self.trouble.get("every")):
                raise error
            text = pl.col("text").str.to_uppercase()
            yield title.cues.select("start_ms", "end_ms", text, letters=pl.col("text").str.len_chars().cast(pl.Int32))


@pytest.fixture
def heard(room: Room) -> Room:
    """A room whose titles have their sources."""
    assert set(room.states(*SOURCES).values()) == {"computed"}
    return room


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


def test_what_is_fresh_is_not_computed_again_unless_forced(heard: Room) -> None:
    loud = Loud()
    heard.use(loud)
    first = heard.run("loud")
    before = heard.facts()
    again = heard.run("loud")
    assert {outcome.state for outcome in again.values()} == {"already fresh"}
    assert again["alps"].attempt == first["alps"].attempt
    assert again["alps"].facts == first["alps"].facts
    assert (len(loud.batches), heard.facts()) == (1, before)
    forced = heard.run("loud", titles=["cats"], force=True)
    assert [(one.state, one.why) for one in forced.values()] == [("computed", "by force")]
    assert forced["cats"].attempt != first["cats"].attempt
    assert forced["cats"].revision == first["cats"].revision
    assert loud.batches[1:] == [["cats"]]


def test_recording_computes_nothing_and_says_what_the_ledger_says(heard: Room) -> None:
    loud = Loud(bees=TitleError("the sound is gone"))
    heard.use(loud)
    heard.run("loud", titles=["alps", "bees"])
    before = heard.facts()
    said = heard.run("loud", record=True)
    assert {title: outcome.state for title, outcome in said.items()} == {
        "alps": "already fresh",
        "bees": "quarantined",
        "cats": "stale",
        "dogs": "stale",
        "eels": "stale",
    }
    assert said["bees"].reason == "the sound is gone"
    assert heard.facts() == before


def test_bad_bytes_are_quarantined_at_once_and_the_others_go_on(room: Room) -> None:
    room.title("bees", media=b"this is no film" * 100)
    room.scan()
    done = room.run("media")
    assert {title: outcome.state for title, outcome in done.items()} == dict.fromkeys(ALL, "computed") | {
        "bees": "quarantined"
    }
    assert "bees.mp4" in done["bees"].reason
    assert not done["bees"].ok
    found = room.run(*SOURCES, "frames", titles=["bees", "cats"])
    assert (found["bees"].state, found["cats"].state) == ("blocked", "computed")
    assert "media" in found["bees"].reason


def test_other_bytes_are_a_new_try(room: Room) -> None:
    room.title("bees", media=b"this is no film" * 100)
    room.scan()
    room.run("media")
    room.title("bees")
    room.scan()
    outcome = room.run("media", titles=["bees"])["bees"]
    assert outcome.state == "computed"


def test_a_subtitle_that_cannot_be_read_quarantines_the_subtitles_and_not_the_film(room: Room) -> None:
    room.title("bees", cues="\0\1\2 nothing of a subtitle")
    room.scan()
    assert room.states("subtitles")["bees"] == "quarantined"
    assert room.states("media")["bees"] == "computed"
    room.use(Loud())
    assert room.states("loud")["bees"] == "blocked"


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
    facts = ledger.done().filter(pl.col("stage") == "frames")
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


def test_a_fault_of_the_system_stops_the_run_blames_nobody_and_keeps_what_was_finished(room: Room) -> None:
    class Full(FolderStore):
        writes = 0

        def put(self, key: str, data: bytes) -> None:
            Full.writes += key.endswith("rows.parquet")
            if Full.writes > 2:
                raise SystemFault("The disk is full: make room.")
            super().put(key, data)

    room.run(*SOURCES)
    room.use(Loud())
    whole = room.store
    room.store = Full(whole.root)
    with pytest.raises(SystemFault, match="disk is full"):
        room.run("loud")
    room.store = whole
    assert room.attempts("loud") == dict.fromkeys(ALL, 0)
    states = room.states("loud")
    assert list(states.values()).count("already fresh") == 2
    assert list(states.values()).count("computed") == 3


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


def test_a_file_that_changed_after_the_look_is_not_computed_under_its_old_name(room: Room) -> None:
    film = room.title("bees", cues=CUE.format("the words have changed"))
    film.write_bytes(film.read_bytes() + b"\0")
    (room.folder / "cats.mp4").unlink()
    done = room.run("media")
    assert {title: outcome.state for title, outcome in done.items()} == {
        "alps": "computed",
        "bees": "changed meanwhile",
        "cats": "changed meanwhile",
        "dogs": "computed",
        "eels": "computed",
    }
    assert not list(room.store.list("artifacts/media/bees/"))
    assert room.states("subtitles")["bees"] == "changed meanwhile"
    assert room.states("frames")["bees"] == "blocked"
    room.scan()
    assert room.states("media")["bees"] == "computed"


def test_a_film_that_changed_before_it_was_decoded_is_not_decoded_under_its_old_name(room: Room) -> None:
    room.run("media")
    film = room.folder / "bees.mp4"
    film.write_bytes(film.read_bytes() + b"\0")
    assert room.states("frames", titles=["bees"]) == {"bees": "changed meanwhile"}


def test_frames_leave_shots_kept_frames_and_small_pictures(room: Room) -> None:
    room.run("media", titles=["alps"])
    outcome = room.run("frames", titles=["alps"])["alps"]
    shots, frames, small = (room.part(outcome, part) for part in ("shots", "frames", "thumbnails"))
    assert shots["shot_no"].to_list() == small["shot_no"].to_list()
    assert set(frames["shot_no"]) == set(shots["shot_no"])
    assert outcome.facts["rows"] == {"shots": len(shots), "frames": len(frames), "thumbnails": len(small)}


def test_an_algorithm_gets_only_the_inputs_that_it_asked_for(heard: Room) -> None:
    class Curious(Algorithm):
        name, version, owner, inputs, shape = "curious", "1", "team:x", ("catalogue",), Shape.TEXT

        def run(self, batch: Batch) -> Iterator[pl.DataFrame]:
            for title in batch:
                yield title.cues

    heard.use(Curious())
    outcome = heard.run("curious")["alps"]
    assert "'cues' is not among this algorithm's inputs: catalogue" in outcome.reason


def test_an_algorithm_reads_what_another_one_found_and_has_its_parameters(heard: Room) -> None:
    class Long(Parameters):
        letters: int = 9

    class Longer(Algorithm):
        name, version, owner, inputs, shape = "longer", "1", "team:x", ("loud", "catalogue"), Shape.LABEL
        Parameters = Long

        def run(self, batch: Batch) -> Iterator[pl.DataFrame]:
            for title in batch:
                long = title.loud.filter(pl.col("letters") > batch.parameters.letters)
                label = pl.lit(f"{title.catalogue['title'][0]} is long")
                yield long.select("start_ms", "end_ms", label=label, confidence=pl.lit(1.0))

    heard.use(Loud(), Longer())
    assert heard.states("longer", titles=["alps"]) == {"alps": "blocked"}
    done = heard.run("loud", "longer")
    assert heard.part(done["alps"])["label"].to_list() == ["alps is long"]
    assert set(done["alps"].inputs) == {"loud", "catalogue"}
    assert done["alps"].inputs["loud"] == heard.run("loud")["alps"].revision


@pytest.fixture
def long(room: Room) -> Room:
    """A room with a film in two parts, each with a subtitle."""
    room.title("long cd1")
    room.title("long cd2")
    room.scan()
    return room


def test_parts_of_a_film_follow_each_other_in_time(long: Room) -> None:
    done = long.run("media", "frames", titles=["alps", "long"])
    shots, kept = (long.part(done["long"], part) for part in ("shots", "frames"))
    one = long.part(done["alps"], "shots")
    assert len(shots) == 2 * len(one)
    assert shots["shot_no"].to_list() == list(range(len(shots)))
    assert shots["start_ms"].to_list()[1:] == shots["end_ms"].to_list()[:-1]
    assert shots["start_frame"].to_list()[1:] == shots["end_frame"].to_list()[:-1]
    assert shots["end_ms"][-1] == 2 * one["end_ms"][-1]
    inside = kept.join(shots, on="shot_no").filter(pl.col("time_ms").is_between("start_ms", "end_ms", closed="left"))
    assert len(inside) == len(kept)
    media = long.run("media")
    assert media["long"].facts["duration_ms"] == 2 * media["alps"].facts["duration_ms"]


def test_subtitles_of_a_later_part_begin_where_that_part_does(long: Room) -> None:
    long.use(Loud())
    done = long.run("media", "subtitles", "loud", titles=["long"])["long"]
    start = long.run("media")["alps"].facts["duration_ms"]
    assert long.part(done).select("start_ms", "text").rows() == [
        (100, "HELLO LONG CD1"),
        (1_000, "AND MORE"),
        (100 + start, "HELLO LONG CD2"),
        (1_000 + start, "AND MORE"),
    ]


def test_cues_of_all_tracks_are_counted_once(room: Room) -> None:
    class Count(Loud):
        def run(self, batch: Batch) -> Iterator[pl.DataFrame]:
            for title in batch:
                yield title.cues.select("start_ms", "end_ms", "text", letters="cue_no")

    (room.folder / "alps.de.srt").write_text(CUE.format("hallo"))
    room.scan()
    room.use(Count())
    done = room.run("media", "subtitles", "loud", titles=["alps"])["alps"]
    assert room.part(done)["letters"].to_list() == [0, 1, 2, 3]
