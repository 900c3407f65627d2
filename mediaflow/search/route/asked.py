"""What is asked for a clause: a table of the snapshot, or an index that stands outside of it.

Both give matches and the rows behind them, so that clauses of both kinds combine in one question.

Only rows of the titles that may answer are ever ranked. Few titles are listed in the table's condition. Of very many
that costs a hundred times what the search itself does: there rows of all titles are asked for, best first, and those
of others are taken out, until there are enough; what is left is the same.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias

import numpy as np
import polars as pl

from mediaflow.search.literals import among, both
from mediaflow.search.searchers.held import rows_of_titles
from mediaflow.search.searchers.matches import read_rows
from mediaflow.search.searchers.text import TextSearcher
from mediaflow.search.searchers.vector import EXACT_ROWS, VectorSearcher

if TYPE_CHECKING:
    import lance
    from numpy.typing import NDArray

    from mediaflow.search.searchers import Searcher

# Reading a list of titles costs as much for each as so many rows that are found and taken out again.
_LISTED, _ROWS_A_TITLE = 500, 3
# Where all that fit are asked for: from this share of the titles on, those of others are taken out afterwards.
_LARGE_SHARE = 0.25
_MORE = 4
# Words that stand in a larger share than this of the first rows are usual.
_HEAD_ROWS, _USUAL = 10_000, 0.02

Tables: TypeAlias = "Callable[[str], lance.LanceDataset]"
Titles: TypeAlias = frozenset[int] | None


TITLES = "titles"
"""The table of titles, which no algorithm gives."""


class Index(Protocol):
    """An index outside of the store, for the rows of one algorithm; of one snapshot, as all that answers.

    Attributes
    ----------
    ranks : bool
        Any row answers, better or worse; else rows fit or do not.
    """

    @property
    def ranks(self) -> bool: ...

    def search(self, value: str, titles: Titles, limit: int | None) -> pl.DataFrame:
        """Return at most `limit` rows of some titles (None: of all) for what a user wrote, as `MATCHES`, best first.

        Without a limit: all that fit; of an index that ranks, all there are.
        """
        ...

    def read(self, rows: Sequence[int]) -> pl.DataFrame:
        """Return some rows, by the numbers that its matches have, as `ROWS`."""
        ...

    def count(self, titles: Titles) -> int:
        """Return how many rows some titles have."""
        ...


@dataclass(frozen=True)
class Asked:
    """What a table is asked: the algorithm, the searcher, and a condition of its own beside the filters'.

    `least` is the cut-off above which all is asked for, where that is so.
    """

    algorithm: str
    searcher: Searcher
    condition: str | None = None
    least: float | None = None

    @property
    def ranks(self) -> bool:
        """Whether any row answers, better or worse."""
        return self.searcher.ranks

    @property
    def ordered(self) -> bool:
        """Whether rows that score the same come in the order of titles and times, however few are asked for."""
        return isinstance(self.searcher, TextSearcher) and self.searcher.alone

    def find(self, tables: Tables, titles: Titles, limit: int | None) -> pl.DataFrame:
        """Return MATCHES of some titles, best first."""
        if isinstance(self.searcher, TextSearcher) and self.searcher.alone:
            return self._alone(self.searcher, tables, titles, limit)
        return self._found(tables, titles, limit)

    def _alone(self, searcher: TextSearcher, tables: Tables, titles: Titles, limit: int | None) -> pl.DataFrame:
        """Find rows that are scored each by itself: which of them are best is known once all are found.

        Of words that stand in many rows none is better than others, and they come in the order of titles. That is
        seen from the first titles, whose rows are enough then.
        """
        table = tables(self.algorithm)
        if limit is not None and searcher.may_be_usual(table, _USUAL / 2):
            first, least = _head(table, titles)
            if len(first):
                among_first = f"title_no >= {first[0]} AND title_no <= {first[-1]}"
                some = _of(titles, searcher.search(table, both(self.condition, among_first), None))
                if least < len(some) >= limit:
                    return searcher.scored(some, True).head(limit)
        found = self._found(tables, titles, None)
        usual = False
        if len(found) > _HEAD_ROWS * _USUAL:
            first, least = _head(table, titles)
            usual = bool(len(first)) and int((found["title_no"] <= int(first[-1])).sum()) > least
        found = searcher.scored(found, usual)
        return found if limit is None else found.head(limit)

    def _found(self, tables: Tables, titles: Titles, limit: int | None) -> pl.DataFrame:
        table = tables(self.algorithm)
        if titles is None or not (at_first := self._beyond(tables, titles, limit)):
            return self.searcher.search(table, self._within(titles), limit)
        while True:
            found = self.searcher.search(table, self.condition, None if limit is None else at_first)
            kept = _of(titles, found)
            if limit is None or len(kept) >= limit or len(found) < at_first:
                return kept.head(len(kept) if limit is None else limit)
            at_first *= _MORE

    def _beyond(self, tables: Tables, titles: frozenset[int], limit: int | None) -> int:
        """Return how many rows of all titles to ask for at first, or 0 where the titles are better listed."""
        if len(titles) <= _LISTED:
            return 0
        share = len(titles) / max(1, tables(TITLES).count_rows())
        if limit is None:
            return 1 if share >= _LARGE_SHARE else 0
        if isinstance(self.searcher, VectorSearcher) and tables(self.algorithm).count_rows() * share <= EXACT_ROWS:
            return 0
        rows = math.ceil(1.2 * limit / share)
        return rows if rows <= _ROWS_A_TITLE * len(titles) else 0

    def read(self, tables: Tables, matches: pl.DataFrame, own: Sequence[str] = ()) -> pl.DataFrame:
        """Return the rows behind matches, with some columns of their own; see `read_rows`."""
        return read_rows(tables(self.algorithm), matches, own)

    def may_answer(self, tables: Tables, titles: Titles) -> int:
        """Return how many rows the filters and the condition leave."""
        return tables(self.algorithm).count_rows(self._within(titles))

    def how(self, tables: Tables, titles: Titles, found: int) -> str:
        """Say in which way so many rows are found; see `mediaflow.search.explain.Step`."""
        if isinstance(self.searcher, VectorSearcher):
            plan = self.searcher.plan(tables(self.algorithm), self._within(titles), max(1, found))
            return "index" if plan["use_index"] else "exact"
        return "words" if isinstance(self.searcher, TextSearcher) else "condition"

    def _within(self, titles: Titles) -> str | None:
        return both(self.condition, None if titles is None else among("title_no", titles))


@dataclass(frozen=True)
class AskedOutside:
    """What an index outside of the store is asked; the methods are those of `Asked`."""

    algorithm: str
    index: Index
    value: str

    least: float | None = None
    ordered: ClassVar[bool] = False

    @property
    def ranks(self) -> bool:
        """Whether any row answers, better or worse."""
        return self.index.ranks

    def find(self, tables: Tables, titles: Titles, limit: int | None) -> pl.DataFrame:
        """Return MATCHES of some titles, best first."""
        return self.index.search(self.value, titles, limit)

    def read(self, tables: Tables, matches: pl.DataFrame, own: Sequence[str] = ()) -> pl.DataFrame:
        """Return the rows behind matches, which have no columns of their own."""
        found = self.index.read(matches["row"].unique().to_list())
        return matches.select("row").join(found, on="row", how="left", maintain_order="left")

    def may_answer(self, tables: Tables, titles: Titles) -> int:
        """Return how many rows the filters leave."""
        return self.index.count(titles)

    def how(self, tables: Tables, titles: Titles, found: int) -> str:
        """Say that it was found outside."""
        return "outside"


class _Listed:
    """Many titles: their numbers in order, and by number whether a title is one of them."""

    def __init__(self, titles: frozenset[int]) -> None:
        self.numbers = np.sort(np.fromiter(titles, np.int32, len(titles)))
        self.theirs = np.zeros(int(self.numbers.max(initial=-1)) + 2, bool)
        self.theirs[self.numbers] = True


# Who may not see all asks again and again with the same titles.
_listed = lru_cache(maxsize=16)(_Listed)


def _of(titles: Titles, found: pl.DataFrame) -> pl.DataFrame:
    """Return the matches of some titles."""
    if titles is None:
        return found
    theirs = _listed(titles).theirs
    return found[np.flatnonzero(theirs[np.minimum(found["title_no"].to_numpy(), len(theirs) - 1)])]


def _head(table: lance.LanceDataset, titles: Titles) -> tuple[NDArray[np.int32], int]:
    """Return the first of some titles, with so many rows that they tell which words are usual, and in how many of these
    a word then stands; none where few titles are asked for.
    """
    if titles is None or len(titles) <= _LISTED:
        return np.empty(0, np.int32), 0
    numbers = _listed(titles).numbers
    rows = rows_of_titles(table, numbers).cumsum()
    first = numbers[: int(np.searchsorted(rows, _HEAD_ROWS)) + 1]
    return first, int(rows[len(first) - 1] * _USUAL)


AnyAsked: TypeAlias = Asked | AskedOutside
