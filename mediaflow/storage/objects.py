"""The object store: the one thing that all processes share, as a Protocol, and a folder that keeps it."""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Protocol

from mediaflow.errors import NotFound, SystemFault
from mediaflow.storage import steps


@dataclass(frozen=True)
class ObjectInfo:
    """One object of a listing: its key, its size in bytes, and when the store last changed it (ms)."""

    key: str
    size: int
    modified_ms: int


class ObjectStore(Protocol):
    """Get, put, put-if-absent, list, delete; reads and lists see every finished write.

    Keys are relative, with `/` between parts. Lance tables live under keys of the same store and are
    opened by `uri`.
    """

    def get(self, key: str) -> bytes:
        """Return the bytes under `key`; `NotFound` where there are none."""
        ...

    def put(self, key: str, data: bytes) -> None:
        """Write or replace `key`, whole or not at all."""
        ...

    def put_if_absent(self, key: str, data: bytes) -> bool:
        """Write `key` if nobody has; say whether it was written. Of many writers exactly one is told True."""
        ...

    def list(self, prefix: str, start_after: str = "") -> Iterator[ObjectInfo]:
        """Yield the objects whose keys begin with `prefix` and come after `start_after`, in order of their keys."""
        ...

    def delete(self, key: str) -> None:
        """Remove `key`; nothing happens where there is none."""
        ...

    def exists(self, key: str) -> bool:
        """Say whether there is an object under `key`."""
        ...

    def unfinished(self, age_ms: int, delete: bool) -> tuple[int, ...]:
        """Return the sizes of writes that were begun longer ago and never finished, and delete them if told so.

        What else such a store is left with by deleted objects goes with them.
        """
        ...

    def uri(self, key: str) -> str:
        """Return the address under which Lance and Polars find `key`."""
        ...

    def path(self, key: str) -> Path | None:
        """Return the local file of `key`, or None where the store is not on this machine's disk."""
        ...


_FULL = {errno.ENOSPC, errno.EDQUOT}
_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}


class FolderStore:
    """An object store in a folder: `link()` gives put-if-absent, `rename()` gives put, both after an fsync.

    Parameters
    ----------
    root : Path
        The folder; made when it is not there. Its file system must know hard links.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self._parts = self.root / ".partial"
        try:
            self._parts.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise self._fault(error, "make the store's folder") from error

    def get(self, key: str) -> bytes:
        try:
            return self._file(key).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise NotFound(f"The store in {self.root} has no object {key!r}.", key=key) from error
        except OSError as error:
            raise self._fault(error, f"read {key}") from error

    def put(self, key: str, data: bytes) -> None:
        target = self._file(key)
        try:
            part = self._write_part(target, data)
            try:
                _place(part.rename, target)
            finally:
                part.unlink(missing_ok=True)
            _sync_folder(target.parent)
        except OSError as error:
            raise self._fault(error, f"write {key}") from error

    def put_if_absent(self, key: str, data: bytes) -> bool:
        target = self._file(key)
        try:
            part = self._write_part(target, data)
            try:
                _place(partial(os.link, part), target)
            except FileExistsError:
                return False
            finally:
                part.unlink(missing_ok=True)
            _sync_folder(target.parent)
        except OSError as error:
            raise self._fault(error, f"write {key}") from error
        return True

    def list(self, prefix: str, start_after: str = "") -> Iterator[ObjectInfo]:
        folder = self.root / prefix.rpartition("/")[0]
        try:
            for key in sorted(key for key in self._keys(folder) if key.startswith(prefix) and key > start_after):
                try:
                    facts = os.stat(f"{self.root}/{key}")  # noqa: PTH116 - a path object of each of many keys costs more
                except FileNotFoundError:
                    # Deleted since the folder was read; what comes after it is still there.
                    continue
                yield ObjectInfo(key, facts.st_size, facts.st_mtime_ns // 1_000_000)
        except OSError as error:
            raise self._fault(error, f"list {prefix}") from error

    def delete(self, key: str) -> None:
        try:
            self._file(key).unlink(missing_ok=True)
        except OSError as error:
            raise self._fault(error, f"delete {key}") from error

    def exists(self, key: str) -> bool:
        return self._file(key).is_file()

    def unfinished(self, age_ms: int, delete: bool) -> tuple[int, ...]:
        sizes = []
        try:
            for part in sorted(self._parts.iterdir()):
                facts = part.stat()
                if time.time_ns() // 1_000_000 - facts.st_mtime_ns // 1_000_000 > age_ms:
                    sizes.append(facts.st_size)
                    if delete:
                        part.unlink(missing_ok=True)
            if delete:
                self._without_empty_folders()
        except OSError as error:
            raise self._fault(error, "tidy up") from error
        return tuple(sizes)

    def uri(self, key: str) -> str:
        return str(self._file(key))

    def path(self, key: str) -> Path | None:
        return self._file(key)

    def _without_empty_folders(self) -> None:
        """Remove folders of keys that are gone; those of Lance tables are not looked into."""
        found = []
        for base, folders, _ in os.walk(self.root):
            folders[:] = [name for name in folders if name != ".partial" and not name.endswith(".lance")]
            found += [Path(base, name) for name in folders]
        for folder in reversed(found):
            with suppress(OSError):
                folder.rmdir()

    def _file(self, key: str) -> Path:
        parts = key.split("/")
        if key.startswith("/") or "\0" in key or any(part in {"", ".", ".."} for part in parts):
            raise ValueError(f"not a key of the store: {key!r}")
        return self.root / key

    def _keys(self, folder: Path) -> Iterator[str]:
        for base, folders, files in os.walk(folder):
            folders[:] = [name for name in folders if name != ".partial"]
            here = Path(base).relative_to(self.root).as_posix()
            yield from (name if here == "." else f"{here}/{name}" for name in files)

    def _write_part(self, target: Path, data: bytes) -> Path:
        target.parent.mkdir(parents=True, exist_ok=True)
        part = self._parts / secrets.token_hex(12)
        with part.open("xb") as file:
            try:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                part.unlink(missing_ok=True)
                raise
        steps.reached("store: after write")
        return part

    def _fault(self, error: OSError, doing: str) -> SystemFault:
        if error.errno in _FULL:
            advice = "the disk is full: make room, then refresh again"
        elif error.errno in _NO_LINKS:
            advice = "this file system has no hard links: put the store on a local disk (ext4, xfs, btrfs, apfs)"
        else:
            advice = f"{error.strerror}: check the folder and its permissions"
        return SystemFault(f"The store in {self.root} could not {doing}; {advice}.", root=str(self.root), doing=doing)


def _place(put: Callable[[Path], object], target: Path) -> None:
    """Give a finished file its name; its folder may just have been tidied away as an empty one."""
    try:
        put(target)
    except FileNotFoundError:
        target.parent.mkdir(parents=True, exist_ok=True)
        put(target)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
