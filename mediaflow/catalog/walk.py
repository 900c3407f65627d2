"""Walking the library: every regular file with its stat, never outside the library, never twice, whatever the names."""

from __future__ import annotations

import os
import stat
import unicodedata
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from mediaflow.catalog.kinds import (
    DISC_FOLDERS,
    DISC_TREE,
    IGNORE_MARKERS,
    MARKED,
    STREAMING_TREE,
    FileKind,
    kind_of,
    unwanted,
)
from mediaflow.catalog.notes import Notes

_SNIFF_BYTES = 4096


class FileStat(NamedTuple):
    """A file as the walk saw it; `identity` is (device, inode)."""

    path: str
    name: str
    size: int
    mtime_ns: int
    identity: tuple[int, int]

    @property
    def stem(self) -> str:
        return self.name.rpartition(".")[0] or self.name


@dataclass(slots=True)
class Folder:
    """A folder that was read; `path` is relative to the library ("" is the library itself)."""

    path: str
    name: str
    parent: Folder | None
    files: list[FileStat] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)

    def count(self) -> int:
        """Count the files in and below this folder."""
        return sum(len(folder.files) for folder in self.walk())

    def walk(self) -> Iterator[Folder]:
        """Give this folder and all below it, parents first."""
        pending = [self]
        while pending:
            folder = pending.pop()
            yield folder
            pending.extend(reversed(folder.folders))


@dataclass(slots=True)
class Tree:
    """The whole library as it was walked; titles below an `unreadable` folder are unknown, not gone."""

    top: Folder
    unreadable: list[str]


