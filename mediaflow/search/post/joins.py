"""Pairs of time ranges that stand in a relation to each other, title by title: found by sorted sweeps, never buckets.

A range is half-open; one without length stands for its instant. That two ranges overlap means that one of them begins
within the other; the ranges that begin within another one lie beside each other once all are sorted by their begin.
So every relation is one or two sorted look-ups, and costs what sorting costs and what is found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias, get_args

import numpy as np
from numpy.typing import NDArray

from mediaflow.errors import UsageError
from mediaflow.search.query import Relation

if TYPE_CHECKING:
    import polars as pl

RELATIONS: tuple[Relation, ...] = get_args(Relation)

Indices: TypeAlias = NDArray[np.int64]

# Times beyond 34 years either way count as that: title and time fit into one number.
_MOST_MS = 2**40


@dataclass(frozen=True)
class _Ranges:
    """Ranges on one line, those of each title beyond those of the title before, sorted by their begin.

    `row` holds their places in the frame that they come from.
    """

    start: Indices
    end: Indices
    row: Indices

    @classmethod
    def of(cls, frame: pl.DataFrame, titles: Indices, spread: int) -> _Ranges:
        start, end = _times(frame)
        base = titles * spread
        row = np.argsort(base + start)
        return cls((base + start)[row], (base + end)[row], row)


def pairs(left: pl.DataFrame, right: pl.DataFrame, relation: Relation, most_ms: int = 0) -> tuple[Indices, Indices]:
    """Return the pairs of rows of which the left stands in `relation` to the right, both in the same title.

    Parameters
    ----------
    left, right : pl.DataFrame
        title_no, start_ms, end_ms; in any order.
    relation : Relation
        `overlap`: they share an instant. `within`: between them lie at most `most_ms`. `before`: the left ends at
        most `most_ms` before the right begins, and not after that. `after`: the other way round. `during`: no instant
        of the left is outside of the right.
    most_ms : int
        For `within`, `before` and `after`; 0 means that they touch (`before`, `after`) or overlap or touch (`within`).

    Returns
    -------
    (left_rows, right_rows) : two arrays of int64
        Places of rows in the frames, ordered by the left's and then by the right's place.

    Raises
    ------
    UsageError
        There is no such relation, or `most_ms` is negative.
    """
    if relation not in RELATIONS:
        raise UsageError(f"There is no relation {relation!r}; there are {', '.join(RELATIONS)}.", relation=relation)
    if most_ms < 0:
        raise UsageError(f"A distance in time must not be negative: {most_ms} ms.", most_ms=most_ms)
    most_ms = min(int(most_ms), _MOST_MS)
    one, other = _on_one_line(left, right, most_ms)
    if relation == "before":
        found = _starting(other.start, one.end, one.end + most_ms + 1)
    elif relation == "after":
        found = _starting(one.start, other.end, other.end + most_ms + 1)[::-1]
    elif relation == "during":
        inner, outer = _starting(one.start, other.start, other.end)[::-1]
        whole = one.end[inner] <= other.end[outer]
        found = inner[whole], outer[whole]
    else:
        # `within` is an overlap of the left, made longer at both ends, with the right; touching is within 0.
        wider = most_ms + 1 if relation == "within" else 0
        first, last = one.start - wider, one.end + wider
        # The right begins in the left, or the left begins in the right after the right has begun.
        begins = _starting(other.start, first, last)
        held = _starting(first, other.start + 1, other.end)[::-1]
        found = np.concatenate([begins[0], held[0]]), np.concatenate([begins[1], held[1]])
    rows = one.row[found[0]], other.row[found[1]]
    order = np.lexsort((rows[1], rows[0]))
    return rows[0][order], rows[1][order]


def _on_one_line(left: pl.DataFrame, right: pl.DataFrame, most_ms: int) -> tuple[_Ranges, _Ranges]:
    """Lay out the ranges of both frames, with more between those of two titles than any distance that is asked for."""
    titles = [frame["title_no"].to_numpy().astype(np.int64) for frame in (left, right)]
    both = np.concatenate(titles)
    times = [time for frame in (left, right) for time in _times(frame)]
    spread = int(max(map(_highest, times)) - min(map(_lowest, times))) + 2 * most_ms + 4
    if (_highest(both) - _lowest(both) + 2) * spread >= 2**62:
        both = np.unique(both, return_inverse=True)[1]
    both = both - _lowest(both)
    return _Ranges.of(left, both[: len(left)], spread), _Ranges.of(right, both[len(left) :], spread)


def _times(frame: pl.DataFrame) -> tuple[Indices, Indices]:
    start, end = (np.clip(frame[name].to_numpy(), -_MOST_MS, _MOST_MS) for name in ("start_ms", "end_ms"))
    return start, np.maximum(end, start + 1)


def _highest(values: Indices) -> int:
    return int(values.max(initial=-_MOST_MS))


def _lowest(values: Indices) -> int:
    return int(values.min(initial=_MOST_MS))


def _starting(starts: Indices, first: Indices, end: Indices) -> tuple[Indices, Indices]:
    """Return for each window [first, end) its place, once for every one of the sorted `starts` in it, and its place."""
    low, high = np.searchsorted(starts, first), np.searchsorted(starts, end)
    counts = np.maximum(high - low, 0)
    windows = np.repeat(np.arange(len(first)), counts)
    # Within each window: its lowest place, and one more each time.
    steps = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return windows, np.repeat(low, counts) + steps
