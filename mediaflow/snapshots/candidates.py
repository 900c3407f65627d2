"""Candidates: snapshots that engines are asked to prepare before a release makes them current."""

from __future__ import annotations

import json

from mediaflow.errors import NotFound
from mediaflow.snapshots.release import Release
from mediaflow.storage import layout
from mediaflow.storage.objects import ObjectStore

_DIGITS = 20


def ask(store: ObjectStore, epoch: int, snapshot: str, deadline_ms: int) -> None:
    """Ask the engines to prepare a snapshot, unless that is asked already; `deadline_ms` (wall clock) is for people."""
    if _wanted(store, epoch) == snapshot:
        return
    body = {"id": snapshot, "deadline_ms": deadline_ms}
    store.put(layout.candidate(epoch), json.dumps(body).encode())


def withdraw(store: ObjectStore, epoch: int) -> None:
    """Ask no longer for what was asked for in an epoch."""
    store.delete(layout.candidate(epoch))


def asked(store: ObjectStore, tip: Release | None) -> list[str]:
    """Return the ids of the snapshots that may become current next.

    That is what the highest epoch asks for, which alone counts of publishers, and what is asked for in the current
    release's own epoch, as a rollback does, which has no epoch. What a lower epoch asks for can never be released.
    """
    names = (info.key.removeprefix(layout.CANDIDATES) for info in store.list(layout.CANDIDATES))
    epochs = {int(name[:_DIGITS]) for name in names if name[_DIGITS:] == ".json" and name[:_DIGITS].isdigit()}
    current = tip.epoch if tip is not None else 0
    counting = {max(epochs), current} & epochs if epochs else set()
    found = [_wanted(store, epoch) for epoch in sorted(counting) if epoch >= current]
    return [snapshot for snapshot in found if snapshot is not None]


def _wanted(store: ObjectStore, epoch: int) -> str | None:
    try:
        return str(json.loads(store.get(layout.candidate(epoch)))["id"])
    except NotFound:
        return None
