"""Engines of two kinds in processes of their own: they prepare a candidate, go over together, or do not answer."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from mediaflow.publishing.doorman import EnginesNotReady
from mediaflow.publishing.rollback import rollback
from mediaflow.snapshots.leases import Lease, leases, own_clock_ms
from mediaflow.snapshots.reader import Releases
from mediaflow.storage import layout
from tests.deployment.waiting import wait_until
from tests.publishing.actor import Actor, Refused
from tests.publishing.collecting import collect, lapse
from tests.publishing.test_readers import sleep_longer_than
from tests.publishing.world import World

TTL_MS = 400
SHORT_MS = 500


@pytest.fixture(scope="module")
def actors() -> Iterator[list[Actor]]:
    """Three processes, for all tests of the module."""
    actors = [Actor() for _ in range(3)]
    yield actors
    for actor in actors:
        actor.kill()


@pytest.fixture
def world(sampled: World, actors: list[Actor]) -> Iterator[World]:
    """One release, and changes that can be published; the actors are there, and have no engine yet."""
    for actor in actors:
        actor.ask("use", store=str(sampled.store.root))
    yield sampled
    for actor in actors:
        actor.thaw()
        actor.ask("close")


def engine(world: World) -> list[Lease]:
    return leases(world.store, layout.ENGINES)


def current(world: World) -> str:
    newest = Releases(world.store).newest()
    assert newest is not None
    return newest.snapshot


def publishing(world: World, **said: Any) -> dict[str, Any]:
    """Return what an actor needs to publish the films as they are now."""
    return {"films": [asdict(film) for film in world.films.values()], **said}


def running(actor: Actor, kind: str, **said: Any) -> None:
    """Start an engine that looks by itself."""
    actor.ask("engine", kind=kind, **said)
    actor.ask("run")


def test_two_kinds_in_several_processes_move_together(world: World, actors: list[Actor]) -> None:
    old = current(world)
    for actor, kind in zip(actors, ("search", "count", "count"), strict=True):
        running(actor, kind, ttl_ms=2_000)
    assert [actor.ask("answer") for actor in actors] == [[old, ["alps", "bees", "cats"]], [old, 3], [old, 3]]
    assert world.publish().outcome == "released"
    new = current(world)
    assert all(new in one.body["ready"] for one in engine(world)), "each of them had opened it before it was current"
    found = [wait_until(lambda actor=actor: moved(actor, old), 30, "it goes over", 0.02) for actor in actors]
    assert found == [[new, ["alps", "cats", "dogs"]], [new, 4], [new, 4]]
    assert [actor.ask("answer", snapshot=old) for actor in actors[1:]] == [[old, 3]] * 2, "for further pages"
    assert rollback(world.store, None, "back").snapshot == old
    assert [wait_until(lambda actor=actor: moved(actor, new), 30, "it goes back", 0.02)[0] for actor in actors] == [
        old
    ] * 3
    assert list(world.store.list(layout.CANDIDATES)) == []


def moved(actor: Actor, old: str) -> list[Any] | None:
    """Ask once; return an answer that is not from the old snapshot."""
    answer: list[Any] = actor.ask("answer")
    return None if answer[0] == old else answer


def test_an_engine_asleep_inside_its_look_does_not_take_for_new_what_it_saw(world: World, actors: list[Actor]) -> None:
    actor, old = actors[0], current(world)
    actor.ask("engine", kind="count", ttl_ms=TTL_MS)
    assert actor.ask("until_it_answers") == [old, 3]
    actor.stopped("engine: after tip", "look")
    sleep_longer_than(TTL_MS)
    lapse(world.store, layout.ENGINES)
    assert world.publish().outcome == "released"
    actor.go_on()
    with pytest.raises(Refused, match="EngineNotReady"):
        actor.ask("answer")
    assert actor.ask("until_it_answers") == [current(world), 4]


def test_an_engine_that_does_not_look_answers_for_one_time_to_live_at_most(world: World, actors: list[Actor]) -> None:
    actor, old = actors[0], current(world)
    actor.ask("engine", kind="count", ttl_ms=TTL_MS)
    assert actor.ask("until_it_answers") == [old, 3]
    start_ms = own_clock_ms()
    wait_until(lambda: refuses(actor), 10, "it answers nothing new", 0.02)
    assert own_clock_ms() - start_ms <= TTL_MS + 200
    assert actor.ask("until_it_answers") == [old, 3]


def refuses(actor: Actor) -> bool:
    try:
        actor.ask("answer")
    except Refused:
        return True
    return False


def test_an_engine_that_slept_longer_than_its_lease_hands_out_nothing(world: World, actors: list[Actor]) -> None:
    actor, old = actors[0], current(world)
    actor.ask("engine", kind="count", ttl_ms=TTL_MS)
    assert actor.ask("until_it_answers") == [old, 3]
    actor.stopped("engine: before answer", "answer")
    sleep_longer_than(TTL_MS)
    lapse(world.store, layout.ENGINES)
    world.publish()
    assert collect(world.store, old) == [old]
    with pytest.raises(Refused, match="SnapshotExpired"):
        actor.go_on()
    assert actor.ask("until_it_answers") == [current(world), 4]
    with pytest.raises(Refused, match="SnapshotExpired"):
        actor.ask("answer", snapshot=old)


def test_an_engine_opens_nothing_that_was_collected_before_its_lease_came(world: World, actors: list[Actor]) -> None:
    actor, old = actors[0], current(world)
    actor.ask("engine", kind="count")
    actor.stopped("engine: before lease", "look")
    world.publish()
    assert collect(world.store, old) == [old]
    actor.go_on()
    with pytest.raises(Refused, match="EngineNotReady"):
        actor.ask("answer")
    assert actor.ask("until_it_answers") == [current(world), 4]


def test_a_lease_that_is_put_late_is_verified_again(world: World, actors: list[Actor]) -> None:
    actor, old = actors[0], current(world)
    actor.ask("engine", kind="count", ttl_ms=TTL_MS)
    assert actor.ask("until_it_answers") == [old, 3]
    actor.stopped("engine: before lease", "look")
    sleep_longer_than(TTL_MS)
    lapse(world.store, layout.ENGINES)
    world.publish()
    assert collect(world.store, old) == [old]
    actor.go_on()
    actor.ask("look")
    with pytest.raises(Refused, match="SnapshotExpired"):
        actor.ask("answer", snapshot=old)
    actor.ask("until_it_answers")
    (lease,) = engine(world)
    assert lease.body["open"] == [current(world)]


def test_what_an_engine_has_open_is_not_collected_until_its_lease_is_without_it(
    world: World, actors: list[Actor]
) -> None:
    actor, old = actors[0], current(world)
    running(actor, "count")
    world.publish()
    assert wait_until(lambda: moved(actor, old), 30, "it goes over", 0.02) == [current(world), 4]
    assert collect(world.store, old) == []
    assert actor.ask("answer", snapshot=old) == [old, 3]


def test_an_engine_that_comes_between_the_listing_and_the_move_is_not_waited_for(
    world: World, actors: list[Actor]
) -> None:
    actor, publisher = actors[:2]
    old = current(world)
    publisher.stopped("publish: before release", "publish", **publishing(world))
    actor.ask("engine", kind="count")
    assert actor.ask("until_it_answers") == [old, 3]
    assert publisher.go_on() == "released"
    actor.ask("look")
    assert moved_or_refused(actor) in ([current(world), 4], None), "it has looked since: the old one is over"
    assert actor.ask("until_it_answers") == [current(world), 4]


def moved_or_refused(actor: Actor) -> list[Any] | None:
    try:
        return actor.ask("answer")
    except Refused:
        return None


def test_a_late_engine_is_not_waited_for_beyond_the_time_and_answers_nothing_until_it_has_caught_up(
    world: World, actors: list[Actor], tmp_path: Path
) -> None:
    quick, late = actors[:2]
    old, gate = current(world), tmp_path / "open"
    gate.touch()
    for actor, after in ((quick, None), (late, str(gate))):
        running(actor, "count", ttl_ms=1_000, after=after)
    gate.unlink()
    assert world.publish(prepare_ms=SHORT_MS + 1_000).outcome == "released"
    wait_until(lambda: refuses(late), 30, "it has seen the release", 0.02)
    assert wait_until(lambda: moved(quick, old), 30, "it goes over", 0.02) == [current(world), 4]
    assert late.ask("answer", snapshot=old) == [old, 3], "who brings an id is answered from just that"
    gate.touch()
    assert wait_until(lambda: moved_or_refused(late), 30, "it has caught up", 0.02) == [current(world), 4]


@pytest.mark.parametrize("kinds", [("count",), ("search", "count")], ids=["all late", "one kind late"])
def test_a_kind_without_a_ready_engine_stops_the_release(
    world: World, actors: list[Actor], tmp_path: Path, kinds: tuple[str, ...]
) -> None:
    old, gate = current(world), tmp_path / "open"
    gate.touch()
    for actor, kind in zip(actors, kinds, strict=False):
        running(actor, kind, ttl_ms=1_000, after=str(gate))
    gate.unlink()
    with pytest.raises(EnginesNotReady, match="No engine of the kind count could open") as caught:
        world.publish(prepare_ms=SHORT_MS + 1_000)
    assert caught.value.fields["kinds"] == ["count"]
    assert (Releases(world.store).tip(), current(world)) == (1, old)
    assert list(world.store.list(layout.CANDIDATES)) == []
    assert actors[0].ask("answer")[0] == old
    gate.touch()
    assert world.publish().outcome == "released"


def test_the_word_of_an_engine_that_died_when_it_was_ready_counts_for_one_time_to_live(
    world: World, actors: list[Actor], tmp_path: Path
) -> None:
    dead, late = actors[:2]
    old, gate = current(world), tmp_path / "open"
    gate.touch()
    for actor, after in ((dead, None), (late, str(gate))):
        running(actor, "count", ttl_ms=1_000, after=after)
    gate.unlink()
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(world.publish, prepare_ms=5_000)
        wait_until(lambda: any(len(one.body["ready"]) == 2 for one in engine(world)), 30, "one is ready", 0.01)
        dead.freeze()
        sleep_longer_than(1_000)
        with pytest.raises(EnginesNotReady):
            asked.result()
    assert current(world) == old
    lapse(world.store, layout.ENGINES)
    late.freeze()
    assert world.publish().outcome == "released", "both are dead: nobody is waited for"
    for actor in (dead, late):
        actor.thaw()
    gate.touch()
    assert wait_until(lambda: moved_or_refused(dead), 30, "it is back", 0.02) == [current(world), 4]
