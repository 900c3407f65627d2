"""Previews of hits: cut when they are asked for, each once, and kept on disk as long as there is room."""

from __future__ import annotations

import asyncio
import hashlib
import os
import secrets
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mediaflow.errors import SystemFault
from mediaflow.library.opened import Opened
from mediaflow.media.options import PREVIEW_VERSION
from mediaflow.serve.media.extracts import Extracts
from mediaflow.serve.media.films import Films, Place, changed, same
from mediaflow.serve.media.links import Extract
from mediaflow.serve.work import Work

FOLDER = "previews"
# Each takes a second or two.
WAITING = 16
_ENDING = ".mp4"
# A file that was begun so long ago is of a process that was killed.
_STALE_S = 600


@dataclass(frozen=True)
class Preview:
    """A preview on disk: its file, what that is, and a name that no other preview has."""

    path: Path
    facts: os.stat_result
    tag: str


class Cache:
    """Files in a folder, of which those that were not used for longest go first. Several processes may share it.

    Parameters
    ----------
    folder : Path
        Theirs alone; made when it is needed.
    most_bytes : int
        How large they may be together; the one that was put last stays whatever its size.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes

    def get(self, name: str) -> tuple[Path, os.stat_result] | None:
        """Return a file that is there, which counts as a use."""
        path = self._folder / name
        try:
            facts = path.stat()
            os.utime(path, ns=(time.time_ns(), facts.st_mtime_ns))
        except OSError:
            return None
        return path, facts

    def put(self, name: str, data: bytes) -> tuple[Path, os.stat_result]:
        """Write a file, and delete what has no room beside it."""
        path = self._folder / name
        part = path.with_name(f"{secrets.token_hex(6)}.part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(data)
            facts = part.stat()
            part.replace(path)
            self._trim(path)
        except OSError as error:
            raise SystemFault(
                f"A preview could not be written to {str(self._folder)!r} ({error.strerror}); check the folder and the"
                " space on its disk.",
                path=str(path),
            ) from error
        return path, facts

    def size(self) -> int:
        """Return how many bytes the files have."""
        return sum(facts.st_size for _, facts in self._files())

    def _files(self) -> list[tuple[Path, os.stat_result]]:
        found = []
        for path in self._folder.glob(f"*{_ENDING}"):
            with suppress(FileNotFoundError):
                found.append((path, path.stat()))
        return found

    def _trim(self, newest: Path) -> None:
        for part in self._folder.glob("*.part"):
            with suppress(FileNotFoundError):
                if time.time() - part.stat().st_mtime > _STALE_S:
                    part.unlink()
        files = sorted(self._files(), key=lambda one: one[1].st_atime_ns)
        size = sum(facts.st_size for _, facts in files)
        for path, facts in files:
            if size <= self._most_bytes:
                return
            if path != newest:
                path.unlink(missing_ok=True)
                size -= facts.st_size


class Previews:
    """Gives the previews of extracts, in one event loop.

    Parameters
    ----------
    extracts : Extracts
        Reads snapshots.
    library : Opened
        Where the films, the decode workers and the cache are.
    waiting : int
        How many cuts may wait for one that runs.
    """

    def __init__(self, extracts: Extracts, library: Opened, waiting: int = WAITING) -> None:
        self._films = Films(extracts, library)
        self._library = library
        self._cache = Cache(library.cache / FOLDER, library.settings.preview_cache_bytes)
        # Cuts have threads of their own, and leave a decode worker to questions with pictures where there are several.
        self._cuts = Work(max(1, library.decode_workers - 1), waiting)
        self._cutting: dict[str, asyncio.Task[Preview]] = {}
        self._cut_so_far = self._kept_so_far = 0

    async def preview(self, extract: Extract, work: Work) -> Preview:
        """Return the preview of an extract; those who ask for the same while it is cut wait for one cut.

        Raises
        ------
        TitleGone, FilmChanged, SnapshotExpired, EngineNotReady, NothingPublished
            As for `Films`.
        TitleError
            The film cannot be decoded there.
        Busy, TooSlow
            Too many others are being cut, or this takes too long; it goes on, and is there for who asks again.
        """
        place = await work.do(self._films.place, extract)
        found = await work.do(self._kept, place)
        if found is not None:
            self._kept_so_far += 1
            return found
        name = _name(place)
        if name not in self._cutting:
            task = asyncio.create_task(self._cuts.do(self._cut, extract, place))
            self._cutting[name] = task
            task.add_done_callback(lambda done: self._ended(name, done))
        # Who asked first may go away, and the others wait on.
        return await asyncio.shield(self._cutting[name])

    def state(self) -> dict[str, float]:
        """Return how many were cut and how many were there, how many are coming, and how large the cache is."""
        return {
            "previews_cut_total": self._cut_so_far,
            "previews_kept_total": self._kept_so_far,
            "previews_waiting": self._cuts.taken,
            "preview_cache_bytes": self._cache.size(),
        }

    def close(self) -> None:
        """Wait for the cuts that run, and begin no more."""
        self._cuts.close()

    def _ended(self, name: str, task: asyncio.Task[Preview]) -> None:
        del self._cutting[name]
        # Where nobody waits any more nobody else reads the error.
        self._cut_so_far += not task.cancelled() and task.exception() is None

    def _kept(self, place: Place) -> Preview | None:
        found = self._cache.get(_name(place))
        return Preview(*found, _tag(place)) if found else None

    def _cut(self, extract: Extract, place: Place) -> Preview:
        path, before = self._films.file(place)
        if (found := self._kept(place)) is not None:
            return found
        film = self._library.pool().preview(path, place.start_ms, place.end_ms)
        # A title may be erased, or its file be replaced, while it is cut.
        if self._films.place(extract) != place or not same(path, before):
            raise changed(place.title_id)
        return Preview(*self._cache.put(_name(place), film), _tag(place))


def _name(place: Place) -> str:
    # The title first, so that whoever erases it finds its previews.
    return f"{place.title_id}-{_tag(place)}{_ENDING}"


def _tag(place: Place) -> str:
    said = f"{PREVIEW_VERSION} {place.file.sha256} {place.start_ms} {place.end_ms}"
    return hashlib.blake2b(said.encode(), digest_size=12).hexdigest()
