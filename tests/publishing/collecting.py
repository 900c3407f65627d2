"""The few steps of a collector that races of readers, engines and rollbacks need, one by one, in the store."""

from __future__ import annotations

import os

import lance

from mediaflow.publishing.epochs import Epochs
from mediaflow.snapshots.leases import leases, store_clock_ms
from mediaflow.snapshots.reader import Releases
from mediaflow.snapshots.release import Release
from mediaflow.storage import layout
from mediaflow.storage.objects import FolderStore


class Collecting:
    """One collector that keeps nothing but what is current or held; each step may be long after the one before."""

    def __init__(self, store: FolderStore) -> None:
        self._store = store
        self._releases = Releases(store)
        self._epochs = Epochs(store)
        self.epoch = self._epochs.begin("gc")
        assert self.epoch
        self._marked: list[str] = []
        self._gone: list[str] = []

    def mark(self, *snapshots: str) -> None:
        for snapshot in snapshots:
            self._store.put_if_absent(layout.condemned(snapshot), b'{"epoch": %d}' % self.epoch)
        self._marked = [info.key.removeprefix(layout.CONDEMNED) for info in self._store.list(layout.CONDEMNED)]

    def judge(self) -> None:
        """Put the fence, then read pins and leases: what goes is what is marked, and neither current then nor held."""
        tip = self._releases.newest()
        assert tip is not None
        assert self._releases.add(Release(tip.n + 1, tip.snapshot, self.epoch, "fence", tip.held))
        now_ms = store_clock_ms(self._store)
        both = [*leases(self._store, layout.PINS), *leases(self._store, layout.ENGINES)]
        held = {snapshot for one in both if one.live(now_ms) for snapshot in one.snapshots}
        self._gone = [one for one in self._marked if one != tip.snapshot and one not in held]

    def delete(self) -> list[str]:
        """Delete tags, manifests, the versions that were theirs alone, and the marks; return the snapshots."""
        for snapshot in self._gone:
            parts = self._releases.manifest(snapshot).tables.values()
            for part in parts:
                lance.dataset(self._store.uri(layout.table(part.name))).tags.delete(part.tag)
            self._store.delete(layout.snapshot(snapshot))
            for part in parts:
                table = lance.dataset(self._store.uri(layout.table(part.name)))
                if part.version not in {tag["version"] for tag in table.tags.list().values()}:
                    table.cleanup_old_versions(versions=[part.version])
            self._store.delete(layout.condemned(snapshot))
        self._epochs.end(self.epoch, "collected")
        return self._gone


def collect(store: FolderStore, *snapshots: str) -> list[str]:
    """Run all steps; return the snapshots that are gone."""
    collecting = Collecting(store)
    collecting.mark(*snapshots)
    collecting.judge()
    return collecting.delete()


def lapse(store: FolderStore, prefix: str, by_s: float = 1_000.0) -> None:
    """Make all leases under a prefix look to others as if they had been put so much earlier."""
    for info in store.list(prefix):
        path = store.path(info.key)
        assert path is not None
        os.utime(path, (path.stat().st_mtime - by_s,) * 2)
