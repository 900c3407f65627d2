"""Several ranked lists of time ranges become one: reciprocal rank fusion, instant by instant.

Reciprocal rank fusion (Cormack, Clarke and Büttcher, "Reciprocal rank fusion outperforms Condorcet and individual
rank learning methods", SIGIR 2009) scores a document d with the sum over all lists of 1 / (k + rank(d)), k = 60.
Here the documents are the instants of a title: an instant's rank in a list is the best rank among the list's ranges
that cover it. A hit is the longest range around the best instant over which the best ranges stay the same; so where
a cue and a shot overlap, the hit is the time that they share.

Hits of a title never overlap, and each brings something that no earlier hit of the title had. A range is used up by
the first hit that covers a quarter of it or more: a cue that runs on into the next shot is not told twice, and
translations of one line are sources of one hit. A longer range (a scene around many cues) lends its rank to each.
"""

from __future__ import annotations

import heapq
import itertools
import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mediaflow.search.post.moments import MOMENTS

CONSTANT = 60
"""k of the formula: how much the first ranks stand out."""

_USED_UP = 4
# Title and time fit into one number: 34 years, 4 million titles.
_TIME_BITS = 40


@dataclass(frozen=True, order=True)
class Ranked:
    """One range of one list: `[start_ms, end_ms)`, its rank there (1 is best, equal scores share it), its row."""

    rank: int
    start_ms: int
    end_ms: int
    row: int
    list_no: int
    weight: float = 1.0

    @property
    def gain(self) -> float:
        """What it adds to the score of the instants that it covers."""
        return self.weight / (CONSTANT + self.rank)


@dataclass(frozen=True)
class Fused:
    """A hit: a range of a title, its score, and the ranges that it comes from, best rank first."""

    title_no: int
    start_ms: int
    end_ms: int
    score: float
    sources: tuple[Ranked, ...]


def fused(lists: Sequence[pl.DataFrame], weights: Sequence[float]) -> pl.DataFrame:
    """Fuse ranked lists; ranges that overlap no other, most of them, are hits as they are.

    Parameters
    ----------
    lists : sequence of pl.DataFrame
        MOMENTS each.
    weights : sequence of float
        By list: how many times as much it counts.

    Returns
    -------
    pl.DataFrame
        MOMENTS, best first; equal scores in the order of title number and time.
    """
    rows = lists[0] if len(lists) == 1 else pl.concat(lists)
    if not len(rows):
        return rows
    ranks = np.concatenate([_ranks(one["score"].to_numpy()) for one in lists])
    list_no = np.repeat(np.arange(len(lists)), [len(one) for one in lists])
    gains = np.asarray(weights, float)[list_no] / (CONSTANT + ranks)
    last = np.maximum(rows["end_ms"].to_numpy(), rows["start_ms"].to_numpy() + 1)
    alone = _alone(rows["title_no"].to_numpy(), rows["start_ms"].to_numpy(), last)
    scored = rows.with_columns(pl.Series("end_ms", last), pl.Series("score", gains))
    if alone.all():
        moments = scored
        if (gains[1:] < gains[:-1]).all():
            return moments
    else:
        place = np.arange(len(rows)) - np.concatenate([[0], np.cumsum([len(one) for one in lists])])[list_no]
        several = pl.DataFrame({"rank": ranks, "place": place, "list_no": list_no}).with_columns(
            pl.Series("weight", np.asarray(weights, float)[list_no])
        )
        crowd = pl.concat([scored, several], how="horizontal").filter(~alone)
        moments = pl.concat([scored.filter(alone), _together(crowd)])
    return moments.sort("score", "title_no", "start_ms", descending=[True, False, False])


