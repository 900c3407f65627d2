"""Pins: put first and verified then, renewed while somebody reads, gone when nobody does; and those of people."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Iterator

import lance
import pytest

from mediaflow.errors import SystemFault, UsageError
from mediaflow.snapshots.history import lines
from mediaflow.snapshots.leases import MARGIN_MS, leases, own_clock_ms, store_clock_ms
from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.pins import Leaving, Pin, Pins, keep, release
from mediaflow.snapshots.reader import NothingPublished, Releases, SnapshotExpired, UnknownSnapshot
from mediaflow.storage import layout
from mediaflow.storage.objects import FolderStore
from tests.deployment.waiting import wait_until
from tests.snapshots.test_reader import publish, titles

TTL_MS = 300


@pytest.fixture
def first(store: FolderStore) -> Manifest:
    return publish(store, 1, "alps")


@pytest.fixture
def pins(store: FolderStore) -> Iterator[Pins]:
    with Pins(store, TTL_MS, "a test") as pins:
        yield pins


def held(store: FolderStore) -> list[str]:
    return [one.body["snapshot"] for one in leases(store, layout.PINS)]


def test_a_reader_says_in_the_store_what_it_holds_until_it_is_closed(store: FolderStore, first: Manifest) -> None:
    with Pins(store, why="a test") as pins:
        reader = pins.current()
        (lease,) = leases(store, layout.PINS)
        assert lease.snapshots == {first.id}
        assert (lease.body["why"], lease.body["ttl_ms"], "process" in lease.body["who"]) == ("a test", 60_000, True)
        second = publish(store, 2, "alps", "bees")
        assert (reader.release, pins.at(second.id).id, sorted(held(store))) == (1, second.id, [first.id, second.id])
        reader.close()
        reader.close()
        assert held(store) == [second.id]
        with pytest.raises(SnapshotExpired, match="is not kept any more"):
            reader.check()
    assert held(store) == []


def test_a_pin_is_renewed_for_as_long_as_it_is_held(store: FolderStore, pins: Pins, first: Manifest) -> None:
    reader = pins.current()
    start_ms = own_clock_ms()
    while own_clock_ms() - start_ms < 3 * TTL_MS:
        with reader.reading():
            assert titles(reader) == ["alps"]


def test_a_reader_that_nobody_has_any_more_lets_go(store: FolderStore, pins: Pins, first: Manifest) -> None:
    reader = pins.current()
    assert titles(reader) == ["alps"]
    del reader
    gc.collect()
    wait_until(lambda: not held(store), 10, "the pin is gone", 0.02)


def test_a_store_that_was_away_for_a_while_costs_the_answer_and_not_the_reader(
    store: FolderStore, pins: Pins, first: Manifest
) -> None:
    reader = pins.current()
    away = store.root.with_name("away")
    store.root.rename(away)
    store.root.touch()
    wait_until(lambda: reader.expired, 10, "the pin is over", 0.02)
    store.root.unlink()
    away.rename(store.root)
    wait_until(lambda: not reader.expired, 10, "it is renewed", 0.02)
    assert titles(reader) == ["alps"]


def test_what_is_marked_is_read_while_it_is_current_and_by_nobody_new_after(store: FolderStore, pins: Pins) -> None:
    first = publish(store, 1, "alps")
    store.put_if_absent(layout.condemned(first.id), b"{}")
    assert pins.current().id == pins.at(first.id).id == first.id
    second = publish(store, 2, "bees")
    with pytest.raises(Leaving, match="is marked to be deleted") as caught:
        pins.at(first.id)
    assert caught.value.fields == {"snapshot": first.id}
    assert pins.current().id == second.id


def test_what_is_not_there_is_a_sentence_and_leaves_no_pin(store: FolderStore, pins: Pins) -> None:
    with pytest.raises(NothingPublished):
        pins.current()
    for wanted in ("7-seven", "", "../releases/1"):
        with pytest.raises(UnknownSnapshot):
            pins.at(wanted)
    manifest = publish(store, 1, "alps")
    store.delete(layout.snapshot(manifest.id))
    with pytest.raises(UnknownSnapshot, match="There is no snapshot"):
        pins.current()
    assert held(store) == []


def test_files_that_are_gone_under_a_reader_are_an_expired_snapshot_or_a_fault(
    store: FolderStore, pins: Pins, first: Manifest
) -> None:
    reader = pins.current()
    unpinned = Releases(store).at(first.id)
    table = reader.table("titles")
    shutil.rmtree(f"{store.uri(layout.table('titles'))}/data")
    with pytest.raises((OSError, ValueError), match="Not found"), reader.reading():
        fresh(table).to_table()
    store.delete(layout.snapshot(first.id))
    for one in (reader, unpinned):
        with pytest.raises(SnapshotExpired, match="is not kept any more"), one.reading():
            fresh(table).to_table()
    shutil.rmtree(store.uri(layout.table("titles")))
    with pytest.raises(SnapshotExpired):
        unpinned.table("titles")


def fresh(table: lance.LanceDataset) -> lance.LanceDataset:
    """Open a table again, without what this process remembers of its files."""
    return lance.dataset(table.uri, version=table.version, session=lance.Session())  # type: ignore[attr-defined]


def test_an_error_of_the_user_is_told_as_it_is_while_the_pin_counts(pins: Pins, first: Manifest) -> None:
    reader = pins.current()
    with pytest.raises(UsageError, match="wrong"), reader.reading():
        raise UsageError("wrong")
    reader.close()
    with pytest.raises(SnapshotExpired) as caught, reader.reading():
        raise SystemFault("no file")
    assert str(caught.value.__cause__) == "no file"


def test_a_pin_that_is_over_says_by_how_much(store: FolderStore, first: Manifest) -> None:
    pin = Pin(store, first.id, 20, "somebody", "a test")
    pin.put()
    wait_until(lambda: pin.over, 10, "it is over", 0.01)
    with pytest.raises(SnapshotExpired, match="ask again") as caught:
        pin.check()
    assert caught.value.fields["snapshot"] == first.id
    assert caught.value.fields["pin"] == pin.id
    assert 0 <= caught.value.fields["over_ms"] < 10_000


def test_a_person_pins_for_long_and_lets_go(store: FolderStore, first: Manifest) -> None:
    with pytest.raises(UsageError, match="--why TEXT"):
        keep(store, None, 1_000, "anna", " ")
    one, other = (keep(store, None, 86_400_000, "anna", why) for why in ("audit", " review "))
    second = publish(store, 2, "bees")
    keep(store, second.id, 1, "bert", "x")
    found = lines(store)
    assert [(pin["id"], pin["who"], pin["why"]) for pin in found[0]["pins"]] == sorted(
        [(one.id, "anna", "audit"), (other.id, "anna", "review")]
    )
    now_ms = store_clock_ms(store)
    assert all(0 <= now_ms + 86_400_000 - pin["until_ms"] < 60_000 for pin in found[0]["pins"])
    assert [lease.id for lease in release(store, other.id)] == [other.id]
    assert [lease.id for lease in release(store, first.id)] == [one.id]
    assert lines(store)[0]["pins"] == []
    for wanted in (one.id, first.id, "x"):
        with pytest.raises(UsageError, match="There is no pin"):
            release(store, wanted)


def test_a_pin_that_is_over_is_not_listed(store: FolderStore, first: Manifest) -> None:
    pin = keep(store, None, 1_000, "anna", "audit")
    (lease,) = leases(store, layout.PINS)
    assert lease.live(lease.put_ms + 1_000 + MARGIN_MS - 1)
    assert not lease.live(lease.put_ms + 1_000 + MARGIN_MS)
    store.put(layout.pin(pin.id), b'{"snapshot": "%s", "ttl_ms": %d}' % (first.id.encode(), -MARGIN_MS))
    assert lines(store)[0]["pins"] == []


def test_the_pin_of_a_running_process_is_not_taken_away(store: FolderStore, pins: Pins, first: Manifest) -> None:
    pins.current()
    (lease,) = leases(store, layout.PINS)
    for wanted in (lease.id, first.id):
        with pytest.raises(UsageError, match="which relies on it"):
            release(store, wanted)
    mine = keep(store, None, 1_000, "anna", "audit")
    assert [one.id for one in release(store, first.id)] == [mine.id]
    assert held(store) == [first.id]
