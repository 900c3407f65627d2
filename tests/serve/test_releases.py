"""Releases over several processes: each answer says its number, and nobody goes back behind one that they have seen."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest

import mediaflow
from mediaflow.errors import SystemFault
from mediaflow.publishing.rollback import rollback
from mediaflow.search.engine import Gateways, SearchEngine
from mediaflow.search.query import Dialogue, Query
from mediaflow.serve.caller import Caller
from mediaflow.serve.cursors import Cursors
from mediaflow.serve.grpc import search_pb2 as messages
from mediaflow.serve.service import Service
from mediaflow.snapshots.engine import BehindClient
from mediaflow.snapshots.reader import Releases
from mediaflow.storage import layout
from mediaflow.storage.objects import FolderStore
from tests.deployment.waiting import wait_until
from tests.publishing.collecting import collect
from tests.publishing.world import World, hooked
from tests.search.world import OneEncoder, RawPictures
from tests.serve.conftest import Server
from tests.serve.faces import Grpc, as_message

SAID = Query((Dialogue("one"),))
ONE = {"clauses": [{"dialogue": {"text": "one"}}], "limit": 1}
# Of one whose lease is so long the next look is far beyond the end of a test; a release waits for it so long.
LATE_MS, PREPARE_MS = 600_000, 300


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(FolderStore(tmp_path / "store"))
    world.stage("objects", model=None)
    world.film("alps", lines=("alps one",))
    world.film("bees", lines=("bees two",))
    world.compute()
    world.publish()
    return world


def change(world: World, line: str) -> str:
    """Publish another line of a film; return the new snapshot."""
    world.film("bees", lines=(line,))
    world.compute()
    assert world.publish(prepare_ms=PREPARE_MS).outcome == "released"
    return world.reader().id


@pytest.fixture
def two(world: World) -> Iterator[tuple[Service, Service]]:
    """Two servers over one store: one that looks often, and a late one."""
    cursors = Cursors("the key of both servers")
    with ExitStack() as stack:
        engines = [
            stack.enter_context(SearchEngine(world.store, Gateways(OneEncoder(), RawPictures()), ttl_ms))
            for ttl_ms in (300, LATE_MS)
        ]
        quick, late = (Service(engine, cursors) for engine in engines)
        yield quick, late


def said(service: Service, seen: int = 0, cursor: str | None = None) -> tuple[str, int, int]:
    """Return the snapshot, release and number of hits of an answer to who has seen a release."""
    answer = service.of(Caller(seen=seen)).search(ONE, cursor)
    return answer["snapshot"], answer["release"], answer["total"]


def test_who_has_seen_a_release_is_answered_from_it_by_a_late_process_too(
    world: World, two: tuple[Service, Service]
) -> None:
    quick, late = two
    old = world.reader().id
    assert said(quick) == said(late) == (old, 1, 1)
    new = change(world, "bees one")
    wait_until(lambda: said(quick)[0] == new, 30, "the quick one goes over", 0.02)
    assert said(quick) == (new, 2, 2)
    assert said(late) == said(late, seen=1) == (old, 1, 1), "it has not looked, and its answer is allowed"
    assert said(late, seen=2) == (new, 2, 2)
    assert said(late) == (new, 2, 2), "having looked, it goes on from there"


def test_after_a_rollback_the_number_grows_and_the_late_process_follows(
    world: World, two: tuple[Service, Service]
) -> None:
    quick, late = two
    old = world.reader().id
    new = change(world, "bees one")
    assert said(late, seen=2) == (new, 2, 2)
    assert rollback(world.store, old, "it was better", PREPARE_MS).n == 3
    wait_until(lambda: said(quick)[1] == 3, 30, "the quick one goes back", 0.02)
    assert said(quick) == (old, 3, 1)
    assert said(late, seen=2) == (new, 2, 2)
    assert said(late, seen=3) == (old, 3, 1), "an older snapshot, of a later release"


def test_all_answers_say_their_release(world: World, two: tuple[Service, Service]) -> None:
    _, late = two
    new = change(world, "bees one")
    late = late.of(Caller(seen=2))
    answers = [
        late.search(ONE),
        late.facets(ONE, ["title"]),
        late.timeline(ONE, "alps"),
        late.characters(ONE),
        late.annotations("alps"),
        late.explain(ONE),
        late.titles(),
        late.algorithms(),
        late.status(),
    ]
    assert {(one["snapshot"], one["release"]) for one in answers} == {(new, 2)}


def test_a_page_and_what_is_beside_it_stay_with_their_release(world: World, two: tuple[Service, Service]) -> None:
    _, late = two
    first = change(world, "bees one")
    page = late.of(Caller(seen=2)).search(ONE)
    assert page["next_cursor"]
    change(world, "bees three")
    assert said(late, seen=3)[1:] == (3, 1)
    later = late.of(Caller(seen=3))
    assert said(late, 3, page["next_cursor"]) == (first, 2, 2)
    facets = later.facets(ONE, ["title"], beside=page)
    assert (facets["snapshot"], facets["release"], facets["facets"][0]["total"]) == (first, 2, 2)
    assert later.timeline(ONE, "bees", beside=page)["snapshot"] == first
    assert later.characters(ONE, beside=page)["snapshot"] == first
    assert later.facets(ONE, ["title"])["release"] == 3


def test_a_release_that_is_not_there_costs_one_look_and_gives_a_typed_error(world: World) -> None:
    looks: list[str] = []

    def before(operation: str, key: str) -> None:
        if operation == "list" and key.startswith(layout.RELEASES):
            looks.append(key)

    def ask() -> None:
        with pytest.raises(BehindClient, match="You have seen release 7, and the engine search") as caught:
            engine.search(SAID, seen=7)
        assert {"seen": 7, "release": 1}.items() <= caught.value.fields.items()

    with (
        hooked(world.store, before) as watched,
        SearchEngine(watched, Gateways(OneEncoder(), RawPictures()), LATE_MS) as engine,
    ):
        ask()
        # One look may still be on its way since the snapshot was opened.
        first = len(looks)
        for _ in range(10):
            ask()
        assert first + 10 <= len(looks) <= first + 11
        with ThreadPoolExecutor(10) as threads:
            for one in [threads.submit(ask) for _ in range(10)]:
                one.result()
        assert len(looks) <= first + 21, "those who wait together share looks"


def test_while_the_store_is_away_the_error_comes_soon(world: World) -> None:
    away = threading.Event()

    def before(operation: str, key: str) -> None:
        if away.is_set():
            raise SystemFault("the store is away")

    with (
        hooked(world.store, before) as watched,
        SearchEngine(watched, Gateways(OneEncoder(), RawPictures()), LATE_MS) as engine,
        SearchEngine(world.store, Gateways(OneEncoder(), RawPictures()), 300),
    ):
        away.set()
        begin = time.monotonic()
        with pytest.raises(BehindClient):
            engine.search(SAID, seen=2)
        assert time.monotonic() - begin < 10
        assert engine.search(SAID, seen=1).release == 1
        away.clear()
        change(world, "bees one")
        assert engine.search(SAID, seen=2).release == 2


def test_a_fence_of_the_collector_is_no_release_of_its_own(world: World, tmp_path: Path) -> None:
    with mediaflow.open(home=tmp_path) as library:
        assert library.search(SAID).release == 1
        old = world.reader().id
        new = change(world, "bees one")
        with SearchEngine(world.store, Gateways(OneEncoder(), RawPictures()), 300) as engine:
            assert collect(world.store, old) == []
            assert library.search(SAID).release == 2
            assert collect(world.store, old) == [old]
            newest = Releases(world.store).newest()
            assert newest and newest.n > 3 and newest.snapshot == new
            assert engine.search(SAID, seen=2).release == library.search(SAID).release == 2
            with pytest.raises(BehindClient):
                engine.search(SAID, seen=3)
            assert engine.search(SAID).release == 2, "it has looked by now, and the fence repeats what was there"
        with mediaflow.open(home=tmp_path) as again:
            assert again.search(SAID).release == 2


def test_the_header_and_the_metadata_say_what_was_seen(server: Server) -> None:
    def ask(seen: str) -> dict[str, Any]:
        question = {"query": '{ search(clauses: [{dialogue: {text: "hello"}}]) { release snapshot } }'}
        response = httpx.post(f"{server.url}/graphql", json=question, headers={"Mediaflow-Release": seen})
        assert response.status_code == 200
        body: dict[str, Any] = response.json()
        return body

    assert ask("1")["data"]["search"] == {"release": 1, "snapshot": "1-aaaaaaaa"}
    (error,) = ask("2")["errors"]
    assert error["extensions"]["code"] == "BehindClient" and error["extensions"]["fields"]["seen"] == 2
    stub, request = Grpc(server).stub, messages.SearchRequest(query=as_message(ONE))
    assert stub.Search(request, metadata=[("mediaflow-release", "1")]).release == 1
    with pytest.raises(grpc.RpcError) as caught:
        stub.Search(request, metadata=[("mediaflow-release", "2")])
    assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
    assert dict(caught.value.trailing_metadata())["mediaflow-error"] == "BehindClient"
    assert not stub.Status(messages.StatusRequest(), metadata=[("mediaflow-release", "2")]).ready
    with pytest.raises(grpc.RpcError) as caught:
        stub.Search(request, metadata=[("mediaflow-release", "second")])
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
