"""The doorman, with engines in this process: whom it waits for, how long, and what it says when it stops."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from mediaflow.publishing.doorman import Doorman, EnginesNotReady
from mediaflow.publishing.rollback import resume, rollback
from mediaflow.snapshots.candidates import ask, withdraw
from mediaflow.snapshots.engine import Host
from mediaflow.snapshots.leases import leases, own_clock_ms, store_clock_ms
from mediaflow.snapshots.reader import Releases, SnapshotReader
from mediaflow.snapshots.release import Release
from mediaflow.storage import layout
from tests.deployment.waiting import wait_until
from tests.publishing.collecting import lapse
from tests.publishing.world import World
from tests.snapshots.test_engine import Titles


@pytest.fixture
def world(sampled: World) -> World:
    return sampled


def put_engine(world: World, engine: str, kind: str, *ready: str, **said: Any) -> None:
    """Put the lease of an engine that does nothing more."""
    body = {"kind": kind, "ttl_ms": 60_000, "open": ready, "ready": ready, "n": 1, **said}
    world.store.put(layout.engine(engine), json.dumps(body).encode())


def release(world: World, prepare_ms: int = 200) -> bool:
    """Release the current snapshot once more."""
    tip = Releases(world.store).newest()
    assert tip is not None
    return Doorman(world.store, prepare_ms).release(Release(tip.n + 1, tip.snapshot, tip.epoch))


def test_without_engines_a_release_is_made_at_once(world: World) -> None:
    start_ms = own_clock_ms()
    assert release(world, 60_000)
    assert own_clock_ms() - start_ms < 5_000
    assert list(world.store.list(layout.CANDIDATES)) == []


def test_all_that_are_alive_are_waited_for_and_one_of_each_kind_is_enough_in_the_end(world: World) -> None:
    current = world.reader().id
    put_engine(world, "a", "search", current)
    put_engine(world, "b", "count", current)
    assert release(world, 60_000)
    put_engine(world, "c", "count")
    start_ms = own_clock_ms()
    assert release(world, 300)
    assert own_clock_ms() - start_ms >= 300
    put_engine(world, "d", "taste", failed={current: "no file", "other": "x"}, who="here")
    with pytest.raises(EnginesNotReady, match=r"of the kind taste .* taste \(here\): no file\. Look at") as caught:
        release(world)
    assert caught.value.fields == {"snapshot": current, "kinds": ["taste"], "failed": ["taste (here): no file"]}
    assert Releases(world.store).tip() == 3
    lapse(world.store, layout.ENGINES)
    assert release(world, 60_000), "all of them are dead by now"


def test_an_engine_that_leaves_while_it_is_waited_for_is_not_missed(world: World) -> None:
    put_engine(world, "a", "count")
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(release, world, 60_000)
        wait_until(lambda: list(world.store.list(layout.CANDIDATES)), 30, "it is asked", 0.01)
        world.store.delete(layout.engine("a"))
        assert asked.result()


def test_an_engine_that_falls_silent_while_it_is_waited_for_is_missed(world: World) -> None:
    put_engine(world, "a", "count")
    lapse(world.store, layout.ENGINES, by_s=68)
    with pytest.raises(EnginesNotReady):
        release(world, 3_000)
    assert not leases(world.store, layout.ENGINES)[0].live(store_clock_ms(world.store)), "nobody is alive by then"
    assert release(world, 60_000), "nobody was when it began"


def test_a_word_that_is_older_than_its_time_is_asked_for_again(world: World) -> None:
    put_engine(world, "a", "count", world.reader().id)
    lapse(world.store, layout.ENGINES, by_s=61)
    assert [one.live(one.put_ms + 65_000) for one in leases(world.store, layout.ENGINES)] == [True]
    with pytest.raises(EnginesNotReady):
        release(world)


def test_publish_rollback_and_resume_wait_for_a_real_engine(world: World) -> None:
    engine = Titles()
    with Host[SnapshotReader](world.store, engine, 300, linger_ms=0):
        first = world.reader().id
        assert world.publish().outcome == "released"
        second = world.reader().id
        assert engine.opened == [first, second]
        wait_until(lambda: open_in(world) == {second}, 30, "the old one is closed", 0.02)
        ask(world.store, 99, second, 0)
        assert rollback(world.store, None, "x").snapshot == first, "a publish is on its way, and is not waited for"
        assert engine.opened == [first, second, first], "it was opened before it was current"
        withdraw(world.store, 99)
        wait_until(lambda: open_in(world) == {first}, 30, "the new one is closed", 0.02)
        engine.broken = {second}
        with pytest.raises(EnginesNotReady, match="the file is damaged"):
            rollback(world.store, second, "x", 1_000)
        assert Releases(world.store).tip() == 3
        assert resume(world.store).snapshot == first


def test_two_rollbacks_at_once_do_not_hide_what_the_other_asks_for(world: World) -> None:
    world.publish()
    world.film("alps", media="m3")
    world.compute()
    world.publish()
    targets = [Releases(world.store).entry(number).snapshot for number in (1, 2)]
    with Host[SnapshotReader](world.store, Titles(), 300, linger_ms=0), ThreadPoolExecutor(2) as threads:
        done = list(threads.map(lambda target: rollback(world.store, target, "x"), targets))
    assert sorted(one.n for one in done) == [4, 5]
    assert {one.snapshot for one in done} == set(targets)


def open_in(world: World) -> set[str]:
    """Return what the engines have open."""
    return {snapshot for one in leases(world.store, layout.ENGINES) for snapshot in one.body["open"]}
