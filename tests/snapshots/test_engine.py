"""A host in this process: what it opens, what it answers from, what its lease says, and what it closes."""

from __future__ import annotations

import gc
import json
import weakref
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from mediaflow.errors import SystemFault
from mediaflow.snapshots.candidates import ask
from mediaflow.snapshots.engine import EngineNotReady, Host
from mediaflow.snapshots.leases import Lease, leases
from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.reader import NothingPublished, Releases, SnapshotExpired, SnapshotReader
from mediaflow.snapshots.release import Release
from mediaflow.storage import layout
from mediaflow.storage.objects import FolderStore
from tests.deployment.waiting import wait_until
from tests.publishing.world import hooked
from tests.snapshots.test_reader import publish, titles

LONG_MS = 60_000


class Titles:
    """An engine that reads titles; `broken` snapshots cannot be opened, and none before `go`."""

    kind = "titles"
    needs = frozenset({"tables", "encoders"})

    def __init__(self) -> None:
        self.broken: set[str] = set()
        self.opened: list[str] = []
        self.go = Event()
        self.go.set()

    def open(self, reader: SnapshotReader, parts: Mapping[str, Mapping[str, Any]]) -> SnapshotReader:
        assert parts == {"tables": reader.manifest.tables, "encoders": reader.manifest.encoders}
        assert self.go.wait(30)
        if reader.id in self.broken:
            raise RuntimeError("the file is damaged")
        self.opened.append(reader.id)
        return reader


@pytest.fixture
def engine() -> Titles:
    return Titles()


def lease(store: FolderStore) -> Lease:
    (found,) = leases(store, layout.ENGINES)
    return found


def caught_up(host: Host[SnapshotReader], snapshot: str) -> None:
    """Look until new requests are answered from a snapshot."""

    def answers() -> bool:
        host.look()
        try:
            with host.answering() as reader:
                return reader.id == snapshot
        except EngineNotReady:
            return False

    wait_until(answers, 30, f"new requests are answered from {snapshot}", 0.01)


def test_an_engine_says_what_it_has_open_and_says_goodbye(store: FolderStore, engine: Titles) -> None:
    first = publish(store, 1, "alps")
    with Host(store, engine, LONG_MS) as host:
        with host.answering() as reader:
            assert titles(reader) == ["alps"]
        wait_until(lambda: lease(store).body["ready"], 30, "the lease says so", 0.02)
        found = lease(store)
        assert found.snapshots == {first.id}
        assert {name: found.body[name] for name in ("kind", "ttl_ms", "open", "ready", "n", "failed")} == {
            "kind": "titles",
            "ttl_ms": LONG_MS,
            "open": [first.id],
            "ready": [first.id],
            "n": 1,
            "failed": {},
        }
    assert leases(store, layout.ENGINES) == []
    with pytest.raises(EngineNotReady, match="it was closed"), host.answering():
        pass


def test_before_the_first_release_an_engine_is_there_and_has_nothing_to_answer(
    store: FolderStore, engine: Titles
) -> None:
    with pytest.raises(EngineNotReady, match="it was not started"), Host(store, engine).answering():
        pass
    with Host(store, engine, 300) as host:
        with pytest.raises(NothingPublished), host.answering():
            pass
        first = publish(store, 1, "alps")
        wait_until(lambda: engine.opened == [first.id], 30, "it sees the release by itself", 0.02)


def test_a_candidate_is_opened_before_it_is_current_and_then_answers_at_once(
    store: FolderStore, engine: Titles
) -> None:
    first = publish(store, 1, "alps")
    host = Host(store, engine, LONG_MS)
    caught_up(host, first.id)
    second = replace(first, id=f"{2:020d}-aaaaaaaa")
    store.put(layout.snapshot(second.id), second.to_json())
    ask(store, 2, second.id, 0)

    def ready() -> bool:
        host.look()
        return lease(store).body["ready"] == [first.id, second.id]

    wait_until(ready, 30, "the candidate is open", 0.01)
    with host.answering() as reader:
        assert reader.id == first.id, "it is not current yet"
    assert Releases(store).add(Release(2, second.id, 2))
    host.look()
    with host.answering() as reader:
        assert reader.id == second.id
    host.close()


@pytest.mark.parametrize("verdict", ["passed", "failed", "overridden", "skipped"])
def test_a_snapshot_that_a_gate_refused_is_never_opened(store: FolderStore, engine: Titles, verdict: str) -> None:
    manifest = publish(store, 1, "alps")
    gates = [{"name": "coverage", "verdict": "passed"}, {"name": "loss", "verdict": verdict}]
    store.put(layout.snapshot(manifest.id), replace(manifest, gates=gates).to_json())
    with Host(store, engine, LONG_MS) as host:
        if verdict != "failed":
            with host.answering() as reader:
                assert reader.manifest.gates == gates
            return
        with pytest.raises(EngineNotReady, match="Its gates have refused it: loss"), host.answering():
            pass
        assert engine.opened == []

        def says_why() -> bool:
            host.look()
            return "loss" in lease(store).body["failed"].get(manifest.id, "")

        # Another look, begun before it was known, may put the lease after ours.
        wait_until(says_why, 30, "the lease says why", 0.01)


def test_a_store_that_was_away_when_the_lease_was_due_costs_a_look_and_no_more(
    store: FolderStore, engine: Titles
) -> None:
    first = publish(store, 1, "alps")
    away = [True]

    def before(operation: str, key: str) -> None:
        if away[0] and key.startswith(layout.ENGINES):
            raise SystemFault("the store is away")

    with hooked(store, before) as watched:
        host = Host(watched, engine, LONG_MS)
        with pytest.raises(SystemFault):
            host.look()
        assert engine.opened == [], "nothing is opened that no lease holds"
        away[0] = False
        caught_up(host, first.id)
        host.close()


