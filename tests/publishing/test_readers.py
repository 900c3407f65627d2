"""Readers that sleep between any two steps while others publish and collect: one snapshot, or a typed error."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mediaflow.snapshots.leases import own_clock_ms
from mediaflow.storage import layout
from tests.deployment.waiting import wait_until
from tests.publishing.actor import Actor, Refused
from tests.publishing.collecting import Collecting, collect, lapse
from tests.publishing.world import World

TTL_MS = 300
LONG_MS = 60_000


@pytest.fixture(scope="module")
def reader() -> Iterator[Actor]:
    actor = Actor()
    yield actor
    actor.kill()


@pytest.fixture
def world(sampled: World, reader: Actor) -> World:
    """One release, and changes that can be published; `reader` reads there."""
    reader.ask("use", store=str(sampled.store.root))
    return sampled


def pins(world: World) -> list[str]:
    return [info.key for info in world.store.list(layout.PINS)]


def sleep_longer_than(ttl_ms: int) -> None:
    """Wait until a clock has gone on by more than that."""
    start_ms = own_clock_ms()
    wait_until(lambda: own_clock_ms() - start_ms > ttl_ms, 10, "the time is over", every_s=0.02)


def test_a_reader_asleep_between_pointer_and_pin_starts_over(world: World, reader: Actor) -> None:
    old = world.reader().id
    reader.stopped("reader: before pin", "read", ttl_ms=LONG_MS)
    world.publish()
    assert collect(world.store, old) == [old]
    found = reader.go_on()
    assert found == {"snapshot": world.reader().id, "pages": [world.expected()]}
    assert pins(world) == []


def test_a_pin_that_came_after_the_collector_had_judged_is_dropped(world: World, reader: Actor) -> None:
    old = world.reader().id
    reader.stopped("reader: before pin", "read", ttl_ms=LONG_MS)
    world.publish()
    collecting = Collecting(world.store)
    collecting.mark(old)
    collecting.judge()
    found = reader.go_on()
    assert collecting.delete() == [old]
    assert found == {"snapshot": world.reader().id, "pages": [world.expected()]}


def test_a_mark_that_came_after_the_pin_makes_the_reader_start_over_and_the_collector_wait(
    world: World, reader: Actor
) -> None:
    old = world.reader().id
    reader.stopped("reader: before marker", "read", ttl_ms=LONG_MS)
    world.publish()
    assert collect(world.store, old) == [], "it is pinned"
    assert reader.go_on() == {"snapshot": world.reader().id, "pages": [world.expected()]}
    assert collect(world.store, old) == [old], "nothing holds it now"


@pytest.mark.parametrize("step", ["reader: before manifest", "test: before page 0", "reader: before answer"])
def test_what_is_pinned_in_time_stays_through_publish_and_collection(world: World, reader: Actor, step: str) -> None:
    old, before = world.reader().id, world.answers()
    reader.stopped(step, "read", ttl_ms=LONG_MS, pages=2)
    world.publish()
    assert collect(world.store, old) == []
    assert reader.go_on() == {"snapshot": old, "pages": [before, before]}
    assert pins(world) == []
    assert collect(world.store, old) == [old]


@pytest.mark.parametrize("step", ["test: before page 0", "test: before page 1", "reader: before answer"])
def test_a_pin_that_is_over_gives_a_typed_error_and_nothing_else(world: World, reader: Actor, step: str) -> None:
    old = world.reader().id
    reader.stopped(step, "read", ttl_ms=TTL_MS, pages=2)
    sleep_longer_than(TTL_MS)
    world.publish()
    lapse(world.store, layout.PINS)
    assert collect(world.store, old) == [old]
    with pytest.raises(Refused, match="SnapshotExpired") as caught:
        reader.go_on()
    assert caught.value.fields["snapshot"] == old
    assert pins(world) == []


def test_a_reader_whose_pin_was_over_while_it_checked_it_starts_over(world: World, reader: Actor) -> None:
    old = world.reader().id
    reader.stopped("reader: before manifest", "read", ttl_ms=TTL_MS)
    sleep_longer_than(TTL_MS)
    world.publish()
    lapse(world.store, layout.PINS)
    collecting = Collecting(world.store)
    collecting.mark(old)
    collecting.judge()
    assert reader.go_on()["snapshot"] == world.reader().id, "its manifest is still there, and about to go"
    assert collecting.delete() == [old]


def test_a_renewal_that_comes_late_is_verified_again(world: World, reader: Actor) -> None:
    old = reader.ask("hold", ttl_ms=TTL_MS)
    (first,) = pins(world)
    reader.stopped("reader: before renewal", "renew")
    sleep_longer_than(TTL_MS)
    with pytest.raises(Refused, match="SnapshotExpired"):
        reader.go_on()
    assert first not in pins(world), "the name that was over never comes back"
    assert reader.ask("renew") is None, "counted from before the put it was over at once; now it is a new pin"
    reader.stopped("reader: before renewal", "renew")
    sleep_longer_than(TTL_MS)
    world.publish()
    lapse(world.store, layout.PINS)
    assert collect(world.store, old) == [old]
    with pytest.raises(Refused, match="SnapshotExpired"):
        reader.go_on()
    assert pins(world) == []
