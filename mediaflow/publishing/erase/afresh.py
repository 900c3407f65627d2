"""The same rows in new files: a snapshot that says what the current one says, and of which no file has a title's rows.

Rows that were deleted are still in their fragments, and their words in the indexes. So what may have them is written
anew, in one commit a table that is fenced like every other, and released as a snapshot of its own.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import replace
from typing import TYPE_CHECKING

from mediaflow.errors import SystemFault
from mediaflow.publishing.committer import Overtaken
from mediaflow.publishing.doorman import Doorman
from mediaflow.publishing.epochs import Epochs
from mediaflow.publishing.erase.holding import Holding
from mediaflow.snapshots.manifest import Manifest, TablePart
from mediaflow.snapshots.reader import Releases
from mediaflow.snapshots.release import PUBLISH, Release, now_ms
from mediaflow.storage import commits, layout, steps
from mediaflow.storage.commits import BASE, BATCH, EPOCH, CommitRefused
from mediaflow.storage.objects import ObjectStore
from mediaflow.storage.tables import Table

if TYPE_CHECKING:
    import lance


class Busy(SystemFault):
    """A publisher or collector is at work: try again when it is done."""


def release_afresh(store: ObjectStore, holding: Holding) -> str | None:
    """Release the current snapshot anew without a title's files; return its id, or None where there is nothing to do.

    Raises
    ------
    Busy, Overtaken
        Somebody else publishes or collects.
    """
    releases = Releases(store)
    newest = releases.newest()
    if newest is None or not holding.snapshot(releases.manifest(newest.snapshot)):
        return None
    epochs = Epochs(store)
    epoch = epochs.begin("erase")
    if not epoch:
        raise Busy("A publish or a collector is at work: try again when it is done.")
    try:
        return _Afresh(store, epoch, holding).release(releases)
    finally:
        epochs.end(epoch, "erased")


class _Afresh:
    def __init__(self, store: ObjectStore, epoch: int, holding: Holding) -> None:
        self._store = store
        self._epoch = epoch
        self._holding = holding

    def release(self, releases: Releases) -> str:
        tip = releases.newest()
        assert tip is not None
        if tip.epoch > self._epoch:
            raise Overtaken("Another publisher has gone ahead: try again.")
        before = releases.manifest(tip.snapshot)
        snapshot = f"{self._epoch:020d}-{secrets.token_hex(4)}"
        parts = {name: self._part(part, number) for number, (name, part) in enumerate(before.tables.items())}
        tables = {name: replace(part, tag=f"s-{snapshot}") for name, part in parts.items()}
        after = replace(before, id=snapshot, epoch=self._epoch, base_release=tip.n, created_ms=now_ms(), tables=tables)
        self._tag(after)
        steps.reached("erase: before manifest")
        self._store.put_if_absent(layout.snapshot(snapshot), after.to_json())
        entry = Release(tip.n + 1, snapshot, self._epoch, PUBLISH, tip.held, at_ms=now_ms())
        if not Doorman(self._store).release(entry):
            raise Overtaken(f"Release {entry.n} was made by another publisher or a rollback: try again.")
        return snapshot

    def _tag(self, manifest: Manifest) -> None:
        for part in manifest.tables.values():
            table = Table(self._store, part.name, {})
            table.open(part.version).tags.create(part.tag, part.version)
            table.open(part.tag)

    def _part(self, part: TablePart, number: int) -> TablePart:
        """Return a version with the rows of `part` and no file that has the title's."""
        if not self._holding.part(part):
            return part
        table = Table(self._store, part.name, {})
        newest = table.open()
        if commits.epoch(newest, table.name) > self._epoch:
            raise Overtaken(f"Another publisher has begun to write {part.name}: try again.", table=part.name)
        served = table.open(part.version)
        text = next((one.field_names[0] for one in served.describe_indices() if one.index_type == "Inverted"), None)
        self._rewrite(table, newest, served, number)
        # An index is made of what was there when it was made.
        for index in table.open().describe_indices():
            table.open().drop_index(index.name)
        final = Table(self._store, part.name, {}, text).tend(table.open())
        if table.holdings(final) != table.holdings(served) or self._holding.rows(final, part.name):
            raise CommitRefused(f"The table {part.name} changed while it was written anew: try again.")
        return replace(part, version=int(final.version))

    def _rewrite(self, table: Table, newest: lance.LanceDataset, served: lance.LanceDataset, number: int) -> None:
        """Replace all fragments of the newest version but those that are served and clean, in one commit."""
        there = {fragment.fragment_id: str(fragment.metadata) for fragment in newest.get_fragments()}
        fragments = served.get_fragments()
        kept = {
            one.fragment_id
            for one in fragments
            if there.get(one.fragment_id) == str(one.metadata) and not self._holding.fragment(served, table.name, one)
        }
        moved = [one for one in fragments if one.fragment_id not in kept]
        new = table.copy(newest, served, moved)
        batch = secrets.token_hex(8)
        intent = {
            "batch": batch,
            "base": int(newest.version),
            "titles": {},
            "files": [file.path for fragment in new for file in fragment.files],
        }
        self._store.put_if_absent(layout.intent(self._epoch, table.name, number), json.dumps(intent).encode())
        properties = {EPOCH: str(self._epoch), BATCH: batch, BASE: str(newest.version)}
        table.swap(newest, [one for one in there if one not in kept], new, properties)