def test_what_cannot_be_opened_is_told_and_tried_again(store: FolderStore, engine: Titles) -> None:
    first = publish(store, 1, "alps")
    engine.broken = {first.id}
    with Host(store, engine, 300) as host:
        with pytest.raises(EngineNotReady, match="the file is damaged") as caught, host.answering():
            pass
        assert caught.value.fields["snapshot"] == first.id
        wait_until(lambda: lease(store).body["failed"] == {first.id: "the file is damaged"}, 30, "it says so", 0.02)
        assert lease(store).body["open"] == []
        engine.broken = set()
        wait_until(lambda: engine.opened == [first.id], 30, "it tries again", 0.02)
        wait_until(lambda: lease(store).body["failed"] == {}, 30, "it says so", 0.02)


def test_a_request_with_an_id_is_answered_from_just_that_or_not_at_all(store: FolderStore, engine: Titles) -> None:
    first = publish(store, 1, "alps")
    host = Host(store, engine, LONG_MS)
    caught_up(host, first.id)
    second = publish(store, 2, "alps", "bees")
    engine.go.clear()
    host.look()
    with pytest.raises(EngineNotReady, match="it opens a new snapshot"), host.answering():
        pass
    with host.answering(first.id) as reader:
        assert titles(reader) == ["alps"]
    for wanted in (second.id, "7-seven"):
        with pytest.raises(SnapshotExpired, match="is not open in the engine"), host.answering(wanted):
            pass
    engine.go.set()
    caught_up(host, second.id)
    with host.answering(first.id) as reader:
        assert titles(reader) == ["alps"]
    host.close()


def test_a_snapshot_is_closed_when_nobody_asks_for_it_any_more_and_never_while_it_answers(
    store: FolderStore, engine: Titles
) -> None:
    first = publish(store, 1, "alps")
    host = Host(store, engine, LONG_MS, linger_ms=0)
    caught_up(host, first.id)
    with host.answering() as reader:
        second = publish(store, 2, "alps", "bees")
        caught_up(host, second.id)
        assert lease(store).snapshots == {first.id, second.id}
        assert titles(reader) == ["alps"]
    host.look()
    assert lease(store).snapshots == {second.id}
    with pytest.raises(SnapshotExpired), host.answering(first.id):
        pass
    host.close()


def test_nothing_is_closed_before_the_lease_is_without_it(store: FolderStore, engine: Titles) -> None:
    first = publish(store, 1, "alps")
    open_at_put: list[bool] = []

    def before(operation: str, key: str) -> None:
        if operation == "put" and key.startswith(layout.ENGINES):
            open_at_put.append(opened() is not None)

    with hooked(store, before) as watched:
        host = Host(watched, engine, LONG_MS, linger_ms=0)
        opened = weakref.ref(host)
        caught_up(host, first.id)
        with host.answering() as reader:
            opened = weakref.ref(reader)
        del reader
        second = publish(store, 2, "alps", "bees")
        caught_up(host, second.id)
        open_at_put.clear()
        wait_until(lambda: host.look() or lease(store).snapshots == {second.id}, 30, "the lease is without it", 0.01)
        gc.collect()
        assert open_at_put[-1] and opened() is None
        host.close()


def test_of_many_releases_the_newest_stay_open_for_further_pages(store: FolderStore, engine: Titles) -> None:
    host = Host(store, engine, LONG_MS)
    ids = []
    for number in range(1, 13):
        ids.append(publish(store, number, "alps").id)
        caught_up(host, ids[-1])
    host.look()
    assert sorted(lease(store).body["open"]) == ids[-9:]
    host.close()


def test_requests_from_many_threads_are_answered_whole_while_releases_go_on(store: FolderStore, engine: Titles) -> None:
    publish(store, 1, "title 1")
    with Host(store, engine, 300) as host, ThreadPoolExecutor(4) as threads:
        done = Event()

        def ask_on(_: int) -> set[tuple[str, str]]:
            seen: set[tuple[str, str]] = set()
            while not done.is_set():
                try:
                    with host.answering() as reader:
                        found = (reader.id, *titles(reader))
                except EngineNotReady:
                    continue
                seen.add(found)  # type: ignore[arg-type]
            return seen

        asking = [threads.submit(ask_on, number) for number in range(3)]
        made: list[Manifest] = []
        for number in range(2, 6):
            made.append(publish(store, number, f"title {number}"))
            wait_until(lambda: engine.opened[-1] == made[-1].id, 30, "it has seen the release", 0.01)
        done.set()
        seen = set().union(*(one.result() for one in asking))
    assert seen <= {(f"{number:020d}-aaaaaaaa", f"title {number}") for number in range(1, 6)}
    assert len(seen) > 1


def test_a_kind_of_parts_that_no_manifest_has_is_refused(store: FolderStore) -> None:
    manifest = publish(store, 1, "alps")
    assert manifest.parts("tables") == manifest.tables
    with pytest.raises(ValueError, match="it has tables, generations, encoders"):
        manifest.parts("taste")


def test_a_manifest_from_before_there_were_gates_is_read(store: FolderStore) -> None:
    body = json.loads(publish(store, 1, "alps").to_json())
    del body["gates"]
    assert Manifest.from_json(json.dumps(body).encode()).refused_by() == []
