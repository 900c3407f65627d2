"""Dissolves and fades: found where the middle of a stretch of film is the average of its two ends."""

from __future__ import annotations

from collections import deque
from fractions import Fraction

import numpy as np

from mediaflow.media.shots import Picture

_SIZE = (32, 18)
_HALF_S = Fraction(1, 4)
# Mean difference (0 to 255) between the ends, below which nothing much has changed.
_LEAST_CHANGE = 27.0
# In a linear mix the middle is the average of the ends; moving things leave far more than this share of the change.
_MOST_RESIDUE = 0.18
# One step that makes up this share of the whole change is a cut, not a dissolve.
_LARGEST_STEP = 0.35
# A longer one is reported after this time, and not again before it is over.
_LONGEST_S = Fraction(3, 2)


class DissolveDetector:
    """Finds gradual transitions: a stretch of half a second that changes much, evenly, and by mixing its two ends.

    With pictures a, m, b at the start, middle and end of the stretch, a mix has m = (a + b) / 2, so that
    |m - (a + b) / 2| is small against |b - a|, whatever the two shots are. The border is put into the middle of all
    the stretches that look so.

    Parameters
    ----------
    rate : Fraction
        Frames a second.
    """

    def __init__(self, rate: Fraction) -> None:
        import cv2

        self._cv2 = cv2
        believed = min(max(rate, Fraction(8)), Fraction(120))
        self._half = max(2, round(believed * _HALF_S))
        self._longest = round(believed * _LONGEST_S)
        self._pictures: deque[Picture] = deque(maxlen=2 * self._half + 1)
        self._steps: deque[float] = deque(maxlen=2 * self._half)
        self._first = self._last = -1
        self._told = False
        self.delay = self._longest + 2 * self._half

    def feed(self, frame_no: int, picture: Picture) -> list[int]:
        """Look at the next frame; see `ShotDetector.feed`."""
        tiny: Picture = np.asarray(self._cv2.resize(picture, _SIZE, interpolation=self._cv2.INTER_AREA), np.uint8)
        if self._pictures:
            self._steps.append(self._distance(tiny, self._pictures[-1]))
        self._pictures.append(tiny)
        middle = frame_no - self._half
        found = []
        over = middle - self._last > self._half
        if self._first >= 0 and not self._told and (over or middle - self._first >= self._longest):
            found = [(self._first + self._last) // 2 + 1]
            self._told = True
        if over:
            self._first, self._told = -1, False
        if len(self._pictures) == self._pictures.maxlen and self._mixes():
            self._first = middle if self._first < 0 else self._first
            self._last = middle
        return found

    def close(self) -> list[int]:
        """Return the border of a transition that the film ends in."""
        return [(self._first + self._last) // 2 + 1] if self._first >= 0 and not self._told else []

    def _mixes(self) -> bool:
        start, middle, end = self._pictures[0], self._pictures[self._half], self._pictures[-1]
        change = self._distance(start, end)
        if change < _LEAST_CHANGE or max(self._steps) > _LARGEST_STEP * change:
            return False
        average: Picture = np.asarray(self._cv2.addWeighted(start, 0.5, end, 0.5, 0), np.uint8)
        return self._distance(middle, average) < _MOST_RESIDUE * change

    def _distance(self, one: Picture, other: Picture) -> float:
        return float(self._cv2.norm(one, other, self._cv2.NORM_L1)) / one.size
