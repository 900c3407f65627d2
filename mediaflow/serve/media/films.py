"""From what a link shows to the place in a film's file, if that is the film of the snapshot still, byte by byte."""

from __future__ import annotations

import bisect
import hashlib
import itertools
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cachetools import LRUCache

from mediaflow.catalog.hashes import remembered
from mediaflow.catalog.records import FileRef, TitleRecord
from mediaflow.catalog.walk import open_regular
from mediaflow.errors import MediaflowError, SystemFault
from mediaflow.library.opened import Opened
from mediaflow.media.options import Limits
from mediaflow.planning.revisions import revision
from mediaflow.planning.stage import Stage
from mediaflow.serve.media.extracts import Extracts, TitleGone
from mediaflow.serve.media.links import Extract
from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.reader import SnapshotReader

MOST_MS, LEAST_MS = Limits().preview_ms, 4_000
_KNOWN = 10_000


class FilmChanged(MediaflowError):
    """The film of a title is not the one that the snapshot was made from."""


@dataclass(frozen=True)
class Place:
    """A part of a file: the file as the catalogue knows it, and the range within it, half-open."""

    title_id: str
    file: FileRef
    start_ms: int
    end_ms: int


class Films:
    """Finds the films of titles. It may be called from several threads.

    Parameters
    ----------
    extracts : Extracts
        Reads snapshots.
    library : Opened
        Where the films are.
    """

    def __init__(self, extracts: Extracts, library: Opened) -> None:
        self._extracts = extracts
        self._library = library
        self._digests: LRUCache[tuple[str, int, int], str] = LRUCache(_KNOWN)
        self._lock = threading.Lock()

    def place(self, extract: Extract) -> Place:
        """Return where the preview of an extract is: around its middle, of 4 to 10 seconds.

        Raises
        ------
        TitleGone
            The title is not served any more, or not in the library.
        FilmChanged
            The catalogue knows another film of the title by now.
        SnapshotExpired, EngineNotReady, NothingPublished
            As for `Extracts.thumbnail`.
        """
        number = self._extracts.served(extract)
        manifest, row = self._extracts.read(extract.snapshot, lambda reader: (reader.manifest, _row(reader, number)))
        record = self._library.catalog.titles.get(extract.title_id)
        if record is None or record.removed or row is None:
            raise TitleGone(f"{extract.title_id} is not in the library any more.")
        if not _made_from(manifest, json.loads(row["revisions"]).get("media"), record):
            raise changed(extract.title_id)
        return _around(extract, record, json.loads(row["facts"]))

    def file(self, place: Place) -> tuple[Path, os.stat_result]:
        """Return path and facts of a place's file, whose bytes are those that the catalogue knows.

        They are read and hashed where neither the last look at the library nor an earlier call has done so since the
        file was changed last.

        Raises
        ------
        FilmChanged
            They are others, or the file is gone.
        """
        path = self._library.root / place.file.path
        try:
            with os.fdopen(open_regular(str(path)), "rb", buffering=0) as opened:
                facts = os.fstat(opened.fileno())
                known = self._known(place.file.path, facts)
                if known is None and facts.st_size == place.file.size:
                    known = hashlib.file_digest(opened, "sha256").hexdigest()
                    if same(path, facts):
                        self._note(place.file.path, facts, known)
        except OSError as error:
            if not self._library.root.is_dir():
                raise SystemFault("The library's folder cannot be read now: is its disk there?") from error
            raise changed(place.title_id) from error
        if known != place.file.sha256:
            raise changed(place.title_id)
        return path, facts

    def _known(self, path: str, facts: os.stat_result) -> str | None:
        with self._lock:
            known = self._digests.get((path, facts.st_size, facts.st_mtime_ns))
        if known is None:
            said = remembered(self._library.cache, path)
            known = said[2] if said and said[:2] == (facts.st_size, facts.st_mtime_ns) else None
        return known

    def _note(self, path: str, facts: os.stat_result, digest: str) -> None:
        with self._lock:
            self._digests[path, facts.st_size, facts.st_mtime_ns] = digest


def changed(title_id: str) -> FilmChanged:
    """Return the error of a film that is not the one of a snapshot."""
    return FilmChanged(
        f"The film of {title_id} is not the one of that answer any more: its file was changed or moved. Ask again once"
        " that is published."
    )


def same(path: Path, facts: os.stat_result) -> bool:
    """Say whether a file is still the one of which these are the facts."""
    try:
        now = path.stat()
    except OSError:
        return False
    return (now.st_ino, now.st_size, now.st_mtime_ns) == (facts.st_ino, facts.st_size, facts.st_mtime_ns)


def _row(reader: SnapshotReader, title_no: int) -> dict[str, Any] | None:
    """Return what a snapshot says of a title: `facts` and `revisions`, as JSON."""
    table = reader.table("titles").to_table(columns=["facts", "revisions"], filter=f"title_no = {title_no}")
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows[0] if rows else None


def _made_from(manifest: Manifest, served: str | None, record: TitleRecord) -> bool:
    """Say whether what a snapshot serves of a title was made from the film that the catalogue knows now."""
    described = (said for said in manifest.stages.values() if said["name"] == "media")
    stages = (
        Stage("media", said["code_version"], parameters=said["parameters"], model=said["model"]) for said in described
    )
    return any(revision(stage.recipe, [record.roots["media"]]) == served for stage in stages)


def _around(extract: Extract, record: TitleRecord, facts: Mapping[str, Any]) -> Place:
    """Return the part around the middle of an extract; of a film in several files, within the one of the middle."""
    middle_ms = (extract.start_ms + extract.end_ms) // 2
    begins_ms = [0, *itertools.accumulate(facts["parts_ms"][:-1])]
    part = bisect.bisect_right(begins_ms, middle_ms) - 1
    part_ms = facts["parts_ms"][part]
    length_ms = min(max(extract.end_ms - extract.start_ms, LEAST_MS), MOST_MS)
    start_ms = max(0, min(middle_ms - begins_ms[part] - length_ms // 2, part_ms - length_ms))
    return Place(extract.title_id, record.media[part], start_ms, min(start_ms + length_ms, max(part_ms, 1)))
