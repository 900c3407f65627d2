"""Clauses evaluated on the tables of one snapshot: each leaf becomes matches, each combination moments.

Some leaves say which rows fit (words, labels, fields), and all of these are read; others rank all there is (what is
seen, what is similar), and the best are. Within `AllOf` those that choose come first, and those that rank look at the
titles that are left: there they are not cut off as long as exact comparison is cheap.

Where a leaf is cut off, rows that score as the first one beyond do are left out too: whatever order a table gives
them in, the same question finds the same, and what it finds is the beginning of what it would find uncut.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mediaflow.errors import UsageError
from mediaflow.search.post.fusion import CONSTANT, fused
from mediaflow.search.post.moments import distinct, in_space, in_time, together, without
from mediaflow.search.query import AllOf, AnyOf, Clause, Combined, Leaf, Not, SpaceJoin, TimeJoin, Weighted, leaves
from mediaflow.search.route.asked import AnyAsked, Tables, Titles
from mediaflow.search.route.routing import Router
from mediaflow.search.searchers.matches import BOX
from mediaflow.search.searchers.vector import EXACT_ROWS
from mediaflow.search.stopping import check

JOINED_ROWS = 1_000
"""Of a clause that ranks all there is, so many of the best are joined, or stand alone within others."""

# A condition on more titles than this costs more than it spares.
_MOST_TITLES = 5_000
# The number of a source is that of its leaf, and below these bits its place among the leaf's matches.
_LEAF = 40
_PLACE = (1 << _LEAF) - 1


@dataclass(frozen=True)
class Answered:
    """What a table was asked, and what it answered.

    Attributes
    ----------
    leaf : Leaf
        The clause that it was asked for.
    asked : Asked
        What was asked.
    titles : frozenset of int, or None
        Of which titles; None stands for all.
    matches : pl.DataFrame
        MATCHES, best first.
    cut : bool
        Whether there are more.
    cpu_ms : float
        CPU time of this process while it was asked: of all threads, so that what others did meanwhile counts too.
    """

    leaf: Leaf
    asked: AnyAsked
    titles: Titles
    matches: pl.DataFrame
    cut: bool
    cpu_ms: float


class Evaluation:
    """The evaluation of one question.

    Attributes
    ----------
    leaves : list of Answered
        What tables were asked, in that order.
    unended : bool
        Whether `fused` would return more with a greater `most`, after all that it returned.

    Parameters
    ----------
    router : Router
        Turns leaves into what is asked of tables.
    table : callable
        Opens the table of an algorithm.
    titles : frozenset of int, or None
        Numbers of the titles that may answer; None stands for all.
    """

    def __init__(self, router: Router, table: Tables, titles: Titles) -> None:
        self.leaves: list[Answered] = []
        self.unended = False
        self._router = router
        self._table = table
        self._titles = titles
        self._routed: dict[Leaf, Sequence[AnyAsked]] = {}

    def fused(
        self, clauses: Sequence[Clause], also: Callable[[AnyAsked], AnyAsked | None], best: int, most: int
    ) -> pl.DataFrame:
        """Return the moments of a whole question, best first: those of its clauses, fused.

        Parameters
        ----------
        clauses : sequence of Clause
            At least one.
        also : callable
            Gives for what a table is asked what it is asked besides, as a list of its own; None for nothing.
        best : int
            How many are fused of a leaf that ranks all there is.
        most : int
            How many are fused of one that chooses; of those above a cut-off all are.
        """
        lists, weights, combined = [], [], False
        for clause, weight in _weighted(clauses):
            if isinstance(clause, AllOf | TimeJoin | SpaceJoin | Not):
                combined = True
                lists.append(self._moments(clause, self._titles))
                weights.append(weight)
                continue
            asked = self._route(clause)
            asked = [*asked, *(besides for one in asked if (besides := also(one)) is not None)]
            limits = [None if one.least is not None else best if one.ranks else most for one in asked]
            lists += [self._leaf(clause, one, self._titles, limit) for one, limit in zip(asked, limits, strict=True)]
            weights += [weight] * len(asked)
        self.unended = len(lists) == len(self.leaves) == 1 and self.leaves[0].cut and not self.leaves[0].asked.ranks
        if combined and len(lists) == 1:
            return _ordered(lists[0])
        return fused(lists, weights)

    def sources(self, numbers: NDArray[np.int64]) -> Iterator[tuple[Answered, NDArray[np.int64], NDArray[np.int64]]]:
        """Yield for each leaf that some sources of moments are of: it, these, and their places among its matches."""
        leaf = numbers >> _LEAF
        for at in np.unique(leaf):
            of_leaf = numbers[leaf == at]
            yield self.leaves[at], of_leaf, of_leaf & _PLACE

    def _moments(self, clause: Clause, titles: Titles) -> pl.DataFrame:
        check()
        match clause:
            case Weighted():
                _check_weight(clause.weight)
                return self._moments(clause.clause, titles).with_columns(pl.col("score") * clause.weight)
            case AllOf():
                return self._all(clause, titles)
            case AnyOf():
                _check_any(clause)
                return distinct(pl.concat([self._moments(one, titles) for one in clause.clauses]))
            case TimeJoin():
                left, right = self._moments(clause.left, titles), self._moments(clause.right, titles)
                return in_time(left, right, clause.relation, clause.most_ms, clause.extent)
            case SpaceJoin():
                return in_space(self._boxed(clause.left, titles), self._boxed(clause.right, titles), clause.relation)
            case Not():
                raise UsageError("A clause 'not' stands in 'all', beside a clause that says what to look for.")
        return distinct(pl.concat([self._gains(clause, one, titles, JOINED_ROWS) for one in self._route(clause)]))

    def _boxed(self, leaf: Leaf, titles: Titles) -> pl.DataFrame:
        """Return a leaf's rows, scored by their ranks, with their boxes and `row`: which algorithm's, and which."""
        frames = []
        for one in self._route(leaf):
            scored = self._scored(leaf, one, titles, JOINED_ROWS)
            boxes = self.leaves[-1].matches
            if not set(BOX) <= set(boxes.columns):
                raise UsageError(
                    f"Rows of {one.algorithm!r} have no boxes, so they stand nowhere in the picture.",
                    algorithm=one.algorithm,
                )
            row = boxes.select(pl.format("{} {}", pl.lit(one.algorithm), "row").alias("row"))
            frames.append(pl.concat([scored, boxes.select(*BOX), row], how="horizontal"))
        return pl.concat(frames)

    def _all(self, clause: AllOf, titles: Titles) -> pl.DataFrame:
        wanted = [one for one in clause.clauses if not isinstance(one, Not)]
        if not wanted:
            raise UsageError("A clause 'all' needs a clause that says what to look for, not only what not.")
        choosing = [one for one in wanted if not self._ranks(one)]
        found: list[pl.DataFrame] = []
        for one in choosing:
            found.append(self._moments(one, titles))
            titles = _left(titles, found[-1])
        found += [self._ranked(one, titles if choosing else None, titles) for one in wanted if self._ranks(one)]
        moments = together(sorted(found, key=len))
        for taken in clause.clauses:
            if isinstance(taken, Not) and len(moments):
                moments = without(moments, self._excluded(taken.clause, _left(titles, moments)))
        return moments

    def _ranked(self, clause: Clause, left: frozenset[int] | None, titles: Titles) -> pl.DataFrame:
        """Return the moments of a leaf that ranks: of all rows of the titles that are left, where that is cheap."""
        leaf, weight = _plain(clause)
        assert not isinstance(leaf, Combined)
        frames = []
        for one in self._route(leaf):
            limit = JOINED_ROWS
            if left is not None and len(left) <= _MOST_TITLES:
                limit = max(limit, min(EXACT_ROWS, one.may_answer(self._table, left)))
            frames.append(self._gains(leaf, one, titles, limit, weight))
        return distinct(pl.concat(frames))

    def _excluded(self, clause: Clause, titles: Titles) -> pl.DataFrame:
        # Wherever it stands: only the best of what ranks are joined, and the rest would not be taken away.
        if any(map(self._ranks, leaves((clause,)))):
            raise UsageError(
                "What is seen or similar is a matter of degree: a clause 'not' can take it away only where the clause "
                "asks for everything above the cut-off."
            )
        return self._moments(clause, titles)

    def _ranks(self, clause: Clause) -> bool:
        """Say whether a clause is a leaf that ranks all there is."""
        leaf, _ = _plain(clause)
        if isinstance(leaf, Combined):
            return False
        return any(one.ranks for one in self._route(leaf))

    def _gains(self, leaf: Leaf, asked: AnyAsked, titles: Titles, most: int, weight: float = 1.0) -> pl.DataFrame:
        """Return a leaf's matches as moments scored by their ranks; of one that chooses, all."""
        return distinct(self._scored(leaf, asked, titles, most, weight))

    def _scored(self, leaf: Leaf, asked: AnyAsked, titles: Titles, most: int, weight: float = 1.0) -> pl.DataFrame:
        matches = self._leaf(leaf, asked, titles, most if asked.ranks else None)
        rank = pl.col("score").rank("min", descending=True)
        return matches.with_columns(score=weight / (CONSTANT + rank.cast(pl.Float64)))

    def _route(self, clause: Leaf) -> Sequence[AnyAsked]:
        if clause not in self._routed:
            self._routed[clause] = self._router.route(clause)
        return self._routed[clause]

    def _leaf(self, leaf: Leaf, asked: AnyAsked, titles: Titles, most: int | None) -> pl.DataFrame:
        check()
        start = time.process_time()
        found = asked.find(self._table, titles, None if most is None else most + 1)
        cut = False
        if most is not None and len(found) > most and asked.ordered:
            found, cut = _before(found, most), True
        if most is not None and len(found) > most:
            scores = found["score"].to_numpy()
            before = found.head(int(np.count_nonzero(scores > scores[most])))
            cut = bool(len(before)) or asked.ranks
            # Where all score the same, none is left out.
            found = before if len(before) else found.head(most)
            if not cut:
                found = asked.find(self._table, titles, None)
        base = len(self.leaves) << _LEAF
        self.leaves.append(Answered(leaf, asked, titles, found, cut, 1e3 * (time.process_time() - start)))
        number = pl.Series("sources", np.arange(base, base + len(found), dtype=np.int64))
        return found[["title_no", "start_ms", "end_ms", "score"]].hstack([number.reshape((-1, 1)).arr.to_list()])


