"""What the current release serves: its manifest, and the artifacts of every title, read once a snapshot."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from mediaflow.publishing.cut import Served
from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.reader import Releases, SnapshotReader, UnknownSnapshot
from mediaflow.storage.objects import ObjectStore


@dataclass(frozen=True)
class Current:
    """What the current release serves.

    Attributes
    ----------
    number, epoch, held
        The release; 0 where there is none.
    manifest : Manifest or None
        Its snapshot.
    titles : dict
        By title_id and stage: the artifact.
    numbers : dict[str, int]
        `title_no` by title_id.
    """

    number: int = 0
    epoch: int = 0
    held: bool = False
    manifest: Manifest | None = None
    titles: dict[str, dict[str, Served]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)


class ServedMemory:
    """Remembers what the snapshot serves that was read last; snapshots never change."""

    def __init__(self) -> None:
        self._last: Current | None = None

    def read(self, store: ObjectStore, releases: Releases) -> Current:
        """Return what the newest release serves."""
        newest = releases.newest()
        if newest is None:
            return Current()
        last = self._last
        if last is None or last.manifest is None or last.manifest.id != newest.snapshot:
            try:
                manifest = releases.manifest(newest.snapshot)
            except UnknownSnapshot:
                if releases.tip() == newest.n:
                    raise
                # Another snapshot has become current since the log was read, and this one was collected.
                return self.read(store, releases)
            reader = SnapshotReader(store, manifest, newest.n)
            rows = reader.table("titles").to_table(columns=["title_id", "title_no", "served"]).to_pydict()
            titles = dict(zip(rows["title_id"], map(_artifacts, rows["served"]), strict=True))
            numbers = dict(zip(rows["title_id"], rows["title_no"], strict=True))
            last = self._last = Current(manifest=reader.manifest, titles=titles, numbers=numbers)
        return Current(newest.n, newest.epoch, newest.held, last.manifest, last.titles, last.numbers)


def _artifacts(served: str) -> dict[str, Served]:
    return {stage: Served(*row) for stage, row in json.loads(served).items()}
