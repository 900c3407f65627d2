"""Kept frames: which frames of a shot stand for it, and how they become JPEG."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import cv2
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from mediaflow.media.shots import Picture
from mediaflow.media.source import rotation_of, upright_size

if TYPE_CHECKING:
    from av.video.frame import VideoFrame

SHORT_SIDE = 512
JPEG_QUALITY = 90
# Decoded frames are held as they are, which costs nothing, up to the size of 1080p at 10 bits.
_LARGEST_HELD = 7 * 2**20
_MOST_BINS = 16
_SAMPLES_A_SECOND = 6
_MARGIN_S = Fraction(2, 5)
_MORE_FRAMES_EVERY_S = 2


@dataclass(frozen=True)
class KeptFrame:
    """One frame that stands for its shot: an upright JPEG with square pixels."""

    shot_no: int
    frame_no: int
    time_ms: int
    width: int
    height: int
    jpeg: bytes


@dataclass(frozen=True)
class _Candidate:
    """A frame that may be kept: as decoded, or already scaled where a decoded one is too large to be held."""

    frame_no: int
    time_ms: int
    sharpness: float
    image: VideoFrame | Picture


def sharpness(picture: Picture) -> float:
    """Return the variance of the Laplacian of the green channel: low where a picture is blurred or empty."""
    edges = cv2.Laplacian(picture[:, :, 1], cv2.CV_16S)
    _, deviation = cv2.meanStdDev(edges)
    return float(deviation[0, 0] ** 2)


class Upright:
    """Turns decoded frames into upright pictures with square pixels, no larger than they are.

    Parameters
    ----------
    aspect : Fraction or None
        Of a pixel, where the stream states it.
    short_side : int
        The most that the short side has, in pixels.
    """

    def __init__(self, aspect: Fraction | None, short_side: int) -> None:
        self._aspect = aspect
        self._short_side = short_side
        self._reformatter = VideoReformatter()

    def picture(self, frame: VideoFrame) -> Picture:
        """Return a decoded frame at the size it is kept: (height, width, 3) BGR."""
        turn = rotation_of(frame)
        width, height = upright_size(frame.width, frame.height, self._aspect, turn)
        scale = min(1.0, self._short_side / min(width, height))
        width, height = max(1, round(width * scale)), max(1, round(height * scale))
        lying = (height, width) if turn in (90, 270) else (width, height)
        smooth = Interpolation.AREA if scale < 1 else Interpolation.BICUBIC
        scaled = self._reformatter.reformat(frame, *lying, format="bgr24", interpolation=smooth, threads=1)
        return np.ascontiguousarray(np.rot90(scaled.to_ndarray(), turn // 90), dtype=np.uint8)


class JpegWriter:
    """Turns decoded frames into upright JPEG with square pixels, short side min(source, 512), quality 90."""

    def __init__(self, aspect: Fraction | None) -> None:
        self.scaled = Upright(aspect, SHORT_SIDE).picture

    def write(self, image: VideoFrame | Picture) -> tuple[int, int, bytes]:
        """Return (width, height, JPEG bytes) of a decoded frame, or of what `scaled` made of it."""
        picture = image if isinstance(image, np.ndarray) else self.scaled(image)
        height, width = picture.shape[:2]
        done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        if not done:
            raise ValueError(f"no JPEG can be made of a picture of {width} x {height}")
        return width, height, jpeg.tobytes()


class FrameKeeper:
    """Picks one to three sharp frames of each shot while the film passes by, holding few decoded frames.

    Samples of a shot are held in bins; the sharpest of a bin stays. When there are too many bins, neighbours are
    joined, so memory is bounded and the bins stay spread over the shot however long it gets.

    Parameters
    ----------
    rate : Fraction
        Frames a second.
    delay : int
        How many frames late a cut may be reported: younger samples wait, since they may belong to the next shot.
    frames_per_shot : int
        Most frames kept of a shot.
    """

    def __init__(self, writer: JpegWriter, rate: Fraction, delay: int, frames_per_shot: int) -> None:
        self.step = max(1, round(min(rate, Fraction(120)) / _SAMPLES_A_SECOND))
        self._writer = writer
        self._rate = rate
        self._delay = delay
        self._most = frames_per_shot
        self._waiting: deque[_Candidate] = deque()
        self._bins: list[_Candidate] = []
        self._in_last_bin = 0
        self._bin_size = 1
        self._shot_no = 0
        self._start = 0

    def offer(self, frame_no: int, time_ms: int, frame: VideoFrame, picture: Picture) -> None:
        """Take a frame as a candidate; called for every `step`-th frame, in order."""
        if self._waiting and self._waiting[-1].frame_no == frame_no:
            return
        held = sum(plane.buffer_size for plane in frame.planes)
        image = frame if held <= _LARGEST_HELD else self._writer.scaled(frame)
        self._waiting.append(_Candidate(frame_no, time_ms, sharpness(picture), image))
        while self._waiting and self._waiting[0].frame_no < frame_no - self._delay:
            self._hold(self._waiting.popleft())

    def close(self, end: int) -> Iterator[KeptFrame]:
        """End the current shot before frame `end`; yields what is kept of it."""
        while self._waiting and self._waiting[0].frame_no < end:
            self._hold(self._waiting.popleft())
        for chosen in self._chosen(end):
            width, height, jpeg = self._writer.write(chosen.image)
            yield KeptFrame(self._shot_no, chosen.frame_no, chosen.time_ms, width, height, jpeg)
        self._bins, self._in_last_bin, self._bin_size = [], 0, 1
        self._shot_no, self._start = self._shot_no + 1, end

    def _hold(self, candidate: _Candidate) -> None:
        if self._bins and self._in_last_bin < self._bin_size:
            self._bins[-1] = _sharper(self._bins[-1], candidate)
            self._in_last_bin += 1
        else:
            self._bins.append(candidate)
            self._in_last_bin = 1
        if len(self._bins) > _MOST_BINS:
            pairs = zip(self._bins[::2], self._bins[1::2], strict=False)
            odd = self._bins[-1:] if len(self._bins) % 2 else []
            self._bins = [_sharper(a, b) for a, b in pairs] + odd
            self._in_last_bin += 0 if odd else self._bin_size
            self._bin_size *= 2

    def _chosen(self, end: int) -> list[_Candidate]:
        """Choose the sharpest in each of one to three equal parts, away from the shot's edges (dissolves)."""
        length = end - self._start
        margin = min(Fraction(length, 6), self._rate * _MARGIN_S)
        first, last = self._start + margin, end - margin
        inner = [c for c in self._bins if first <= c.frame_no < last]
        if not inner:
            middle = self._start + length / 2
            return sorted(self._bins, key=lambda c: abs(c.frame_no - middle))[:1]
        count = min(self._most, 1 + int(length / self._rate / _MORE_FRAMES_EVERY_S))
        parts: dict[int, _Candidate] = {}
        for candidate in inner:
            part = int((candidate.frame_no - first) * count / (last - first))
            parts[part] = _sharper(parts[part], candidate) if part in parts else candidate
        return [parts[part] for part in sorted(parts)]


def _sharper(one: _Candidate, other: _Candidate) -> _Candidate:
    return other if other.sharpness > one.sharpness else one
