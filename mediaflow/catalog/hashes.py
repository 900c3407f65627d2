"""What scans remember of files: digests, since when they hold still, entries read out of them. Losing it costs time."""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import quote

from mediaflow.catalog.walk import FileStat, open_regular
from mediaflow.errors import SystemFault

FILE_NAME = "library-1.sqlite"
_CHUNK_BYTES = 1 << 20
_SCHEMA = """
CREATE TABLE IF NOT EXISTS hashes (path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, sha256 TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS seen (path TEXT PRIMARY KEY, size INTEGER, mtime_ns INTEGER, since_ms INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entries
    (path TEXT PRIMARY KEY, fingerprint TEXT, revision TEXT, entry TEXT, problems TEXT) WITHOUT ROWID;
"""
_COLUMNS = {"hashes": 4, "seen": 4, "entries": 5}


class KnownEntry(NamedTuple):
    """An entry that was read before: its revision, its JSON, and the (path, message) lines that came with it."""

    fingerprint: str
    revision: str
    entry: str
    problems: str


class HashMemory:
    """The memory of one library's scans, in an SQLite file.

    All is held in RAM between `HashMemory(folder)` and `close()`; `save()` writes what changed in one transaction.
    A file that is damaged is begun anew.

    Parameters
    ----------
    folder : Path
        Cache folder; made when it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._connection = self._connect()
        except (OSError, sqlite3.OperationalError) as error:
            raise self._fault(error) from error
        except sqlite3.DatabaseError:
            self._file.unlink(missing_ok=True)
            self._connection = self._connect()
        self._dirty: dict[str, set[str]] = {name: set() for name in _COLUMNS}

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._file, timeout=30, check_same_thread=False)
        try:
            connection.executescript(_SCHEMA)
            self._rows: dict[str, dict[str, tuple[Any, ...]]] = {
                name: {row[0]: row[1:] for row in connection.execute(f"SELECT * FROM {name}")} for name in _COLUMNS
            }
        except sqlite3.DatabaseError:
            connection.close()
            raise
        return connection

    def __enter__(self) -> HashMemory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._connection.close()

    def sha256(self, file: FileStat) -> str | None:
        """Give the digest of a file that was hashed with this size and time, else None."""
        known = self._rows["hashes"].get(file.path)
        return known[2] if known is not None and known[0] == file.size and known[1] == file.mtime_ns else None

    def remember_hash(self, file: FileStat, sha256: str) -> None:
        self._set("hashes", file.path, (file.size, file.mtime_ns, sha256))

    def settled(self, file: FileStat, settle_ms: int, now_ms: int) -> bool:
        """Say whether size and time of a file have held still for `settle_ms`.

        A time that lies further back than that is enough; otherwise (a file of now, or of the future) it counts from
        the scan that saw this size and time first.
        """
        if self.sha256(file) is not None or now_ms - file.mtime_ns // 1_000_000 >= settle_ms:
            self._forget("seen", file.path)
            return True
        known = self._rows["seen"].get(file.path)
        if known is None or known[0] != file.size or known[1] != file.mtime_ns:
            self._set("seen", file.path, (file.size, file.mtime_ns, now_ms))
            return settle_ms <= 0
        return bool(now_ms - known[2] >= settle_ms)

    def entry(self, path: str) -> KnownEntry | None:
        """Give what was read for the title at `path`."""
        known = self._rows["entries"].get(path)
        return None if known is None else KnownEntry(*known)

    def remember_entry(self, path: str, known: KnownEntry) -> None:
        self._set("entries", path, tuple(known))

    def forget(self, paths: Collection[str]) -> None:
        """Take all that is remembered of some files out of the memory's file, not only out of what it says."""
        with self._connection:
            self._connection.execute("PRAGMA secure_delete = ON")
            for name in _COLUMNS:
                self._connection.executemany(f"DELETE FROM {name} WHERE path = ?", [(path,) for path in paths])
                for path in paths:
                    self._rows[name].pop(path, None)
        self._connection.execute("VACUUM")

    def save(self, paths: set[str]) -> None:
        """Write what changed, in one transaction.

        Parameters
        ----------
        paths : set of str
            All files of the library now. Others are forgotten once they are more than these: until then a file that
            is renamed back costs nothing.
        """
        for name, rows in self._rows.items():
            if len(rows) > 2 * len(paths) + 1_000:
                for gone in [path for path in rows if path not in paths]:
                    self._forget(name, gone)
        if not any(self._dirty.values()):
            return
        try:
            self._write()
        except sqlite3.OperationalError as error:
            raise self._fault(error) from error

    def _write(self) -> None:
        with self._connection:
            for name, dirty in self._dirty.items():
                rows = self._rows[name]
                marks = ",".join("?" * _COLUMNS[name])
                changed = [(path, *rows[path]) for path in dirty if path in rows]
                self._connection.executemany(f"INSERT OR REPLACE INTO {name} VALUES ({marks})", changed)
                gone = [(path,) for path in dirty if path not in rows]
                self._connection.executemany(f"DELETE FROM {name} WHERE path = ?", gone)
        for dirty in self._dirty.values():
            dirty.clear()

    def _fault(self, error: Exception) -> SystemFault:
        return SystemFault(
            f"The scan's memory {self._file} cannot be used ({error}): check the folder, its permissions and the disk.",
            path=str(self._file),
        )

    def _set(self, table: str, path: str, row: tuple[Any, ...]) -> None:
        self._rows[table][path] = row
        self._dirty[table].add(path)

    def _forget(self, table: str, path: str) -> None:
        if self._rows[table].pop(path, None) is not None:
            self._dirty[table].add(path)


def remembered(folder: Path, path: str) -> tuple[int, int, str] | None:
    """Return size, time of change (ns) and digest of one file as the last scan noted them, without reading the rest.

    None where it was never hashed, or there is no memory in that folder.
    """
    try:
        with closing(sqlite3.connect(f"file:{quote(str(folder / FILE_NAME))}?mode=ro", uri=True)) as connection:
            row = connection.execute("SELECT size, mtime_ns, sha256 FROM hashes WHERE path = ?", (path,)).fetchone()
    except sqlite3.Error:
        return None
    return None if row is None else (int(row[0]), int(row[1]), str(row[2]))


def digest(root: str, file: FileStat) -> str | None:
    """Hash a file, or give None when it is no longer the file that the walk saw.

    Raises
    ------
    OSError
        It cannot be read.
    """
    found = hashlib.sha256()
    with os.fdopen(open_regular(f"{root}/{file.path}"), "rb", buffering=0) as source:
        buffer = memoryview(bytearray(_CHUNK_BYTES))
        while count := source.readinto(buffer):
            found.update(buffer[:count])
        return found.hexdigest() if _same(os.fstat(source.fileno()), file) else None


def _same(found: os.stat_result, file: FileStat) -> bool:
    return (found.st_dev, found.st_ino) == file.identity and (found.st_size, found.st_mtime_ns) == (
        file.size,
        file.mtime_ns,
    )


def entry_json(value: object) -> str:
    """Give the JSON text under which entries are remembered."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
