"""Searches of processes that live long: the engine, and a library that is asked again and again."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import mediaflow
from mediaflow.library import Library
from mediaflow.publishing.rollback import rollback
from mediaflow.search.engine import Gateways, SearchEngine
from mediaflow.search.gateway import Gateway
from mediaflow.search.query import Dialogue, Query
from mediaflow.snapshots.engine import EngineNotReady
from mediaflow.snapshots.leases import leases
from mediaflow.snapshots.reader import SnapshotExpired, UnknownSnapshot
from mediaflow.storage import layout
from mediaflow.storage.objects import FolderStore
from tests.deployment.waiting import wait_until
from tests.publishing.collecting import collect
from tests.publishing.world import World
from tests.search.world import ColourEncoder, RawPictures

ONE = Query((Dialogue("one"),))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Two films that speak, published; none of their algorithms has a model."""
    world = World(FolderStore(tmp_path / "store"))
    world.stage("objects", model=None)
    world.film("alps", lines=("alps one",))
    world.film("bees", lines=("bees two",))
    world.compute()
    world.publish()
    return world


@pytest.fixture
def library(world: World, tmp_path: Path) -> Iterator[Library]:
    with mediaflow.open(home=tmp_path, engine_ttl_s=0.5, pin_ttl_s=0.5) as library:
        yield library


def change(world: World, *lines: str) -> str:
    """Publish other lines of a film; return the snapshot that was served before."""
    old = world.reader().id
    world.film("bees", lines=lines)
    world.compute()
    assert world.publish().outcome == "released"
    return old


def found(library: Any, *ids: str) -> tuple[str, list[str]]:
    results = library.search(ONE, *ids)
    return results.snapshot, sorted(hit.title_id for hit in results)


def pinned(world: World) -> list[str]:
    return [one.body["snapshot"] for one in leases(world.store, layout.PINS)]


def test_the_engine_goes_over_to_what_is_published_and_answers_further_pages_from_before(
    world: World, library: Library
) -> None:
    with library.engine() as engine:
        old = change(world, "bees one")
        new = world.reader().id
        assert wait_until(lambda: found(engine)[0] == new, 30, "it goes over", 0.02)
        assert found(engine) == (new, ["alps", "bees"])
        assert found(engine, old) == (old, ["alps"])
        with pytest.raises(SnapshotExpired):
            engine.search(ONE, "7-seven")
    with pytest.raises(EngineNotReady):
        engine.search(ONE)


def test_a_model_that_is_not_in_the_store_stops_no_dialogue(world: World, library: Library) -> None:
    world.stage("objects", model="m1")
    world.compute()
    assert world.publish().outcome == "released"
    with library.engine() as engine:
        assert found(engine)[1] == ["alps"]
    assert found(library)[1] == ["alps"]


class Gated:
    """Gives a model's encoder once that is let on."""

    def __init__(self) -> None:
        self.asked, self.on = threading.Event(), threading.Event()

    def encoder(self, identity: str) -> ColourEncoder:
        self.asked.set()
        assert self.on.wait(60)
        return ColourEncoder()


def test_the_first_snapshot_is_answered_from_before_its_model_is_loaded_and_a_further_one_is_not(
    world: World,
) -> None:
    gated = Gated()
    gateways = Gateways(gated, RawPictures())
    world.stage("objects", model="m1")
    world.compute()
    assert world.publish().outcome == "released"
    with SearchEngine(world.store, gateways, ttl_ms=500) as engine:
        assert gated.asked.wait(60) and not gated.on.is_set()
        first, _ = found(engine)
        gated.asked.clear()
        world.stage("objects", model="m2")
        world.compute()
        publishing = threading.Thread(target=world.publish)
        publishing.start()
        assert gated.asked.wait(60)
        publishing.join(2)
        assert publishing.is_alive(), "the release waits"
        assert found(engine) == (first, ["alps"]), "it goes on with the one before"
        gated.on.set()
        publishing.join(60)
        assert wait_until(lambda: found(engine)[0] == world.reader().id != first, 30, "it goes over", 0.02)


def test_a_library_that_is_asked_again_and_again_keeps_what_it_reads_and_goes_over(
    world: World, library: Library
) -> None:
    old, _ = found(library)
    assert pinned(world) == [old]
    assert found(library) == (old, ["alps"])
    assert pinned(world) == [old], "one pin serves many searches"
    change(world, "bees one")
    assert collect(world.store, old) == [], "it may still be asked"
    new = world.reader().id
    assert found(library) == (new, ["alps", "bees"])
    assert pinned(world) == [new]
    assert collect(world.store, old) == [old]
    assert found(library)[0] == new, "a collection makes a release, and it is the same snapshot"
    library.close()
    assert pinned(world) == []
    assert found(library)[0] == new, "a library that was closed opens again"


def test_a_library_that_slept_longer_than_its_pin_answers_from_what_is_there(world: World, library: Library) -> None:
    old, _ = found(library)
    gateway = let_go(library)
    assert found(library) == (old, ["alps"]), "it is current still, and opened anew"
    let_go(library)
    change(world, "bees one")
    assert collect(world.store, old) == [old]
    assert found(library) == (world.reader().id, ["alps", "bees"])
    with pytest.raises(SnapshotExpired):
        gateway.search(ONE)


def let_go(library: Library) -> Gateway:
    """Have the pin of what a library searches end, as it does while a machine sleeps."""
    gateway = library._gateway
    assert gateway is not None
    gateway.close()
    return gateway


def test_searches_from_many_threads_are_whole_while_snapshots_are_published_and_collected(
    world: World, library: Library
) -> None:
    said = {world.reader().id: ["alps"]}
    with ThreadPoolExecutor(3) as threads:
        asking = [threads.submit(lambda: [found(library) for _ in range(15)]) for _ in range(3)]
        for number in range(3):
            old = change(world, f"bees {'one' if number % 2 == 0 else 'two'} {number}")
            said[world.reader().id] = ["alps", "bees"] if number % 2 == 0 else ["alps"]
            collect(world.store, old)
        answers = [answer for one in asking for answer in one.result()]
    assert all(said[snapshot] == titles for snapshot, titles in answers)


def test_a_snapshot_that_was_opened_by_its_id_stays_until_it_is_closed(world: World, library: Library) -> None:
    with library.at(world.reader().id) as past:
        old = change(world, "bees one")
        assert collect(world.store, old) == []
        assert found(past) == (old, ["alps"])
        assert past.reader.id == old
        reader = library.current()
        assert sorted(pinned(world)) == sorted([old, reader.id])
    assert collect(world.store, old) == [old]
    with pytest.raises(SnapshotExpired):
        past.search(ONE)
    with pytest.raises(UnknownSnapshot):
        library.at(old)


def test_what_a_library_compares_and_shows_is_pinned_and_let_go(world: World, library: Library) -> None:
    old = change(world, "bees one")
    assert library.diff()["changed"] == {"bees": ["dialogue", "subtitles"]}
    assert library.status()["release"]["number"] == 2
    assert pinned(world) == []
    assert rollback(world.store, old, "x").n == 3
    assert pinned(world) == []
