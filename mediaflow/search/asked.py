"""What is asked for a clause: a table of the snapshot, or an index that stands outside of it.

Both give matches and the rows behind them, so that clauses of both kinds combine in one question.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from mediaflow.search.literals import among, both
from mediaflow.search.searchers.matches import read_rows
from mediaflow.search.searchers.text import TextSearcher
from mediaflow.search.searchers.vector import VectorSearcher

if TYPE_CHECKING:
    import lance
    import polars as pl

    from mediaflow.search.searchers import Searcher

Tables: TypeAlias = "Callable[[str], lance.LanceDataset]"
Titles: TypeAlias = frozenset[int] | None


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

    def find(self, tables: Tables, titles: Titles, limit: int | None) -> pl.DataFrame:
        """Return MATCHES of some titles, best first."""
        return self.searcher.search(tables(self.algorithm), self._within(titles), limit)

    def read(self, tables: Tables, rows: Sequence[int]) -> pl.DataFrame:
        """Return the rows behind matches."""
        return read_rows(tables(self.algorithm), rows)

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

    @property
    def ranks(self) -> bool:
        """Whether any row answers, better or worse."""
        return self.index.ranks

    def find(self, tables: Tables, titles: Titles, limit: int | None) -> pl.DataFrame:
        """Return MATCHES of some titles, best first."""
        return self.index.search(self.value, titles, limit)

    def read(self, tables: Tables, rows: Sequence[int]) -> pl.DataFrame:
        """Return the rows behind matches."""
        return self.index.read(rows)

    def may_answer(self, tables: Tables, titles: Titles) -> int:
        """Return how many rows the filters leave."""
        return self.index.count(titles)

    def how(self, tables: Tables, titles: Titles, found: int) -> str:
        """Say that it was found outside."""
        return "outside"


AnyAsked: TypeAlias = Asked | AskedOutside
