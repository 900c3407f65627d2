"""Rows by their own columns: time ranges with at least a score, and all rows that fulfil a condition."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mediaflow.search.literals import at_least, both
from mediaflow.search.searchers.matches import read_matches

if TYPE_CHECKING:
    import lance
    import polars as pl


@dataclass(frozen=True)
class RangeSearcher:
    """Finds the rows with the greatest scores, none below `least`."""

    least: float

    ranks: ClassVar[bool] = False

    def search(self, table: lance.LanceDataset, condition: str | None, limit: int | None) -> pl.DataFrame:
        from lance.dataset import ColumnOrdering

        order = [ColumnOrdering("score", ascending=False)]
        chosen = both(condition, at_least("score", self.least))
        return read_matches(table, "score", filter=chosen, order_by=order, limit=limit)


@dataclass(frozen=True)
class EverySearcher:
    """Finds all rows that fulfil the condition: one that is the whole clause.

    Attributes
    ----------
    scored : bool
        By their confidence or score, where rows have one; else they are all the same.
    """

    scored: bool = False

    ranks: ClassVar[bool] = False

    def search(self, table: lance.LanceDataset, condition: str | None, limit: int | None) -> pl.DataFrame:
        from lance.dataset import ColumnOrdering

        names = ("confidence", "score") if self.scored else ()
        score = next((name for name in names if name in table.schema.names), None)
        order = [ColumnOrdering(score, ascending=False)] if score else None
        return read_matches(table, score, filter=condition, order_by=order, limit=limit)
