"""Stages as they are served: run with the parameters of then, by the code of now; and a run that says what it is at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, ClassVar

import polars as pl
import pytest

from mediaflow.algorithms import contract
from mediaflow.algorithms.contract import Algorithm, Batch, Shape
from mediaflow.algorithms.registry import Registered
from mediaflow.planning.claims import claimed
from mediaflow.planning.ledger import CLAIMS
from mediaflow.planning.stage import Stage, StageGraph
from mediaflow.stages.work import Workshop
from tests.stages.loud import Loud
from tests.stages.room import ALL, FAR_FUTURE_MS, SOURCES, Room


class Often(contract.Parameters):
    times: int = 1
    words: tuple[str, ...] = ("a", "b")


class Echo(Algorithm):
    """Says every cue so often."""

    name = "echo"
    version = "1"
    owner = "team:valley"
    inputs = ("cues",)
    shape = Shape.TEXT
    fields: ClassVar[dict[str, Any]] = {}
    Parameters = Often

    def run(self, batch: Batch) -> Iterator[pl.DataFrame]:
        assert isinstance(batch.parameters.words, tuple)
        for title in batch:
            said = pl.concat_str([pl.col("text")] * batch.parameters.times)
            yield title.cues.select("start_ms", "end_ms", said)


def use(room: Room, **parameters: Any) -> None:
    echo = Echo()
    room.algorithms = [Registered("echo", echo.owner, "here", echo, Often(**parameters))]


def as_served(room: Room, graph: StageGraph) -> Workshop:
    """Return the workshop of what is served, with the algorithms of now."""
    pool = room.pool
    return Workshop(
        room.store, room.folder, graph, room.library.ledger, room.algorithms, room.library.models, lambda: pool
    )


def changed(graph: StageGraph, name: str, **changes: Any) -> StageGraph:
    stages: list[Stage] = [replace(one, **changes) if one.name == name else one for one in graph]
    return StageGraph(stages)


def test_old_parameters_give_what_they_gave(heard: Room) -> None:
    use(heard, times=1)
    old = heard.graph
    use(heard, times=3)
    new = heard.run("echo", titles=["bees"])["bees"]
    (then,) = as_served(heard, old).run(heard.records("bees"), ["echo"])
    assert heard.part(new)["text"][0] == "hello bees" * 3
    assert heard.part(then)["text"][0] == "hello bees"
    assert new.revision != then.revision
    use(heard, times=1)
    again = heard.run("echo", titles=["bees"])["bees"]
    assert (again.state, again.attempt) == ("already fresh", then.attempt)


def test_parameters_that_the_algorithm_takes_no_more_stop_it_and_blame_no_title(heard: Room) -> None:
    use(heard)
    graph = changed(heard.graph, "echo", parameters={**heard.graph["echo"].parameters, "times": "many"})
    (said,) = as_served(heard, graph).run(heard.records("bees"), ["echo"])
    assert said.state == "stopped"
    assert "echo takes the parameters no more that it is served with" in said.reason
    assert heard.run("echo", titles=["bees"])["bees"].state == "computed", "what is wanted goes on"


def test_frames_are_kept_by_the_options_of_then(heard: Room) -> None:
    wanted = heard.run("frames", titles=["bees"])["bees"]
    options = {**heard.graph["frames"].parameters, "threshold": 255.0, "min_shot_ms": 60_000}
    graph = changed(heard.graph, "frames", parameters=options)
    (then,) = as_served(heard, graph).run(heard.records("bees"), ["frames"])
    assert (len(heard.part(wanted, "shots")), len(heard.part(then, "shots"))) == (2, 1)
    assert wanted.revision != then.revision


def test_a_run_says_what_it_is_at_as_long_as_it_is_at_it(heard: Room) -> None:
    seen: list[set[str]] = []

    class Watching(Loud):
        def run(self, batch: Batch) -> Iterator[pl.DataFrame]:
            seen.append(claimed(heard.library.ledger, 0))
            yield from super().run(batch)

    heard.use(Watching())
    heard.run("loud", titles=["bees", "cats"])
    assert seen == [{"bees", "cats"}]
    assert claimed(heard.library.ledger, 0) == set()


def test_a_run_that_finds_all_there_claims_nothing(heard: Room) -> None:
    before = heard.library.ledger.version()
    assert set(heard.states(*SOURCES, record=True).values()) == set(heard.states(*SOURCES).values())
    assert heard.library.ledger.version() == before
    assert len(heard.library.ledger.facts().filter(pl.col("stage") == CLAIMS)) == 2, "one that begins and its end"


@pytest.mark.parametrize("error", [KeyboardInterrupt(), MemoryError()])
def test_a_run_that_is_broken_off_lets_go_of_its_titles(heard: Room, error: BaseException) -> None:
    heard.use(Loud(bees=error))
    with pytest.raises(type(error)):
        heard.run("loud")
    assert claimed(heard.library.ledger, FAR_FUTURE_MS) == claimed(heard.library.ledger, 0) == set()
    assert set(ALL) == set(heard.attempts("loud"))
