"""What links lead to: the title as it is served now, and the rows of the snapshot that the link names."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mediaflow.errors import MediaflowError
from mediaflow.search.engine import SearchEngine
from mediaflow.search.reading.thumbnails import Range, read_thumbnail
from mediaflow.serve.media.links import Extract
from mediaflow.snapshots.pins import verified
from mediaflow.snapshots.reader import SnapshotExpired, SnapshotReader, gone
from mediaflow.storage.objects import ObjectStore

Read = TypeVar("Read")


class TitleGone(MediaflowError):
    """The title of a link is not served any more."""


class NoPicture(MediaflowError):
    """The snapshot of a link has no picture of the title."""


class Extracts:
    """Reads what links name. It may be called from several threads.

    Parameters
    ----------
    engine : SearchEngine
        What answers; it knows what is current, and holds snapshots open.
    store : ObjectStore
        Where snapshots are that are kept and not open.
    """

    def __init__(self, engine: SearchEngine, store: ObjectStore) -> None:
        self._engine = engine
        self._store = store

    def thumbnail(self, extract: Extract) -> bytes:
        """Return the kept frame nearest to the middle of an extract, as JPEG.

        Raises
        ------
        TitleGone, NoPicture
            The title is not served any more, or its snapshot has no picture of it.
        SnapshotExpired
            The snapshot is not kept any more.
        EngineNotReady, NothingPublished
            What is current is not known now.
        """
        of = Range(self.served(extract), extract.start_ms, extract.end_ms)
        jpeg = self.read(extract.snapshot, lambda reader: read_thumbnail(reader, of))
        if jpeg is None:
            raise NoPicture(f"There is no picture of {extract.title_id} in the snapshot that found it.")
        return jpeg

    def served(self, extract: Extract) -> int:
        """Return the number of an extract's title, which is the same in all snapshots.

        Raises
        ------
        TitleGone
            It is not served any more.
        EngineNotReady, NothingPublished
            What is current is not known now.
        """
        with self._engine.gateway() as gateway:
            number = gateway.catalogue.number(extract.title_id)
        if number is None:
            raise TitleGone(f"{extract.title_id} is not served any more: it was removed since that answer.")
        return number

    def read(self, snapshot: str, what: Callable[[SnapshotReader], Read]) -> Read:
        """Return what is read of a snapshot that is open in this process, or still kept.

        Links live longer than a snapshot stays open, and may have been made by another server.

        Raises
        ------
        SnapshotExpired
            It is not kept any more.
        """
        try:
            with self._engine.gateway(snapshot) as gateway:
                return what(gateway.reader)
        except SnapshotExpired:
            manifest = verified(self._store, snapshot)
        if manifest is None:
            raise gone(snapshot)
        reader = SnapshotReader(self._store, manifest)
        with reader.reading():
            return what(reader)
