"""Readers held at a snapshot: every table at the version that the manifest names, whatever is published meanwhile."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from mediaflow.errors import MediaflowError, NotFound, SystemFault
from mediaflow.snapshots.manifest import Manifest
from mediaflow.storage import layout
from mediaflow.storage.log import NumberedLog
from mediaflow.storage.objects import ObjectStore

if TYPE_CHECKING:
    import lance


class NothingPublished(MediaflowError):
    """There is no release yet."""


class UnknownSnapshot(MediaflowError):
    """No manifest stands under that id."""


class SnapshotReader:
    """All tables of one snapshot, opened lazily at the manifest's versions; safe to use from several threads.

    Parameters
    ----------
    store : ObjectStore
        Where the tables are.
    manifest : Manifest
        What to open.
    release : int
        The number of the release that was current when the reader was opened (0: opened by id).
    """

    def __init__(self, store: ObjectStore, manifest: Manifest, release: int = 0) -> None:
        self.store = store
        self.manifest = manifest
        self.release = release
        self._tables: dict[str, lance.LanceDataset] = {}
        self._lock = threading.Lock()

    @property
    def id(self) -> str:
        """The snapshot's id."""
        return self.manifest.id

    def table(self, name: str) -> lance.LanceDataset:
        """Return the Lance dataset `name` at the manifest's version; `SystemFault` where that is gone."""
        with self._lock:
            if name not in self._tables:
                import lance

                part = self.manifest.tables[name]
                uri = self.store.uri(layout.table(name))
                try:
                    self._tables[name] = lance.dataset(uri, version=part.version, session=_session())
                except ValueError as error:
                    raise SystemFault(
                        f"Version {part.version} of the table {name}, which snapshot {self.id} names, is gone: "
                        "the store was changed by other means; restore it.",
                        table=name,
                        snapshot=self.id,
                    ) from error
            return self._tables[name]


class Releases:
    """The release log: numbered pointers to snapshots, of which the highest number is current."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self.log = NumberedLog(store, layout.RELEASES)
        self._known = 0

    def tip(self) -> int:
        """Return the number of the current release, 0 where there is none. One listing."""
        self._known = self.log.tip(self._known) or self._known
        return self._known

    def entry(self, number: int) -> dict[str, Any]:
        """Return the body of release `number`."""
        return self.log.read(number)

    def manifest(self, snapshot_id: str) -> Manifest:
        """Return the manifest of a snapshot; `UnknownSnapshot` where there is none."""
        try:
            data = self._store.get(layout.snapshot(snapshot_id))
        except (NotFound, ValueError) as error:
            raise UnknownSnapshot(
                f"There is no snapshot {snapshot_id!r} in this library; 'mediaflow status' names the current one.",
                snapshot=snapshot_id,
            ) from error
        return Manifest.from_json(data)

    def current(self) -> SnapshotReader:
        """Open a reader at the current release; `NothingPublished` where there is none."""
        number = self.tip()
        if not number:
            raise NothingPublished("Nothing is published yet: run 'make refresh' (or 'make up') and ask again.")
        return SnapshotReader(self._store, self.manifest(self.entry(number)["snapshot"]), number)

    def at(self, snapshot_id: str) -> SnapshotReader:
        """Open a reader at a snapshot named by its id."""
        return SnapshotReader(self._store, self.manifest(snapshot_id))


_shared: list[Any] = []
_shared_lock = threading.Lock()


def _session() -> Any:
    # One session a process: all readers share the index and metadata caches.
    with _shared_lock:
        if not _shared:
            from lance import Session  # type: ignore[attr-defined]

            _shared.append(Session())
        return _shared[0]