def _before(found: pl.DataFrame, most: int) -> pl.DataFrame:
    """Return at most so many of the matches, of those that differ in nothing but their rows all or none."""
    alike = ("score", "title_no", "start_ms", "end_ms")
    beyond = found[most].select(alike).row(0)
    last = most
    while last and found[last - 1].select(alike).row(0) == beyond:
        last -= 1
    return found.head(last or most)


def _ordered(moments: pl.DataFrame) -> pl.DataFrame:
    return moments.sort("score", "title_no", "start_ms", "end_ms", descending=[True, False, False, False])


def _left(titles: Titles, moments: pl.DataFrame) -> frozenset[int] | None:
    """Return the titles to look at further, where that spares anything."""
    numbers = moments["title_no"].unique()
    return titles if len(numbers) > _MOST_TITLES else frozenset(numbers.to_list())


def _weighted(
    clauses: Iterable[Clause], weight: float = 1.0
) -> Iterator[tuple[Leaf | AllOf | TimeJoin | SpaceJoin | Not, float]]:
    """Yield the clauses of a whole question, those of `AnyOf` one by one, with their weights."""
    for clause in clauses:
        if isinstance(clause, Weighted):
            _check_weight(clause.weight)
            yield from _weighted([clause.clause], weight * clause.weight)
        elif isinstance(clause, AnyOf):
            _check_any(clause)
            yield from _weighted(clause.clauses, weight)
        else:
            yield clause, weight