def _ranks(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rank of each score: 1 is the highest, equal ones share the best of theirs."""
    return np.searchsorted(np.sort(-scores), -scores) + 1


def _alone(title_no: NDArray[np.int32], start_ms: NDArray[np.int64], end_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Say of each range whether it overlaps no other of its title."""
    order = np.lexsort((start_ms, title_no))
    base = title_no[order].astype(np.int64) << _TIME_BITS
    # A range that begins where all before it have ended begins a part of its own.
    apart = np.ones(len(order) + 1, bool)
    apart[1:-1] = base[1:] + start_ms[order][1:] >= np.maximum.accumulate(base + end_ms[order])[:-1]
    alone = np.empty(len(order), bool)
    alone[order] = apart[:-1] & apart[1:]
    return alone


def _together(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the moments of ranges that overlap others: MOMENTS, with rank, list_no, place in it, and weight."""
    by_title: dict[int, list[Ranked]] = {}
    columns = [rows[name] for name in ("title_no", "rank", "start_ms", "end_ms", "place", "list_no", "weight")]
    for title_no, *one in zip(*columns, strict=True):
        by_title.setdefault(title_no, []).append(Ranked(*one))
    hits = [hit for title_no, ranges in by_title.items() for hit in hits_of(title_no, ranges)]
    numbers = dict(zip(zip(rows["list_no"], rows["place"], strict=True), rows["sources"].to_list(), strict=True))
    sources = [[numbers[one.list_no, one.row] for one in hit.sources] for hit in hits]
    told = {name: [getattr(hit, name) for hit in hits] for name in MOMENTS if name != "sources"}
    distinct = [list(dict.fromkeys(itertools.chain.from_iterable(several))) for several in sources]
    return pl.DataFrame({**told, "sources": distinct}, schema=MOMENTS)


def hits_of(title_no: int, ranges: Iterable[Ranked]) -> list[Fused]:
    """Fuse the ranges of one title, of all lists; the order of the lists makes no difference."""
    return _Timeline(title_no, ranges).hits()


class _Timeline:
    """The ranges of one title, cut at all their bounds into segments that each have the same ranges throughout."""

    def __init__(self, title_no: int, ranges: Iterable[Ranked]) -> None:
        self._title_no = title_no
        ordered = sorted(ranges)
        self._bounds = sorted({bound for one in ordered for bound in (one.start_ms, one.end_ms)})
        self._covering: list[list[Ranked]] = [[] for _ in self._bounds[1:]]
        for one in ordered:
            for segment in self._segments(one.start_ms, one.end_ms):
                self._covering[segment].append(one)
        self._taken = [False] * len(self._covering)
        self._seen: set[Ranked] = set()
        self._used_up: set[Ranked] = set()

    def hits(self) -> list[Fused]:
        """Take the best segment, again and again, until none has anything new."""
        found: list[Fused] = []
        waiting = [self._promise(segment) for segment in range(len(self._covering))]
        heapq.heapify(waiting)
        while waiting:
            promised = heapq.heappop(waiting)
            segment = promised[-1]
            best = self._best(segment)
            if self._taken[segment] or self._seen.issuperset(best):
                continue
            # Scores only fall, as ranges are used up: what still keeps its promise is the best there is.
            promise = self._promise(segment)
            if promise > promised:
                heapq.heappush(waiting, promise)
                continue
            found.append(self._take(segment, best))
        return found

    def _promise(self, segment: int) -> tuple[float, int, int]:
        """Return what orders segments: the score, then the length of the hit that it belongs to, then the time."""
        best = self._best(segment)
        first, last = self._run(segment, best)
        return -_score(best), self._bounds[first] - self._bounds[last + 1], segment

    def _best(self, segment: int) -> tuple[Ranked, ...]:
        first: dict[int, Ranked] = {}
        for one in self._covering[segment]:
            if one not in self._used_up:
                first.setdefault(one.list_no, one)
        return tuple(sorted(first.values()))

    def _take(self, segment: int, best: tuple[Ranked, ...]) -> Fused:
        first, last = self._run(segment, best)
        start_ms, end_ms = self._bounds[first], self._bounds[last + 1]
        touched = {one for covered in range(first, last + 1) for one in self._covering[covered]} - self._used_up
        done = {one for one in touched if _covers_enough(start_ms, end_ms, one)}
        self._taken[first : last + 1] = [True] * (last + 1 - first)
        self._used_up |= done
        sources = done.union(best)
        self._seen |= sources
        return Fused(self._title_no, start_ms, end_ms, _score(best), tuple(sorted(sources)))

    def _run(self, segment: int, best: tuple[Ranked, ...]) -> tuple[int, int]:
        first = last = segment
        while first > 0 and self._continues(first - 1, best):
            first -= 1
        while last + 1 < len(self._covering) and self._continues(last + 1, best):
            last += 1
        return first, last

    def _continues(self, segment: int, best: tuple[Ranked, ...]) -> bool:
        return not self._taken[segment] and self._best(segment) == best

    def _segments(self, start_ms: int, end_ms: int) -> range:
        return range(bisect_left(self._bounds, start_ms), bisect_left(self._bounds, end_ms))


def _covers_enough(start_ms: int, end_ms: int, one: Ranked) -> bool:
    shared_ms = min(end_ms, one.end_ms) - max(start_ms, one.start_ms)
    return shared_ms * _USED_UP >= one.end_ms - one.start_ms


def _score(best: tuple[Ranked, ...]) -> float:
    # An exact sum: the same whatever the order of the lists.
    return math.fsum(one.gain for one in best)
