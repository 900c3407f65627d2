"""Candidates: of publishers the highest epoch alone counts, and never one below what is released."""

from __future__ import annotations

from mediaflow.snapshots.candidates import ask, asked, withdraw
from mediaflow.snapshots.release import Release
from mediaflow.storage import layout
from mediaflow.storage.objects import FolderStore


def test_the_highest_epoch_counts_and_that_of_the_current_release(store: FolderStore) -> None:
    assert asked(store, None) == []
    for epoch in (3, 5, 7):
        ask(store, epoch, f"s{epoch}", 0)
    store.put(f"{layout.CANDIDATES}hint", b"x")
    assert asked(store, None) == ["s7"]
    assert asked(store, Release(1, "x", 4)) == ["s7"]
    assert asked(store, Release(1, "x", 5)) == ["s5", "s7"], "a rollback asks in the epoch of what is current"
    assert asked(store, Release(1, "x", 7)) == ["s7"]
    assert asked(store, Release(1, "x", 8)) == [], "none of them can be released any more"


def test_what_is_asked_already_is_not_written_again(store: FolderStore) -> None:
    ask(store, 1, "s1", 0)
    ask(store, 1, "s1", 99)
    assert b'"deadline_ms": 0' in store.get(layout.candidate(1))
    ask(store, 1, "s2", 99)
    assert asked(store, None) == ["s2"]
    withdraw(store, 1)
    withdraw(store, 1)
    assert asked(store, None) == []
