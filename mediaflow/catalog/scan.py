"""One look at the library folder: what is there, what changed, what is gone. It writes nothing but its memory."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from mediaflow.catalog.entry import read_entry
from mediaflow.catalog.found import FoundTitle, Scan
from mediaflow.catalog.hashes import HashMemory, KnownEntry, digest, entry_json
from mediaflow.catalog.layout import Candidate, read_layout
from mediaflow.catalog.losses import guard_message, match_moves, may_be, unread_message
from mediaflow.catalog.nfo import MAX_BYTES
from mediaflow.catalog.notes import Notes
from mediaflow.catalog.records import CatalogueEntry, FileRef, TitleRecord, media_revision, subtitles_revision
from mediaflow.catalog.titles import Catalog
from mediaflow.catalog.walk import FileStat, Tree, below, open_regular, walk

# Part of what remembered entries are known by: raise it when names, .nfo or title.json are read differently.
_READING = 1


def scan(
    root: Path,
    catalog: Catalog,
    memory: HashMemory,
    *,
    settle_s: float,
    loss_limit: float,
    now_ms: int,
    budget_bytes: int | None = None,
    allow_loss: bool = False,
) -> Scan:
    """Look at the library.

    Parameters
    ----------
    root : Path
        The library folder.
    catalog : Catalog
        What is known so far; it is not changed, `update` does that.
    memory : HashMemory
        What earlier scans remember; saved before this returns.
    settle_s : float
        Seconds for which a file must have held still.
    loss_limit : float
        Share of the titles (0 to 1) that may be gone at once.
    now_ms : int
        Now, in milliseconds since 1970.
    budget_bytes : int or None
        How much to hash in this call; the file that reaches it is finished, so at least one file is hashed.
    allow_loss : bool
        Believe any loss. A library folder that is missing or cannot be read removes nothing all the same.

    Raises
    ------
    SystemFault
        The memory cannot be read or written.
    """
    notes = Notes()
    try:
        tree = walk(root, notes)
    except OSError as error:
        return Scan([], [], [], [], guard=unread_message(root, error))
    files = _Files(os.path.realpath(root), memory, round(settle_s * 1000), now_ms, notes)
    look = _Look(tree, catalog, files)
    look.read(budget_bytes)
    lost = look.losses()
    guard = None if allow_loss else guard_message(root, len(lost), len(look.present), loss_limit)
    memory.save({file.path for folder in tree.top.walk() for file in folder.files})
    return look.seen([] if guard else lost, guard)


@dataclass(slots=True)
class _Files:
    """Files of the library as far as they may be used: settled, and hashed within the budget."""

    root: str
    memory: HashMemory
    settle_ms: int
    now_ms: int
    notes: Notes
    settling: set[str] = field(default_factory=set)
    waiting: dict[str, FileStat] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)

    def settled(self, file: FileStat) -> bool:
        if self.memory.settled(file, self.settle_ms, self.now_ms):
            return True
        self.settling.add(file.path)
        return False

    def hash(self, files: Iterable[FileStat], budget_bytes: int | None) -> None:
        """Hash what is settled and not hashed yet, in the order given, until the budget is reached."""
        spent = 0
        for file in files:
            if self.memory.sha256(file) is not None or not self.settled(file):
                continue
            if budget_bytes is not None and spent >= max(budget_bytes, 1):
                self.waiting[file.path] = file
                continue
            spent += file.size
            self._hash(file)

    def _hash(self, file: FileStat) -> None:
        try:
            sha256 = digest(self.root, file)
        except OSError as error:
            self.unread(file, error)
            return
        if sha256 is None:
            self.settling.add(file.path)
        else:
            self.memory.remember_hash(file, sha256)

    def unread(self, file: FileStat, error: OSError) -> None:
        if file.path not in self.unreadable:
            self.unreadable.add(file.path)
            why = error.strerror or str(error)
            self.notes.problem(file.path, f"cannot be read ({why}), so it does not count yet: give read permission")

    def refs(self, files: tuple[FileStat, ...]) -> tuple[FileRef, ...] | None:
        """Give the files with their digests, or None while one of them has none."""
        found = []
        for file in files:
            sha256 = self.memory.sha256(file)
            if sha256 is None:
                return None
            found.append(FileRef(file.path, file.size, sha256))
        return tuple(found)

    def read(self, file: FileStat) -> bytes:
        """Give the bytes of a small file; one byte more than allowed shows that it is too large."""
        try:
            with os.fdopen(open_regular(f"{self.root}/{file.path}"), "rb") as source:
                return source.read(MAX_BYTES + 1)
        except OSError as error:
            self.unread(file, error)
            raise


class _Look:
    """Puts candidates, memory and catalogue together."""

    def __init__(self, tree: Tree, catalog: Catalog, files: _Files) -> None:
        self.tree, self.files = tree, files
        self.present = {record.path: record for record in catalog.present()}
        self.ever = {record.path for record in catalog.titles.values()}
        self.candidates = read_layout(tree, frozenset(self.present), files.notes, files.root)
        self.found: dict[str, FoundTitle] = {}
        self.pending: list[Candidate] = []

    def read(self, budget_bytes: int | None) -> None:
        sidecars = [file for candidate in self.candidates for file in candidate.subtitles]
        # Small files first: they are what changes most, and a long film must not keep them waiting.
        self.files.hash([*sidecars, *(file for each in self.candidates for file in each.media)], budget_bytes)
        for candidate in self.candidates:
            title = self._title(candidate, self.present.get(candidate.path))
            if title is None:
                self.pending.append(candidate)
            else:
                self.found[title.path] = title

    def _title(self, candidate: Candidate, old: TitleRecord | None) -> FoundTitle | None:
        """Give the title, each root new where it is whole and else as it was; None for a new one not whole yet."""
        media = self.files.refs(candidate.media)
        subtitles = self.files.refs(candidate.subtitles)
        entry = self._entry(candidate, old)
        if old is None:
            if media is None or subtitles is None or entry is None:
                return None
            old = TitleRecord(0, "", candidate.path, media, subtitles, entry[1], {"catalogue": entry[0]})
        elif not candidate.subtitles_known:
            subtitles = None
        roots = {
            "media": old.roots["media"] if media is None else media_revision(media),
            "subtitles": old.roots["subtitles"] if subtitles is None else subtitles_revision(candidate.path, subtitles),
            "catalogue": old.roots["catalogue"] if entry is None else entry[0],
        }
        return FoundTitle(
            path=candidate.path,
            media=old.media if media is None else media,
            subtitles=old.subtitles if subtitles is None else subtitles,
            entry=old.entry if entry is None else entry[1],
            roots=roots,
        )

    def _entry(self, candidate: Candidate, old: TitleRecord | None) -> tuple[str, CatalogueEntry] | None:
        """Give revision and entry, read anew only where a file or a name changed; None while a file is settling."""
        show = candidate.show
        sources = [candidate.nfo, candidate.overlay, *((show.nfo, show.overlay) if show else ())]
        settled = [self.files.settled(file) for file in sources if file is not None]
        if not all(settled):
            return None
        fingerprint = _fingerprint(candidate, sources)
        known = self.files.memory.entry(candidate.path)
        if known is None or known.fingerprint != fingerprint:
            try:
                known = self._read_entry(candidate, fingerprint)
            except OSError:
                return self._entry_without_files(candidate) if old is None else None
        for path, message in json.loads(known.problems) if known.problems else ():
            self.files.notes.problem(path, message)
        if old is not None and old.roots["catalogue"] == known.revision:
            return known.revision, old.entry
        return known.revision, CatalogueEntry.from_json(json.loads(known.entry))

    def _read_entry(self, candidate: Candidate, fingerprint: str) -> KnownEntry:
        notes = Notes()
        entry = read_entry(candidate, self.files.read, notes)
        problems = entry_json(notes.problems) if notes.problems else ""
        known = KnownEntry(fingerprint, entry.revision(), entry_json(entry.to_json()), problems)
        self.files.memory.remember_entry(candidate.path, known)
        return known

    def _entry_without_files(self, candidate: Candidate) -> tuple[str, CatalogueEntry]:
        """Give what names alone say: a new title does not wait for a file that nobody may read."""
        show = candidate.show and replace(candidate.show, nfo=None, overlay=None)
        entry = read_entry(replace(candidate, nfo=None, overlay=None, show=show), self.files.read, self.files.notes)
        return entry.revision(), entry

    def losses(self) -> list[TitleRecord]:
        """Give the titles that are gone: neither moved, nor perhaps about to be, nor below an unreadable folder."""
        there = {candidate.path for candidate in self.candidates}
        missing = [
            record
            for path, record in self.present.items()
            if path not in there and not below(path, self.tree.unreadable)
        ]
        if not missing:
            return []
        fresh = [title for title in self.found.values() if title.path not in self.ever]
        moved = match_moves(missing, fresh)
        self.found |= moved
        gone = {title.moved_from for title in moved.values()}
        waiting = [candidate for candidate in self.pending if candidate.path not in self.ever]
        return [
            record
            for record in missing
            if record.title_id not in gone
            and not any(may_be(record, candidate, self.files.memory.sha256) for candidate in waiting)
        ]

    def seen(self, removed: list[TitleRecord], guard: str | None) -> Scan:
        return Scan(
            titles=sorted(self.found.values(), key=lambda title: title.path),
            removed=[record.title_id for record in removed],
            ignored=self.files.notes.ignored,
            problems=self.files.notes.problems,
            settling=len(self.files.settling),
            hashing_bytes_left=sum(file.size for file in self.files.waiting.values()),
            guard=guard,
        )


def _fingerprint(candidate: Candidate, sources: list[FileStat | None]) -> str:
    """Give all that an entry is read from, without reading it."""
    show = candidate.show
    return repr(
        (
            _READING,
            candidate.stem,
            candidate.folder,
            candidate.own_folder,
            candidate.season,
            show and (show.folder, show.name),
            [file and (file.path, file.size, file.mtime_ns) for file in sources],
        )
    )
