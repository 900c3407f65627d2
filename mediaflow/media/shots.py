"""Shot boundaries: what a detector is, the classical one, and shots as rows."""

from __future__ import annotations

import sys
from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


class ShotDetector(Protocol):
    """Finds cuts in a film that is shown to it frame by frame."""

    delay: int
    """Most frames that a cut may be reported after the frame it happened at."""

    def feed(self, frame_no: int, picture: Picture) -> list[int]:
        """Look at the next frame; returns the first frames of new shots found by now, in rising order.

        Parameters
        ----------
        frame_no : int
            0-based index in decode order, one more at each call.
        picture : ndarray, shape (height, width, 3), uint8, BGR
            The small picture; of one size through the film.
        """
        ...

    def close(self) -> list[int]:
        """Return what is left to tell when the film has ended."""
        ...


class ContentShotDetector:
    """The rule of PySceneDetect's content detector: mean change in hue, saturation and value against a threshold.

    Flashes are merged by PySceneDetect's own filter. The change is worked out here, in two calls for the whole
    picture: the original's arithmetic alone costs a quarter of decoding at 480p.

    Parameters
    ----------
    rate : Fraction
        Frames a second, to turn `min_shot_ms` into frames.
    threshold, min_shot_ms
        See `DecodeOptions`.
    """

    def __init__(self, rate: Fraction, threshold: float, min_shot_ms: int) -> None:
        import cv2
        from scenedetect.common import FrameTimecode
        from scenedetect.detector import FlashFilter

        shortest = shortest_shot(rate, min_shot_ms)
        self._cv2, self._timecode = cv2, FrameTimecode
        self._rate = float(min(max(rate, Fraction(1)), Fraction(1000)))
        self._filter = FlashFilter(FlashFilter.Mode.MERGE, shortest)
        self._threshold = threshold
        self._last: Picture | None = None
        self.delay = int(self._filter.max_behind)

    def feed(self, frame_no: int, picture: Picture) -> list[int]:
        """Look at the next frame; see `ShotDetector.feed`."""
        hsv: Picture = np.asarray(self._cv2.cvtColor(picture, self._cv2.COLOR_BGR2HSV), np.uint8)
        change = 0.0 if self._last is None else self._cv2.norm(hsv, self._last, self._cv2.NORM_L1) / hsv.size
        self._last = hsv
        found = self._filter.filter(self._timecode(frame_no, self._rate), change >= self._threshold)
        return [int(cut.frame_num) for cut in found]

    def close(self) -> list[int]:
        """Return nothing: a cut is told at once."""
        return []


def shortest_shot(rate: Fraction, min_shot_ms: int) -> int:
    """Return the fewest frames of a shot."""
    # A wrong rate in the header must not make shots endless: past 120 a second it is not believed.
    return max(2, round(min(rate, Fraction(120)) * min_shot_ms / 1000))


class JointShotDetector:
    """Several detectors over one film; a border that lies too close to an earlier one is the same border.

    Parameters
    ----------
    detectors : sequence of ShotDetector
        Asked in this order.
    shortest : int
        Fewest frames of a shot.
    """

    def __init__(self, detectors: Sequence[ShotDetector], shortest: int) -> None:
        self._detectors = detectors
        self._shortest = shortest
        self._found: list[int] = []
        self._waiting: list[int] = []
        self.delay = max(detector.delay for detector in detectors)

    def feed(self, frame_no: int, picture: Picture) -> list[int]:
        """Look at the next frame; a border is told when no detector can name an earlier one."""
        for detector in self._detectors:
            self._waiting += detector.feed(frame_no, picture)
        return self._ripe(frame_no - self.delay)

    def close(self) -> list[int]:
        """Return what is left when the film has ended."""
        return self._ripe(sys.maxsize)

    def _ripe(self, before: int) -> list[int]:
        ripe = sorted(cut for cut in self._waiting if cut <= before)
        self._waiting = [cut for cut in self._waiting if cut > before]
        told = []
        for cut in ripe:
            if not self._found or cut - self._found[-1] >= self._shortest:
                self._found.append(cut)
                told.append(cut)
        return told


def shot_rows(
    cuts: Sequence[int], times_ms: Sequence[int], end_ms: int, rate: Fraction, timecode: str | None
) -> list[dict[str, Any]]:
    """Turn cuts into rows of SHOTS.

    Parameters
    ----------
    cuts : sequence of int
        First frames of all shots but the first, rising.
    times_ms : sequence of int
        Time of every frame, rising; at least one.
    end_ms : int
        When the last frame ends.
    """
    starts = [0, *cuts[bisect_left(cuts, 1) : bisect_left(cuts, len(times_ms))]]
    ends = [*starts[1:], len(times_ms)]
    return [
        {
            "shot_no": number,
            "start_frame": start,
            "end_frame": end,
            "start_ms": times_ms[start],
            "end_ms": times_ms[end] if end < len(times_ms) else end_ms,
            "fps_num": rate.numerator,
            "fps_den": rate.denominator,
            "start_timecode": timecode,
        }
        for number, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]
