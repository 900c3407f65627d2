"""Evaluations as they lie in the store, beside the manifest of their snapshot: one object a file of questions.

They go with their snapshot, and where a title is erased whose id they name: they hold words of questions.
"""

from __future__ import annotations

import json

from mediaflow.errors import NotFound
from mediaflow.quality.evaluation import Evaluation
from mediaflow.snapshots.reader import gone
from mediaflow.storage import layout
from mediaflow.storage.objects import ObjectInfo, ObjectStore


def keep(store: ObjectStore, evaluation: Evaluation) -> None:
    """Store an evaluation, in place of an earlier one of the same questions and snapshot.

    Raises
    ------
    SnapshotExpired
        The snapshot was collected meanwhile: nothing is kept.
    """
    key = layout.evaluation(evaluation.snapshot, evaluation.digest)
    store.put(key, json.dumps(evaluation.to_json(), ensure_ascii=False).encode())
    # Who collected the snapshot may have looked for its evaluations before this one was there.
    if not store.exists(layout.snapshot(evaluation.snapshot)):
        store.delete(key)
        raise gone(evaluation.snapshot)


def stored(store: ObjectStore) -> list[Evaluation]:
    """Return all evaluations, by snapshot, the oldest first."""
    found = []
    for info in store.list(layout.EVALUATIONS):
        try:
            found.append(Evaluation.from_json(json.loads(store.get(info.key))))
        except NotFound:
            # Collected since the listing.
            continue
    return found


def orphans(store: ObjectStore, going: frozenset[str]) -> list[ObjectInfo]:
    """Return the evaluations of snapshots that are gone, or are `going`. A snapshot that is gone never comes back."""
    found = list(store.list(layout.EVALUATIONS))
    of = {info.key: info.key.removeprefix(layout.EVALUATIONS).partition("/")[0] for info in found}
    there = {one for one in set(of.values()) if one not in going and store.exists(layout.snapshot(one))}
    return [info for info in found if of[info.key] not in there]


def forget(store: ObjectStore, title_id: str) -> None:
    """Delete every evaluation in which the id of a title stands, be it as a part of another word."""
    for info in list(store.list(layout.EVALUATIONS)):
        try:
            if title_id.encode() in store.get(info.key):
                store.delete(info.key)
        except NotFound:
            continue
