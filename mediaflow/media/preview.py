"""A short part of a film as a small MP4 that browsers play: H.264 with AAC sound, its index before its pictures."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import av.error
import cv2
from av.audio.resampler import AudioResampler
from av.video.frame import VideoFrame

from mediaflow.media.decode import Clock
from mediaflow.media.frames import Upright
from mediaflow.media.options import Limits
from mediaflow.media.probe import frame_rate
from mediaflow.media.shots import Picture
from mediaflow.media.source import check_pixels, half_up_ms, opened, picture_stream, start_of, title_error, too_large

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet

STAGE = "preview"
SHORT_SIDE = 270
MOST_FPS = 30
_SOUND_RATE = 48_000
_SAMPLES = 1024
# Room for the index of ten seconds: some 40 bytes for each of 300 pictures and 470 pieces of sound.
_INDEX_BYTES = 49_152
_H264 = {"preset": "veryfast", "crf": "26", "maxrate": "1500k", "bufsize": "3000k", "profile": "main", "threads": "1"}
_SOUND_BITS = 96_000
# A container may lead to the middle of a group of pictures: then from before the one before, then from the beginning.
_EARLIER_MS: tuple[int | None, ...] = (0, 10_000, None)
_LATE_MS = 500
# Sound may stand so many packets behind the picture that it belongs to.
_BEHIND = 500
_PROGRESS_EVERY_S = 0.25


class _Late(Exception):
    """The first picture that could be decoded comes after the part that is wanted has begun."""


def cut(path: Path, start_ms: int, end_ms: int, limits: Limits, progress: Callable[[int], None]) -> bytes:
    """Cut a part out of a film.

    Parameters
    ----------
    path : Path
        A local file.
    start_ms, end_ms : int
        The part, half-open, from the container's start, as all times of a film are counted.
    progress : callable
        Called with the number of pictures decoded, several times a second.

    Returns
    -------
    bytes
        MP4; upright, with square pixels, short side min(source, 270), at most 30 pictures a second.

    Raises
    ------
    TitleError
        No picture there, past a limit, or damaged.
    """
    try:
        for earlier_ms in _EARLIER_MS:
            try:
                with opened(path, STAGE, limits) as container:
                    return _Cutting(path, container, limits, start_ms, end_ms).run(earlier_ms, progress)
            except _Late:
                continue
    except MemoryError:
        raise too_large(path, STAGE) from None
    raise title_error(path, STAGE, f"has no picture from {start_ms} to {end_ms} ms that can be decoded.")


class _Cutting:
    """One try, from one place of the file on."""

    def __init__(self, path: Path, container: InputContainer, limits: Limits, start_ms: int, end_ms: int) -> None:
        self.path, self.container, self.limits = path, container, limits
        self.start_ms, self.end_ms = start_ms, end_ms
        self.stream = picture_stream(container, path, STAGE, limits)
        self.sound = _sound_stream(container)
        self.start = start_of(container)
        rate = frame_rate(self.stream)
        self.clock = Clock(self.start, self.stream.time_base or Fraction(1, 1000), 1 / rate)
        self.upright = Upright(self.stream.sample_aspect_ratio, SHORT_SIDE)
        self.rate = min(rate, Fraction(MOST_FPS))
        self.film: _Film | None = None
        # Sound that comes before the first picture.
        self.heard: list[tuple[AudioFrame, int]] = []
        self.due_ms = Fraction(start_ms)
        self.early = False

    def run(self, earlier_ms: int | None, progress: Callable[[int], None]) -> bytes:
        if earlier_ms is not None:
            self.early = self.seek(self.start_ms - earlier_ms)
        told, decoded, behind = 0.0, 0, 0
        pictures = True
        for packet in self.packets():
            if packet.stream.index == self.stream.index:
                for frame in _decoded(packet):
                    decoded += 1
                    pictures = self.look(frame) and pictures
            else:
                for one in _decoded(packet):
                    self.listen(one)
            if not pictures:
                behind += 1
                if self.sound is None or behind > _BEHIND or (self.film and self.film.sound_ms >= self.length_ms):
                    break
            if (now := time.monotonic()) - told > _PROGRESS_EVERY_S:
                told = now
                progress(decoded)
        if self.film is None:
            raise _Late
        return self.film.close()

    @property
    def length_ms(self) -> int:
        return self.end_ms - self.start_ms

    def seek(self, time_ms: int) -> bool:
        """Go to the last place before a time from which can be decoded; say whether that is not the beginning."""
        if time_ms <= 0 or self.start is None or not self.stream.time_base:
            return False
        there = (self.start + Fraction(time_ms, 1000)) / self.stream.time_base
        try:
            self.container.seek(int(there), stream=self.stream)
        except (av.error.FFmpegError, OSError):
            raise _Late from None
        return True

    def packets(self) -> Iterator[Packet[Any]]:
        """Yield packets of picture and sound until the file ends or cannot be read on."""
        streams = [self.stream, self.sound] if self.sound else [self.stream]
        found = self.container.demux(*streams)
        while True:
            try:
                yield next(found)
            except (StopIteration, av.error.FFmpegError):
                return

    def look(self, frame: VideoFrame) -> bool:
        """Take a picture where it is wanted; say whether later ones may be."""
        check_pixels(frame.width, frame.height, self.path, STAGE, self.limits)
        if self.early and frame.pts is None and not self.clock.times_ms:
            # Where in the film this is nothing says; a later picture, or the way from the beginning, does.
            return True
        time_ms = self.clock.tick(frame)
        if frame.is_corrupt and self.film is None:
            return True
        if self.early and self.film is None and time_ms > self.start_ms + _LATE_MS:
            raise _Late
        if time_ms >= self.end_ms:
            return False
        # Times are rounded to a millisecond.
        if time_ms >= self.due_ms - 1:
            self.due_ms = max(self.due_ms + 1000 / self.rate, time_ms + 500 / self.rate)
            picture = self.upright.picture(frame)
            if self.film is None:
                self.film = _Film(picture, self.rate, self.sound is not None)
                for one, heard_ms in self.heard:
                    self.film.say(one, heard_ms)
            self.film.show(picture, time_ms - self.start_ms)
        return True

    def listen(self, frame: AudioFrame) -> None:
        if frame.pts is None or frame.time_base is None:
            return
        time_ms = half_up_ms(frame.pts * frame.time_base - (self.start or 0))
        if not self.start_ms <= time_ms < self.end_ms:
            return
        if self.film:
            self.film.say(frame, time_ms - self.start_ms)
        elif len(self.heard) < _BEHIND:
            self.heard.append((frame, time_ms - self.start_ms))


class _Film:
    """The MP4 that is written."""

    def __init__(self, first: Picture, rate: Fraction, sound: bool) -> None:
        self._packed = io.BytesIO()
        self._container = av.open(self._packed, "w", format="mp4", options={"moov_size": str(_INDEX_BYTES)})
        height, width = first.shape[:2]
        # Colours are written for two pixels by two.
        self._size = max(2, width // 2 * 2), max(2, height // 2 * 2)
        self._video = self._container.add_stream("libx264", rate=rate, options=_H264)
        self._video.width, self._video.height = self._size
        self._video.pix_fmt = "yuv420p"
        self._video.codec_context.time_base = Fraction(1, 1000)
        self._sound = self._container.add_stream("aac", rate=_SOUND_RATE, layout="stereo") if sound else None
        if self._sound:
            self._sound.bit_rate = _SOUND_BITS
        self._resampler = AudioResampler("fltp", "stereo", _SOUND_RATE, _SAMPLES)
        self.sound_ms = 0

    def show(self, picture: Picture, time_ms: int) -> None:
        if (picture.shape[1], picture.shape[0]) != self._size:
            picture = cv2.resize(picture, self._size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        frame = VideoFrame.from_ndarray(picture, format="bgr24")
        frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
        self._container.mux(self._video.encode(frame))

    def say(self, frame: AudioFrame, time_ms: int) -> None:
        assert self._sound is not None and frame.time_base is not None
        frame.pts = int(Fraction(time_ms, 1000) / frame.time_base)
        self.sound_ms = time_ms + 1000 * frame.samples // max(1, frame.sample_rate)
        for one in self._resampler.resample(frame):
            self._container.mux(self._sound.encode(one))

    def close(self) -> bytes:
        if self._sound and self.sound_ms:
            for one in self._resampler.resample(None):
                self._container.mux(self._sound.encode(one))
        self._container.mux(self._video.encode())
        if self._sound:
            self._container.mux(self._sound.encode())
        self._container.close()
        return self._packed.getvalue()


def _sound_stream(container: InputContainer) -> AudioStream | None:
    """Return the first stream of sound that can be decoded, set up to decode with one thread."""
    for stream in container.streams.audio:
        if stream.codec_context is not None:
            stream.codec_context.thread_count = 1
            return stream
    return None


def _decoded(packet: Packet[Any]) -> list[Any]:
    """Return what a packet holds; nothing where it is damaged."""
    try:
        return list(packet.decode())
    except av.error.FFmpegError as bad:
        if isinstance(bad, MemoryError) or bad.errno == 12:
            raise MemoryError from None
        return []
