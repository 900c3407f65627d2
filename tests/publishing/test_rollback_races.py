"""Rollbacks that sleep between any two of their steps, and publishers that do while one is made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import pytest

from mediaflow.publishing.rollback import resume, rollback
from mediaflow.snapshots.pins import Leaving, Pins
from mediaflow.snapshots.reader import Releases
from mediaflow.storage import layout
from tests.publishing.actor import Actor, Refused
from tests.publishing.collecting import Collecting, collect, lapse
from tests.publishing.world import World, revisions_agree


@pytest.fixture(scope="module")
def operator() -> Iterator[Actor]:
    actor = Actor()
    yield actor
    actor.kill()


@pytest.fixture
def world(sampled: World, operator: Actor) -> World:
    """Two releases; `operator` works there."""
    assert sampled.publish().outcome == "released"
    operator.ask("use", store=str(sampled.store.root))
    return sampled


def log(world: World) -> list[tuple[str, str]]:
    releases = Releases(world.store)
    return [(one.kind, one.snapshot) for one in map(releases.entry, releases.log.numbers())]


def publishing(world: World) -> dict[str, Any]:
    return {"films": [asdict(film) for film in world.films.values()]}


def change(world: World) -> None:
    world.film("alps", media="m3")
    world.compute()


def is_whole(world: World) -> None:
    """See that what is current answers, and that one publish converges."""
    assert revisions_agree(world.reader())
    if Releases(world.store).newest().held:  # type: ignore[union-attr]
        resume(world.store)
    assert world.publish().outcome in ("released", "nothing new")
    assert world.answers() == world.expected()


@pytest.mark.parametrize(
    "step", ["reader: before pin", "reader: before manifest", "rollback: before tip", "rollback: before marker"]
)
def test_a_rollback_never_names_what_was_collected_while_it_slept(world: World, operator: Actor, step: str) -> None:
    (_, first), (_, second) = log(world)
    operator.stopped(step, "rollback")
    lapse(world.store, layout.PINS)
    collecting = Collecting(world.store)
    collecting.mark(first)
    collecting.judge()
    with pytest.raises(Refused, match="Leaving"):
        operator.go_on()
    assert collecting.delete() == [first]
    assert log(world)[2:] == [("fence", second)]
    is_whole(world)


def test_a_rollback_asleep_before_its_number_finds_it_taken_and_its_target_gone(world: World, operator: Actor) -> None:
    (_, first), (_, second) = log(world)
    operator.stopped("rollback: before release", "rollback")
    lapse(world.store, layout.PINS)
    assert collect(world.store, first) == [first]
    with pytest.raises(Refused, match="UnknownSnapshot"):
        operator.go_on()
    assert log(world)[2:] == [("fence", second)]
    is_whole(world)


def test_the_target_of_a_rollback_is_pinned_while_engines_open_it(world: World, operator: Actor) -> None:
    (_, first), (_, second) = log(world)
    operator.stopped("rollback: before candidate", "rollback")
    assert collect(world.store, first) == []
    assert revisions_agree(Releases(world.store).at(first))
    with pytest.raises(Refused, match="Leaving"):
        operator.go_on()
    assert log(world)[2:] == [("fence", second)]
    is_whole(world)


def test_a_rollback_comes_after_a_fence_that_has_taken_its_number(world: World, operator: Actor) -> None:
    (_, first), (_, second) = log(world)
    operator.stopped("rollback: before release", "rollback")
    assert collect(world.store) == []
    assert operator.go_on() == [4, first]
    assert log(world)[2:] == [("fence", second), ("rollback", first)]
    is_whole(world)


def test_a_mark_put_after_the_rollback_has_looked_deletes_nothing_that_is_current(
    world: World, operator: Actor
) -> None:
    (_, first), _ = log(world)
    operator.stopped("rollback: before release", "rollback")
    collecting = Collecting(world.store)
    collecting.mark(first)
    assert operator.go_on() == [3, first]
    collecting.judge()
    assert collecting.delete() == []
    assert world.reader().id == first
    with Pins(world.store) as pins:
        assert pins.current().id == first, "it is marked, and current: it is read all the same"
        assert resume(world.store).snapshot == first, "and gone on from"
        change(world)
        world.publish()
        with pytest.raises(Leaving):
            pins.at(first)
    assert collect(world.store) == [first], "now it leaves"
    is_whole(world)


def test_of_two_rollbacks_the_one_that_slept_comes_after_the_other(world: World, operator: Actor) -> None:
    (_, first), (_, second) = log(world)
    operator.stopped("rollback: before release", "rollback")
    assert rollback(world.store, second, "hold it").n == 3
    assert operator.go_on() == [4, first]
    assert log(world)[2:] == [("rollback", second), ("rollback", first)]
    operator.stopped("rollback: before release", "rollback", snapshot=second)
    assert resume(world.store).n == 5
    assert operator.go_on() == [6, second], "held or not held when it began: it is held now"
    is_whole(world)


def test_a_publish_takes_the_number_of_a_rollback_that_sleeps(world: World, operator: Actor) -> None:
    (_, first), _ = log(world)
    change(world)
    operator.stopped("rollback: before release", "rollback")
    assert world.publish().release == 3
    assert operator.go_on() == [4, first]
    is_whole(world)


@pytest.mark.parametrize("step", ["publish: before candidate", "publish: before release"])
def test_a_rollback_takes_the_number_of_a_publish_that_sleeps(world: World, operator: Actor, step: str) -> None:
    (_, first), _ = log(world)
    change(world)
    operator.stopped(step, "publish", **publishing(world))
    assert rollback(world.store, None, "stop it").n == 3
    assert operator.go_on() == "overtaken"
    assert world.reader().id == first
    assert list(world.store.list(layout.CANDIDATES)) == []
    is_whole(world)


def test_a_resume_that_slept_through_a_rollback_goes_on_from_what_is_held_now(world: World, operator: Actor) -> None:
    _, (_, second) = log(world)
    rollback(world.store, None, "x")
    operator.stopped("rollback: before tip", "resume")
    rollback(world.store, second, "forward")
    assert operator.go_on() == [5, second]
    is_whole(world)
