"""Places of titles that look like a sequence of shots, such as a clip's: all its shots count, and their order.

Every shot of the sequence is compared with every shot of a place, and the place is scored by the pairs that fit best:
late interaction (Khattab and Zaharia, "ColBERT: Efficient and Effective Passage Search via Contextualized Late
Interaction over BERT", SIGIR 2020), here of pairs in order. The best of these are found by dynamic programming
(Sakoe and Chiba, "Dynamic programming algorithm optimization for spoken word recognition", IEEE Transactions on
Acoustics, Speech, and Signal Processing 26, 1978): from one shot of the sequence to the next, the place goes on by no
shot, by one, or by two. So a cut that was found in one of them and not in the other costs little.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mediaflow.search.literals import among, both
from mediaflow.search.searchers.matches import MATCHES, best_first
from mediaflow.search.searchers.vector import EXACT_ROWS, VectorSearcher

if TYPE_CHECKING:
    import lance

_MOST_STEP = 2
# Shots that are further apart than any step, or of two titles, are never in one alignment.
_APART = _MOST_STEP + 1
# The index is asked for so many of the nearest, or for more, to each of so many shots, the longest. Around these are
# the places.
_NEAREST, _MOST_NEAREST, _ASKED = 100, 1_000, 12
_BATCH_ROWS = 8_192

_KEY = ("title_no", "shot_no")
_SHOT = (*_KEY, "start_ms", "end_ms")


@dataclass(frozen=True)
class SequenceSearcher:
    """Finds the places whose shots are, one after the other, most like those of a sequence.

    A place's score is the mean, over the time of the sequence, of the cosine of its shots with those that they are
    paired with; a negative one counts 0, as a shot that the place has not. A match goes from the first paired shot to
    the last, `row` is that of the best pair; of places that overlap only the best is a match. A sequence of one shot
    is answered as `VectorSearcher` does.

    Attributes
    ----------
    vectors : np.ndarray
        (K, dim) float32, unit norm: the shots of the sequence, in order.
    lengths : np.ndarray
        (K,) float64, each above 0: how long each of them is, in any unit.
    exact_rows : int
        Up to so many rows are compared one by one, index or not; by an index, the shots of so many around the nearest.
    """

    vectors: np.ndarray = field(repr=False)
    lengths: np.ndarray = field(repr=False)
    exact_rows: int = EXACT_ROWS

    ranks: ClassVar[bool] = True

    def search(self, table: lance.LanceDataset, condition: str | None, limit: int | None) -> pl.DataFrame:
        one = VectorSearcher(self.vectors[0], self.exact_rows)
        if len(self.vectors) == 1:
            return one.search(table, condition, limit)
        count = min(max(_NEAREST, (limit or _MOST_NEAREST) // len(self.vectors)), _MOST_NEAREST)
        plan = one.plan(table, condition, count)
        if plan["use_index"]:
            addresses = self._around(table, condition, self._nearest(table, condition, plan))
            condition = f"_rowaddr IN ({', '.join(map(str, addresses))})" if addresses else "false"
        shots, cosines = self._compared(table, condition)
        return _matches(shots, cosines, self._weights, limit)

    @property
    def _weights(self) -> NDArray[np.float32]:
        weights: NDArray[np.float32] = (self.lengths / self.lengths.sum()).astype(np.float32)
        return weights

    def _nearest(self, table: lance.LanceDataset, condition: str | None, plan: dict[str, object]) -> pl.DataFrame:
        """Return the rows nearest to shots of the sequence: title_no, shot_no, nth (the shot), gain (as it counts)."""
        found = []
        for nth in np.argsort(-self._weights, kind="stable")[:_ASKED].tolist():
            scanner = table.scanner(
                columns=[*_KEY, "_distance"],
                nearest={**plan, "q": self.vectors[nth]},
                filter=condition,
                prefilter=True,
                disable_scoring_autoprojection=True,
            )
            near = pl.DataFrame(pl.from_arrow(scanner.to_table()))
            gain = (1.0 - pl.col("_distance") / 2) * float(self._weights[nth])
            found.append(near.select(*_KEY, nth=pl.lit(nth, pl.Int32), gain=gain))
        return pl.concat(found)

    def _around(self, table: lance.LanceDataset, condition: str | None, nearest: pl.DataFrame) -> list[int]:
        """Return the addresses of all shots that an alignment with one of the nearest may have.

        Where that is too many, of the places with the greatest sums of the best gains (MaxSim), whatever their order.
        """
        last = len(self.vectors) - 1
        placed = nearest.with_columns(
            first=pl.col("shot_no") - _MOST_STEP * pl.col("nth"),
            last=pl.col("shot_no") + _MOST_STEP * (last - pl.col("nth")),
        ).sort("title_no", "first")
        begins = pl.col("first") > pl.col("last").cum_max().shift(1).over("title_no")
        placed = placed.with_columns(place=begins.fill_null(True).cum_sum())
        fit = placed.group_by("place", "nth").agg(pl.col("gain").max()).group_by("place").agg(pl.col("gain").sum())
        places = (
            placed.group_by("place")
            .agg(pl.col("title_no").first(), pl.col("first").min(), pl.col("last").max())
            .join(fit, on="place")
            .sort("gain", "place", descending=[True, False])
        )
        rows_before = (pl.col("last") - pl.col("first") + 1).cum_sum().shift(1, fill_value=0)
        kept = places.filter(rows_before < self.exact_rows)
        wanted = kept.select("title_no", shot_no=pl.int_ranges("first", pl.col("last") + 1, dtype=pl.Int32)).explode(
            "shot_no"
        )
        scanner = table.scanner(
            columns=list(_KEY), filter=both(condition, among("title_no", kept["title_no"])), with_row_address=True
        )
        there = pl.DataFrame(pl.from_arrow(scanner.to_table()))
        return there.join(wanted, on=_KEY, how="semi")["_rowaddr"].sort().to_list()

    def _compared(self, table: lance.LanceDataset, condition: str | None) -> tuple[pl.DataFrame, NDArray[np.float32]]:
        """Return the shots that fulfil a condition, in the order of titles and shots, and their cosines (K, shots)."""
        scanner = table.scanner(
            columns=[*_SHOT, "vector"], filter=condition, with_row_address=True, batch_size=_BATCH_ROWS
        )
        frames, cosines = [], [np.zeros((len(self.vectors), 0), np.float32)]
        for batch in scanner.to_batches():
            vectors = batch["vector"].flatten().to_numpy(zero_copy_only=False).astype(np.float32)
            cosines.append(self.vectors @ vectors.reshape(len(batch), -1).T)
            frames.append(pl.DataFrame(pl.from_arrow(batch.drop_columns(["vector"]))))
        if not frames:
            return pl.DataFrame(), cosines[0]
        shots = pl.concat(frames).rename({"_rowaddr": "row"})
        order = shots.select(pl.arg_sort_by(*_KEY))["title_no"].to_numpy()
        return shots[order], np.concatenate(cosines, axis=1)[:, order]


class Alignments(NamedTuple):
    """The best alignment that ends at each shot: arrays as long as there are shots.

    `total` is the weighted sum of the cosines of its pairs (-inf: there is none), `first` and `last` are its first
    and last paired shot, `peak` is the shot of its best pair (-1: nothing is paired).
    """

    total: NDArray[np.float32]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    peak: NDArray[np.int64]


def align(cosines: NDArray[np.float32], weights: NDArray[np.float32], places: NDArray[np.int64]) -> Alignments:
    """Align a sequence with shots, in order.

    With c the cosines, w the weights, and s in {0, 1, 2} how many places it goes on by, the best sum of an alignment
    of the shots 0 to i of the sequence that ends at the place p is
    D(i, p) = w(i) max(c(i, p), 0) + max over s of D(i - 1, p - s).

    Parameters
    ----------
    cosines : np.ndarray
        (K, n) float32: of each shot of the sequence with each shot.
    weights : np.ndarray
        (K,) float32, above 0: how much each shot of the sequence counts.
    places : np.ndarray
        (n,) int64, rising from 0: where the shots are; neighbours differ by 1. At a place without a shot nothing
        ends, and no alignment crosses two of them.
    """
    size = int(places[-1]) + 1
    at = np.arange(size)
    # One on one is preferred to others that are no better.
    steps = np.array([1, 0, 2])
    gains = np.full((len(cosines), size), -np.inf, np.float32)
    gains[:, places] = cosines.clip(0, 1)
    total = np.zeros(size, np.float32)
    first = last = peak = np.full(size, -1)
    highest = np.zeros(size, np.float32)
    for nth, (gain, weight) in enumerate(zip(gains, weights, strict=True)):
        if nth:
            ahead = np.concatenate([np.full(_MOST_STEP, -np.inf, np.float32), total])
            before = np.stack([ahead[_MOST_STEP - step : _MOST_STEP - step + size] for step in steps])
            chosen = before.argmax(axis=0)
            total = before[chosen, at]
            came = (at - steps[chosen]).clip(0)
            first, last, peak, highest = first[came], last[came], peak[came], highest[came]
        total = total + weight * gain
        first = np.where((gain > 0) & (first < 0), at, first)
        last = np.where(gain > 0, at, last)
        peak, highest = np.where(gain > highest, at, peak), np.maximum(gain, highest)
    row = np.full(size + 1, -1)
    row[places] = np.arange(len(places))
    return Alignments(total[places], row[first[places]], row[last[places]], row[peak[places]])


def _matches(
    shots: pl.DataFrame, cosines: NDArray[np.float32], weights: NDArray[np.float32], limit: int | None
) -> pl.DataFrame:
    if shots.is_empty():
        return pl.DataFrame(schema=MATCHES)
    titles, numbers = shots["title_no"].to_numpy(), shots["shot_no"].to_numpy().astype(np.int64)
    apart = np.where(np.diff(titles) != 0, _APART, np.diff(numbers).clip(0, _APART))
    found = align(cosines, weights, np.concatenate([[0], apart.cumsum()]))
    kept = _apart(found, len(shots) if limit is None else limit)
    first, last, peak = shots[found.first[kept]], shots[found.last[kept]], shots[found.peak[kept]]
    score = pl.Series("score", found.total[kept])
    whole = first.select("title_no", "start_ms").with_columns(last["end_ms"], score, peak["row"])
    return best_first(whole.select(pl.col(name).cast(kind) for name, kind in MATCHES.items()))


def _apart(found: Alignments, limit: int) -> list[int]:
    """Return where the best alignments end that do not overlap better ones; `limit` of them at most."""
    ends = np.flatnonzero(found.total > 0)
    # Those that begin at one shot overlap, so only the best of them is looked at.
    order = ends[np.lexsort((found.last[ends], -found.total[ends], found.first[ends]))]
    _, best = np.unique(found.first[order], return_index=True)
    candidates = order[best]
    taken = np.zeros(len(found.total), bool)
    kept: list[int] = []
    for end in candidates[np.argsort(-found.total[candidates], kind="stable")].tolist():
        if len(kept) == limit:
            break
        place = slice(found.first[end], found.last[end] + 1)
        if not taken[place].any():
            taken[place] = True
            kept.append(end)
    return kept