def open_regular(path: str) -> int:
    """Open a regular file for reading and give its descriptor; a pipe put in its place can't block this.

    Raises
    ------
    OSError
        The file cannot be opened, or is no regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is no regular file")
    return descriptor


def head(path: str, size: int = _SNIFF_BYTES) -> bytes:
    """Give the first bytes of a file; nothing where it cannot be read."""
    try:
        with os.fdopen(open_regular(path), "rb") as file:
            return file.read(size)
    except OSError:
        return b""


def below(path: str, folders: list[str]) -> bool:
    """Say whether a path is one of the folders or lies below one."""
    return any(not folder or path == folder or path.startswith(folder + "/") for folder in folders)


def walk(root: Path, notes: Notes) -> Tree:
    """Read the library folder.

    Raises
    ------
    OSError
        The library folder itself is missing or cannot be read.
    """
    return _Walk(os.path.realpath(root), notes).run()


class _Walk:
    def __init__(self, root: str, notes: Notes) -> None:
        self.root = root
        self.notes = notes
        self.tree = Tree(Folder("", "", None), [])
        self.visited: set[tuple[int, int]] = set()
        self.links: deque[tuple[Folder, str]] = deque()
        self.linked: list[tuple[Folder, FileStat]] = []

    def run(self) -> Tree:
        with os.scandir(self.root) as entries:
            next(entries, None)
        top = Path(self.root).stat()
        self.visited.add((top.st_dev, top.st_ino))
        self._descend(self.tree.top)
        # Real folders first: a link to one of them is then known as a second way to the same place.
        while self.links:
            self._follow(*self.links.popleft())
        self._keep_linked_once()
        return self.tree

    def _descend(self, start: Folder) -> None:
        pending = [start]
        while pending:
            folder = pending.pop()
            self._read(folder)
            pending.extend(reversed(folder.folders))

    def _absolute(self, path: str) -> str:
        return f"{self.root}/{path}" if path else self.root

    def _read(self, folder: Folder) -> None:
        try:
            with os.scandir(self._absolute(folder.path)) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
            reason = self._opaque(folder, listed)
            if reason:
                self.notes.ignore(folder.path, reason, _count_entries(listed))
                return
            for entry in listed:
                self._try(folder, entry)
        except FileNotFoundError:
            return
        except OSError as error:
            self._unreadable(folder.path, error)

    def _try(self, folder: Folder, entry: os.DirEntry[str]) -> None:
        try:
            self._take(folder, entry)
        except FileNotFoundError:
            return
        except PermissionError:
            # The folder gives its names but nothing about them: one line for all, not one a name.
            raise
        except OSError as error:
            self._unreadable(f"{folder.path}/{entry.name}" if folder.path else entry.name, error)

    def _unreadable(self, path: str, error: OSError) -> None:
        self.tree.unreadable.append(path)
        why = error.strerror or str(error)
        advice = "give read permission, shorten the path or mend the disk, then scan again"
        self.notes.problem(path, f"cannot be read ({why}); titles known at or below it stay: {advice}")

    def _opaque(self, folder: Folder, listed: list[os.DirEntry[str]]) -> str | None:
        if folder.name.lower() in DISC_FOLDERS:
            return DISC_TREE
        names = {entry.name for entry in listed}
        if names & IGNORE_MARKERS:
            return MARKED
        # In the library itself one stray manifest must not hide every film.
        if folder.path and any(_is_manifest(entry) for entry in listed):
            return STREAMING_TREE
        return None

    def _take(self, folder: Folder, entry: os.DirEntry[str]) -> None:
        name, path = entry.name, f"{folder.path}/{entry.name}" if folder.path else entry.name
        reason = unwanted(name)
        if reason:
            self.notes.ignore(folder.path, reason)
        elif not _is_plain(name):
            self.notes.problem(
                path, "the name is not UTF-8 text or has control characters, so it is left out: rename it"
            )
        elif entry.is_symlink():
            self._take_link(folder, name)
        elif entry.is_dir(follow_symlinks=False):
            found = entry.stat(follow_symlinks=False)
            self._add_folder(folder, name, (found.st_dev, found.st_ino))
        elif entry.is_file(follow_symlinks=False):
            folder.files.append(_file(path, name, entry.stat(follow_symlinks=False)))
        else:
            self.notes.ignore(folder.path, "neither file nor folder (pipe, socket, device)")

    def _add_folder(self, parent: Folder, name: str, identity: tuple[int, int]) -> Folder | None:
        if identity in self.visited:
            self.notes.ignore(parent.path, "second way to a folder that is read at its own place")
            return None
        self.visited.add(identity)
        folder = Folder(f"{parent.path}/{name}" if parent.path else name, name, parent)
        parent.folders.append(folder)
        return folder

    def _take_link(self, folder: Folder, name: str) -> None:
        path = f"{folder.path}/{name}" if folder.path else name
        absolute = self._absolute(path)
        target = os.path.realpath(absolute)
        try:
            found = Path(absolute).stat()
        except OSError:
            self.notes.ignore(folder.path, "link that leads nowhere")
            return
        if target != self.root and not target.startswith(self.root.rstrip("/") + "/"):
            self.notes.ignore(folder.path, "link that leads out of the library")
        elif stat.S_ISDIR(found.st_mode):
            self.links.append((folder, name))
        elif stat.S_ISREG(found.st_mode):
            self.linked.append((folder, _file(path, name, found)))
        else:
            self.notes.ignore(folder.path, "neither file nor folder (pipe, socket, device)")

    def _follow(self, parent: Folder, name: str) -> None:
        try:
            found = Path(self._absolute(f"{parent.path}/{name}" if parent.path else name)).stat()
        except OSError:
            return
        folder = self._add_folder(parent, name, (found.st_dev, found.st_ino))
        if folder is not None:
            self._descend(folder)

    def _keep_linked_once(self) -> None:
        """Let a video that is reached by links be one title, at its own place if that is read too."""
        if not self.linked:
            return
        known = {file.identity for folder in self.tree.top.walk() for file in folder.files}
        for folder, file in sorted(self.linked, key=lambda pair: pair[1].path):
            if kind_of(file.name) is FileKind.VIDEO and file.identity in known:
                self.notes.ignore(folder.path, "second way to a video that is read at its own place")
                continue
            known.add(file.identity)
            folder.files.append(file)
            folder.files.sort(key=lambda each: each.name)


def _file(path: str, name: str, found: os.stat_result) -> FileStat:
    return FileStat(path, name, found.st_size, found.st_mtime_ns, (found.st_dev, found.st_ino))


def _is_plain(name: str) -> bool:
    if name.isascii() and name.isprintable():
        return True
    return not any(unicodedata.category(char) in {"Cc", "Cs"} for char in name)


def _is_manifest(entry: os.DirEntry[str]) -> bool:
    """Tell a streaming manifest from a plain playlist, which shares its extension with HLS."""
    if kind_of(entry.name) is not FileKind.MANIFEST or not entry.is_file(follow_symlinks=False):
        return False
    if entry.name.lower().endswith((".m3u8", ".m3u")):
        return b"#EXT-X-" in head(entry.path)
    return True


def _count_entries(listed: list[os.DirEntry[str]]) -> int:
    """Count the files in and below, without asking for their stat; what cannot be read counts as one."""
    count, pending = 0, list(listed)
    while pending:
        entry = pending.pop()
        if not entry.is_dir(follow_symlinks=False):
            count += 1
            continue
        try:
            with os.scandir(entry.path) as entries:
                pending.extend(entries)
        except OSError:
            count += 1
    return count
