"""The one decode pass: small pictures for the detector, cuts, and the frames that are kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av.error
import cv2
from av.video.reformatter import Interpolation, VideoReformatter

from mediaflow.media.dissolves import DissolveDetector
from mediaflow.media.frames import FrameKeeper, JpegWriter, KeptFrame
from mediaflow.media.options import DecodeOptions, Limits
from mediaflow.media.probe import frame_rate, start_timecode
from mediaflow.media.shots import ContentShotDetector, JointShotDetector, Picture, shortest_shot, shot_rows
from mediaflow.media.source import (
    SLACK_S,
    check_pixels,
    half_up_ms,
    length,
    opened,
    picture_stream,
    start_of,
    title_error,
    too_large,
    unreadable,
)

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

STAGE = "frames"
_SMALL_WIDTH = 96
_PROGRESS_EVERY_S = 0.25
_LONGEST_FRAME_S = 10


@dataclass
class Pass:
    """What a decode pass leaves beside the kept frames: rows of SHOTS, facts, and sentences about what was odd."""

    shots: list[dict[str, Any]]
    facts: dict[str, int | float | str]
    notes: list[str]


@dataclass
class _Health:
    """How much of a file could be decoded."""

    frames: int = 0
    failed: int = 0
    corrupt: int = 0
    ends_early: str | None = None


class Clock:
    """Times of frames in ms from the container's start: rising, and going on where a frame states none.

    Reckons in whole ticks of the stream's time base: exact, and cheaper than fractions at every frame.
    """

    def __init__(self, start: Fraction | None, base: Fraction, step: Fraction) -> None:
        self.times_ms: list[int] = []
        self._start = start
        self._base = base
        self._step = max(1, round(step / base))
        self._last = 0
        self._set_origin(start or Fraction(0))

    def tick(self, frame: VideoFrame) -> int:
        """Note the next frame; returns its time in ms."""
        if self._start is None:
            self._start = (frame.pts or 0) * self._base
            self._set_origin(self._start)
        if frame.pts is not None:
            self._last = frame.pts
        else:
            self._last += self._step if self.times_ms else 0
        # Before the start (an edit list cuts in) and backwards (a broken clock) there is no time.
        self.times_ms.append(max(self._ms(self._last), self.times_ms[-1] if self.times_ms else 0))
        return self.times_ms[-1]

    def end_ms(self, last: VideoFrame) -> int:
        """Return when the last frame ends."""
        lasts = last.duration or self._step
        # Containers round durations down to their ticks; a frame that lasts for ever is a mistake.
        if abs(lasts - self._step) <= 1 or lasts * self._base > _LONGEST_FRAME_S:
            lasts = self._step
        return max(self.times_ms[-1] + 1, self._ms(self._last + lasts))

    def _set_origin(self, start: Fraction) -> None:
        # floor(1000 (ticks base - start) + 1/2) as one whole-number division.
        slope, offset = 1000 * self._base, Fraction(1, 2) - 1000 * start
        self._divisor = math.lcm(slope.denominator, offset.denominator)
        self._slope, self._offset = int(slope * self._divisor), int(offset * self._divisor)

    def _ms(self, ticks: int) -> int:
        return (ticks * self._slope + self._offset) // self._divisor


def decode_file(
    path: Path,
    options: DecodeOptions,
    limits: Limits,
    keep: Callable[[KeptFrame], None],
    progress: Callable[[int], None],
    data: bytes | None = None,
) -> Pass:
    """Decode a film once, with one decoder thread.

    Parameters
    ----------
    path : Path
        A local file; with `data` only its name.
    keep : callable
        Called with each kept frame as soon as its shot has ended.
    progress : callable
        Called with the number of frames decoded, several times a second.
    data : bytes, optional
        What is in the file, where there is none.

    Raises
    ------
    TitleError
        No picture, past a limit, or damaged all over: more packets or frames damaged than frames decoded well.
    """
    cv2.setNumThreads(1)
    try:
        with opened(path, STAGE, limits, data) as container:
            stream = picture_stream(container, path, STAGE, limits)
            return _Decoding(path, container, stream, options, limits).run(keep, progress)
    except MemoryError:
        raise too_large(path, STAGE) from None


class _Decoding:
    def __init__(
        self, path: Path, container: InputContainer, stream: VideoStream, options: DecodeOptions, limits: Limits
    ) -> None:
        self.path, self.container, self.stream, self.limits = path, container, stream, limits
        self.rate = frame_rate(stream)
        self.health = _Health()
        self.clock = Clock(start_of(container), stream.time_base or Fraction(1, 1000), 1 / self.rate)
        cuts = ContentShotDetector(self.rate, options.threshold, options.min_shot_ms)
        self.shortest = shortest_shot(self.rate, options.min_shot_ms)
        self.detector = JointShotDetector([cuts, DissolveDetector(self.rate)], self.shortest)
        aspect = stream.sample_aspect_ratio
        self.keeper = FrameKeeper(JpegWriter(aspect), self.rate, self.detector.delay, options.frames_per_shot)
        self.cuts: list[int] = []
        self.kept = self.kept_bytes = 0
        self._scaler = VideoReformatter()
        self._small: tuple[int, int] | None = None

    def run(self, keep: Callable[[KeptFrame], None], progress: Callable[[int], None]) -> Pass:
        last: VideoFrame | None = None
        for frame in self.frames(progress):
            self.look(frame, keep)
            last = frame
        self.judge()
        if last is None:
            raise title_error(self.path, STAGE, "has no picture: not one frame of its video can be decoded.")
        latest = self.health.frames - self.shortest
        self.end_shots([cut for cut in self.detector.close() if cut <= latest], keep)
        self.hand(self.keeper.close(self.health.frames), keep)
        end_ms = self.clock.end_ms(last)
        rows = shot_rows(self.cuts, self.clock.times_ms, end_ms, self.rate, start_timecode(self.container, self.stream))
        facts: dict[str, int | float | str] = {
            "frames": self.health.frames,
            "shots": len(rows),
            "kept": self.kept,
            "damaged": self.health.failed + self.health.corrupt,
            "end_ms": end_ms,
        }
        return Pass(rows, facts, self.notes(end_ms))

    def frames(self, progress: Callable[[int], None]) -> Iterator[VideoFrame]:
        """Decode packet by packet, so that one damaged packet costs its own frames and no more."""
        told = 0.0
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError as bad:
                self.health.ends_early = bad.strerror or type(bad).__name__
                packet = None
            if packet is None:
                return
            try:
                decoded = packet.decode()
            except av.error.FFmpegError as bad:
                self.fail(bad)
                decoded = []
            yield from decoded
            if (now := time.monotonic()) - told > _PROGRESS_EVERY_S:
                told = now
                progress(self.health.frames)

    def fail(self, bad: av.error.FFmpegError) -> None:
        if isinstance(bad, MemoryError) or bad.errno == 12:
            raise too_large(self.path, STAGE)
        self.health.failed += 1
        if self.health.failed > 1000 + self.health.frames:
            raise unreadable(self.path, STAGE, bad)

    def look(self, frame: VideoFrame, keep: Callable[[KeptFrame], None]) -> None:
        number = self.health.frames
        self.health.frames += 1
        self.health.corrupt += frame.is_corrupt
        time_ms = self.clock.tick(frame)
        self.check_limits(frame, time_ms)
        picture = self.small(frame)
        found = self.detector.feed(number, picture)
        if number % self.keeper.step == 0:
            self.keeper.offer(number, time_ms, frame, picture)
        self.end_shots(found, keep)

    def end_shots(self, found: list[int], keep: Callable[[KeptFrame], None]) -> None:
        for cut in found:
            if cut > (self.cuts[-1] if self.cuts else 0):
                self.cuts.append(cut)
                self.hand(self.keeper.close(cut), keep)

    def check_limits(self, frame: VideoFrame, time_ms: int) -> None:
        check_pixels(frame.width, frame.height, self.path, STAGE, self.limits)
        longest_ms = (self.limits.duration_s + SLACK_S) * 1000
        if self.health.frames > self.limits.frames or time_ms > longest_ms:
            raise title_error(self.path, STAGE, f"is longer than the limit of {length(self.limits.duration_s)}.")

    def small(self, frame: VideoFrame) -> Picture:
        if self._small is None:
            self._small = (_SMALL_WIDTH, max(16, min(512, round(_SMALL_WIDTH * frame.height / frame.width))))
        scaled = self._scaler.reformat(
            frame, *self._small, format="bgr24", interpolation=Interpolation.FAST_BILINEAR, threads=1
        )
        return scaled.to_ndarray()  # type: ignore[return-value]

    def hand(self, kept: Iterator[KeptFrame], keep: Callable[[KeptFrame], None]) -> None:
        for frame in kept:
            self.kept += 1
            self.kept_bytes += len(frame.jpeg)
            if self.kept_bytes > self.limits.kept_bytes:
                raise title_error(self.path, STAGE, "cuts so often that its kept frames pass the limit on their size.")
            keep(frame)

    def judge(self) -> None:
        damaged = self.health.failed + self.health.corrupt
        if self.health.frames and damaged > self.health.frames - self.health.corrupt:
            raise title_error(
                self.path,
                STAGE,
                f"is damaged all over: {damaged} errors in {self.health.frames} frames; copy or encode it again.",
            )

    def notes(self, end_ms: int) -> list[str]:
        notes: list[str] = []
        if damaged := self.health.failed + self.health.corrupt:
            notes.append(f"{damaged} damaged places in {self.health.frames} frames; decoded around them")
        stated = self.stream.duration and self.stream.time_base and self.stream.duration * self.stream.time_base
        stated_ms = half_up_ms(Fraction(stated)) if stated else 0
        if self.health.ends_early:
            notes.append(f"reading stopped at {end_ms} ms ({self.health.ends_early}); the file may be cut off")
        elif stated_ms > end_ms + 1000:
            notes.append(f"the video ends at {end_ms} ms of the {stated_ms} ms it states; the file may be cut off")
        return notes
