"""Readers held at a snapshot: every table at the version that the manifest names, whatever is published meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol

from mediaflow.errors import MediaflowError, NotFound, SystemFault, UsageError
from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.release import FENCE, Release
from mediaflow.storage import layout
from mediaflow.storage.log import NumberedLog
from mediaflow.storage.objects import ObjectStore

if TYPE_CHECKING:
    import lance


NOTHING = "Nothing is published yet: run 'make refresh' (or 'make up') and ask again."


class NothingPublished(MediaflowError):
    """There is no release yet."""


class UnknownSnapshot(UsageError):
    """No manifest stands under that id, or no release under that number."""


class SnapshotExpired(MediaflowError):
    """A snapshot is not held any more by who reads it: nothing of it is handed out, and nothing else in its place."""


class Hold(Protocol):
    """What keeps a snapshot from the collector while it is read: a pin, or an engine's lease."""

    def check(self) -> None:
        """Raise `SnapshotExpired` where its time is over by its owner's clock, or it was let go."""
        ...

    def let_go(self) -> None:
        """Hold the snapshot no longer; nothing happens where that was done before."""
        ...


class SnapshotReader:
    """All tables of one snapshot, opened lazily at the manifest's versions; safe to use from several threads.

    Parameters
    ----------
    store : ObjectStore
        Where the tables are.
    manifest : Manifest
        What to open.
    release : int
        The number of the release that makes it current, as far as its owner knows (0: opened by id).
    hold : Hold, optional
        What keeps the snapshot from the collector; without it a snapshot that is not current may go at any time.
    """

    def __init__(self, store: ObjectStore, manifest: Manifest, release: int = 0, hold: Hold | None = None) -> None:
        self.store = store
        self.manifest = manifest
        self.release = release
        self._hold = hold
        self._tables: dict[str, lance.LanceDataset] = {}
        self._lock = threading.Lock()

    @property
    def id(self) -> str:
        """The snapshot's id."""
        return self.manifest.id

    def __enter__(self) -> SnapshotReader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the snapshot."""
        if self._hold is not None:
            self._hold.let_go()

    def check(self) -> None:
        """Raise `SnapshotExpired` where what was read until now may not be handed out."""
        if self._hold is not None:
            self._hold.check()

    @property
    def expired(self) -> bool:
        """Whether nothing that is read now may be handed out."""
        try:
            self.check()
        except SnapshotExpired:
            return True
        return False

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Read inside this block, and hand out after it.

        Raises
        ------
        SnapshotExpired
            The time of the reader was over before the block ended, or the snapshot was collected meanwhile; whatever
            else was raised for want of its files is the cause.
        """
        try:
            yield
        except SnapshotExpired:
            raise
        except Exception as error:
            try:
                self.check()
            except SnapshotExpired as expired:
                raise expired from error
            if not isinstance(error, UsageError) and not self.store.exists(layout.snapshot(self.id)):
                raise gone(self.id) from error
            raise
        self.check()

    def table(self, name: str) -> lance.LanceDataset:
        """Return the Lance dataset `name` at the manifest's version.

        Raises
        ------
        SnapshotExpired
            The version is gone, and the snapshot was held no longer or was collected.
        SystemFault
            The version is gone by other means.
        """
        with self.reading(), self._lock:
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


def gone(snapshot: str) -> SnapshotExpired:
    """Return the error of a snapshot that was collected while it was read."""
    return SnapshotExpired(
        f"Snapshot {snapshot} is not kept any more: it was collected while nothing held it; ask again without it, or "
        "pin what you need with 'mediaflow pin'.",
        snapshot=snapshot,
    )


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

    def entry(self, number: int) -> Release:
        """Return release `number`; `UnknownSnapshot` where there is none."""
        try:
            return Release.from_json(number, self.log.read(number))
        except NotFound as error:
            raise UnknownSnapshot(
                f"There is no release {number} in this library; 'mediaflow snapshots' lists them.", number=number
            ) from error

    def newest(self) -> Release | None:
        """Return the current release, None where there is none."""
        number = self.tip()
        return self.entry(number) if number else None

    def told(self) -> Release | None:
        """Return the current release as people know it: the one that fences repeat. None where there is none."""
        newest = self.newest()
        return self.repeated(newest) if newest else None

    def repeated(self, release: Release) -> Release:
        """Return the release that a fence repeats, or the release itself where it is none."""
        while release.kind == FENCE:
            release = self.entry(release.n - 1)
        return release

    def add(self, release: Release) -> bool:
        """Put a release under its number if nobody has; say whether the one that stands there is this one."""
        return self.log.append(release.n, release.to_json())

    def manifest(self, snapshot_id: str) -> Manifest:
        """Return the manifest of a snapshot; `UnknownSnapshot` where there is none."""
        try:
            data = self._store.get(layout.snapshot(snapshot_id))
        except (NotFound, ValueError) as error:
            raise UnknownSnapshot(
                f"There is no snapshot {snapshot_id!r} in this library; 'mediaflow snapshots' lists them.",
                snapshot=snapshot_id,
            ) from error
        return Manifest.from_json(data)

    def current(self) -> SnapshotReader:
        """Open a reader at the current release; `NothingPublished` where there is none."""
        newest = self.newest()
        if newest is None:
            raise NothingPublished(NOTHING)
        return SnapshotReader(self._store, self.manifest(newest.snapshot), newest.n)

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
