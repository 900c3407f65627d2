"""A pool of decode workers: sandboxed processes that outlive bad titles, because they are replaced."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mediaflow.errors import TitleError, UsageError
from mediaflow.media.options import DecodeOptions, Limits
from mediaflow.media.process import WorkerLost, WorkerProcess
from mediaflow.media.schemas import CUES, FRAMES, SHOTS, MediaFacts

_LOST = {
    "killed": "its decode worker was killed twice in the middle of it; if the machine is not short of memory, the file"
    " is what brings it down",
    "stalled": "its decode worker twice made no progress for {stall_s:g} s",
    "memory": "it needs more memory to decode than the limit of {memory_mib} MiB; encode it smaller",
    "cpu": "it needs more than the limit of {cpu_s} CPU seconds to decode",
    "crashed": "it crashes its decoder; the file is damaged: copy or encode it again",
}


@dataclass(frozen=True)
class Probe:
    """What a file holds: its facts, its embedded text and chapters as CUES, and sentences about what was odd."""

    facts: MediaFacts
    cues: pl.DataFrame
    notes: list[str]


@dataclass(frozen=True)
class Decoded:
    """What a decode pass leaves: SHOTS, FRAMES, counts, and sentences about what was odd."""

    shots: pl.DataFrame
    frames: pl.DataFrame
    facts: dict[str, int | float | str]
    notes: list[str]


class DecodePool:
    """Decodes untrusted media in processes of their own. Thread-safe: each call takes a free worker, or waits for one.

    A worker that dies or makes no progress is replaced. The file it had gets one more try in a fresh worker if the
    worker was killed from outside or stalled; whatever happens again, or is the file's own doing, is a TitleError.

    Parameters
    ----------
    workers : int
        Most worker processes; each starts when it is first needed.
    limits : Limits
        What one file may ask for.
    """

    def __init__(self, workers: int = 1, limits: Limits = Limits()) -> None:
        if workers < 1:
            raise UsageError(f"A decode pool needs at least one worker, not {workers}.", workers=workers)
        self._limits = limits
        self._lock = threading.Lock()
        self._running: set[WorkerProcess] = set()
        self._closed = False
        # Last in, first out, with workers not yet started at the bottom: no more processes than are needed at once.
        self._free: queue.LifoQueue[WorkerProcess | None] = queue.LifoQueue()
        for _ in range(workers):
            self._free.put(None)

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of the workers that are running now."""
        with self._lock:
            return sorted(worker.pid for worker in self._running)

    def probe(self, path: Path) -> Probe:
        """Read what a media file holds.

        Raises
        ------
        TitleError
            The file is no film that can be read.
        SystemFault
            No worker can be started, or the file is not there.
        """
        done, _ = self._ask({"do": "probe", "path": str(path.absolute())}, b"", path.name, "media", lambda h, b: None)
        rows = [{"cue_no": number, **row} for number, row in enumerate(done["cues"])]
        return Probe(MediaFacts.from_dict(done["facts"]), pl.DataFrame(rows, schema=CUES), done["notes"])

    def decode(
        self,
        path: Path,
        options: DecodeOptions = DecodeOptions(),
        progress: Callable[[int], None] | None = None,
    ) -> Decoded:
        """Decode a film once: find its shots, keep frames of each.

        Parameters
        ----------
        progress : callable, optional
            Called several times a second with the number of frames decoded so far; it falls back when a file gets a
            second try.

        Raises
        ------
        TitleError
            The file is no film that can be decoded.
        SystemFault
            No worker can be started, or the file is not there.
        """
        request = {"do": "decode", "path": str(path.absolute()), "options": asdict(options)}
        return self._decoded(request, b"", path.name, progress)

    def clip(self, data: bytes, name: str = "the clip", progress: Callable[[int], None] | None = None) -> Decoded:
        """Decode an untrusted clip as a film is decoded, within the limits of clips; no file is made of it.

        Parameters
        ----------
        name : str
            What to call it in messages.
        progress : callable, optional
            Called several times a second with the number of frames decoded so far; what it raises ends the decoding.

        Raises
        ------
        UsageError, TitleError
            Too long or too large, damaged, without a picture, or of no format that is read.
        SystemFault
            No worker can be started.
        """
        # Messages to the worker are UTF-8, and names may be anything.
        name = name.encode(errors="replace").decode()
        if len(data) > self._limits.clip_bytes:
            raise UsageError(
                f"{name!r} has {len(data):,} bytes, more than the limit of {self._limits.clip_bytes:,}.", stage="clip"
            )
        request = {"do": "clip", "path": name, "options": asdict(DecodeOptions())}
        return self._decoded(request, data, name, progress)

    def picture(self, data: bytes) -> NDArray[np.uint8]:
        """Decode an untrusted still picture.

        Returns
        -------
        ndarray, shape (height, width, 3), uint8, RGB
            Upright as its EXIF data says.

        Raises
        ------
        UsageError, TitleError
            Too large, damaged, or of no format that is read.
        """
        if len(data) > self._limits.picture_bytes:
            raise UsageError(
                f"The picture has {len(data):,} bytes, more than the limit of {self._limits.picture_bytes:,}.",
                stage="picture",
            )
        done, pixels = self._ask({"do": "picture"}, data, "the picture", "picture", lambda h, b: None)
        return np.frombuffer(pixels, np.uint8).reshape(int(done["height"]), int(done["width"]), 3)

    def preview(self, path: Path, start_ms: int, end_ms: int) -> bytes:
        """Cut a short part out of a film; see `mediaflow.media.preview.cut`.

        Raises
        ------
        UsageError
            It is longer than the limit.
        TitleError
            The film has no picture there, or cannot be decoded.
        SystemFault
            No worker can be started, or the file is not there.
        """
        if not 0 < end_ms - start_ms <= self._limits.preview_ms:
            raise UsageError(
                f"A preview has at most {self._limits.preview_ms} ms, not {end_ms - start_ms}.", stage="preview"
            )
        request = {"do": "preview", "path": str(path.absolute()), "start_ms": start_ms, "end_ms": end_ms}
        _, film = self._ask(request, b"", path.name, "preview", lambda h, b: None)
        return film

    def close(self) -> None:
        """End all workers; requests under way fail with a UsageError."""
        with self._lock:
            self._closed = True
            running, self._running = self._running, set()
        for worker in running:
            worker.kill()
        for _ in range(self._free.qsize()):
            idle = self._free.get()
            if idle:
                idle.close()
            # Whoever still waits is woken, and told that the pool is closed.
            self._free.put(None)

    def __enter__(self) -> DecodePool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _decoded(
        self, request: dict[str, Any], body: bytes, name: str, progress: Callable[[int], None] | None = None
    ) -> Decoded:
        kept: list[dict[str, Any]] = []

        def take(header: dict[str, Any], jpeg: bytes) -> None:
            if "kept" in header:
                kept.append({**header["kept"], "jpeg": jpeg})
            elif progress is not None:
                progress(int(header["progress"]))

        stage = "clip" if request["do"] == "clip" else "frames"
        done, _ = self._ask(request, body, name, stage, take, kept.clear)
        shots, frames = pl.DataFrame(done["shots"], schema=SHOTS), pl.DataFrame(kept, schema=FRAMES)
        return Decoded(shots, frames, done["facts"], done["notes"])

    def _ask(
        self,
        request: dict[str, Any],
        body: bytes,
        name: str,
        stage: str,
        take: Callable[[dict[str, Any], bytes], None],
        again: Callable[[], None] = lambda: None,
    ) -> tuple[dict[str, Any], bytes]:
        for last_try in (False, True):
            if self._closed:
                raise UsageError("The decode pool is closed.", stage=stage)
            try:
                return self._ask_once(request, body, take)
            except WorkerLost as lost:
                if self._closed:
                    raise UsageError("The decode pool was closed in the middle of a request.", stage=stage) from None
                if last_try or lost.how not in ("killed", "stalled"):
                    raise self._blame(name, stage, lost.how) from None
                again()
        raise AssertionError("the second try either answers or raises")

    def _ask_once(
        self, request: dict[str, Any], body: bytes, take: Callable[[dict[str, Any], bytes], None]
    ) -> tuple[dict[str, Any], bytes]:
        worker: WorkerProcess | None = self._free.get()
        try:
            worker = worker or self._started()
            return worker.ask(request, body, take)
        finally:
            if worker is not None and worker.ended:
                with self._lock:
                    self._running.discard(worker)
                worker = None
            self._free.put(worker)

    def _started(self) -> WorkerProcess:
        worker = WorkerProcess(self._limits)
        with self._lock:
            if not self._closed:
                self._running.add(worker)
                return worker
        worker.close()
        raise UsageError("The decode pool was closed.")

    def _blame(self, name: str, stage: str, how: str) -> TitleError:
        limits = self._limits.of(stage)
        what = _LOST[how].format(stall_s=limits.stall_s, memory_mib=limits.memory_bytes // 2**20, cpu_s=limits.cpu_s)
        return TitleError(f"{name!r} cannot be decoded: {what}.", stage=stage, file=name, worker=how)
