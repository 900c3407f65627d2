"""Snapshots go: marked first, then judged by the log up to a fence, then deleted, the marker last.

Every step may be followed by a sleep of hours. What is deleted was marked before the own fence, is of an epoch below
the own one, and was needed neither by the log up to that fence nor by a pin that was read after it. Whoever wants one
of these snapshots later finds either the marker or no manifest.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from mediaflow.errors import NotFound
from mediaflow.publishing.collector.choice import clock_ms, epoch_of, held, marked, needed, snapshots
from mediaflow.publishing.collector.tally import Tally
from mediaflow.publishing.committer import Overtaken
from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.reader import Releases
from mediaflow.snapshots.release import FENCE, Release, now_ms
from mediaflow.storage import layout, steps
from mediaflow.storage.objects import ObjectStore
from mediaflow.storage.tables import Table


def condemn(
    store: ObjectStore, epoch: int, tip: Release, keep: int, dry_run: bool, retire: Collection[str] = ()
) -> list[str]:
    """Mark what nobody needs, and return the work list: all that is marked now, of epochs below the own one.

    What is to `retire` goes though pins, engines or the last that are kept need it, unless it is current.
    """
    wanted = needed(Releases(store), tip, keep) | held(store, clock_ms(store, dry_run))
    wanted = {one: why for one, why in wanted.items() if one not in retire or one == tip.snapshot}
    victims = [one for one in snapshots(store) if epoch_of(one) < epoch and one not in wanted]
    there = marked(store)
    if not dry_run:
        for snapshot in victims:
            store.put_if_absent(layout.condemned(snapshot), json.dumps({"epoch": epoch}).encode())
        there = marked(store)
    steps.reached("collect: after marking")
    return sorted({one for one in (*there, *(victims if dry_run else ())) if epoch_of(one) < epoch})


def fence(releases: Releases, epoch: int) -> Release:
    """Put an entry that repeats the tip, so that nobody who looked before takes the next number; return that tip.

    Raises
    ------
    Overtaken
        Somebody of a higher epoch has written to the log.
    """
    while True:
        tip = releases.newest()
        assert tip is not None
        if tip.epoch > epoch:
            raise Overtaken(f"Epoch {tip.epoch} has gone ahead; the collector of epoch {epoch} ends.", epoch=epoch)
        steps.reached("collect: before fence")
        if releases.add(replace(tip, n=tip.n + 1, epoch=epoch, kind=FENCE, at_ms=now_ms())):
            return tip


def judge(
    store: ObjectStore, work: Sequence[str], tip: Release, keep: int, dry_run: bool, retire: Collection[str] = ()
) -> tuple[list[str], dict[str, str]]:
    """Part the work list by the log up to `tip`, then by pins and engines: what goes, and what is still needed."""
    wanted = needed(Releases(store), tip, keep)
    steps.reached("collect: before pins")
    wanted = held(store, clock_ms(store, dry_run)) | wanted
    wanted = {one: why for one, why in wanted.items() if one not in retire or one == tip.snapshot}
    leaving = {snapshot: wanted[snapshot] for snapshot in work if snapshot in wanted}
    return [snapshot for snapshot in work if snapshot not in wanted], leaving


def delete(tally: Tally, snapshot: str) -> None:
    """Delete a snapshot: its tags, its manifest, then its marker."""
    store = tally.store
    tally.snapshots.append(snapshot)
    try:
        manifest = Manifest.from_json(store.get(layout.snapshot(snapshot)))
    except NotFound:
        parts: Mapping[str, object] = {}
    else:
        parts = manifest.tables
    steps.reached("collect: before tags")
    for name in parts:
        dataset = Table(store, name, {}).newest()
        if dataset is not None and not tally.dry_run and f"s-{snapshot}" in dataset.tags.list():
            dataset.tags.delete(f"s-{snapshot}")
    steps.reached("collect: before manifest")
    tally.delete(store.list(layout.snapshot(snapshot)))
    steps.reached("collect: before marker")
    if not tally.dry_run:
        store.delete(layout.condemned(snapshot))