def weighted_leaves(clauses: Iterable[Clause], weight: float = 1.0) -> Iterator[tuple[Leaf, float]]:
    """Yield the clauses that are no combination, as `leaves` does, each with the product of the weights around it."""
    for clause in clauses:
        match clause:
            case Weighted():
                yield from weighted_leaves((clause.clause,), weight * clause.weight)
            case AllOf() | AnyOf():
                yield from weighted_leaves(clause.clauses, weight)
            case TimeJoin() | SpaceJoin():
                yield from weighted_leaves((clause.left, clause.right), weight)
            case Not():
                yield from weighted_leaves((clause.clause,), weight)
            case _:
                yield clause, weight


def _plain(clause: Clause) -> tuple[Leaf | Combined, float]:
    """Return a clause without its weights, and these."""
    if not isinstance(clause, Weighted):
        return clause, 1.0
    _check_weight(clause.weight)
    plain, weight = _plain(clause.clause)
    return plain, weight * clause.weight


def _check_any(clause: AnyOf) -> None:
    if not clause.clauses:
        raise UsageError("A clause 'any' needs clauses.")


def _check_weight(weight: float) -> None:
    if not 0 < weight < float("inf"):
        raise UsageError(f"A weight must be a number above 0, not {weight}.", weight=weight)
