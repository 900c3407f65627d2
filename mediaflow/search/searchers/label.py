"""Rows with a label, the surest first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mediaflow.search.literals import both, text_literal
from mediaflow.search.searchers.matches import read_matches

if TYPE_CHECKING:
    import lance
    import polars as pl


@dataclass(frozen=True)
class LabelSearcher:
    """Finds the rows whose label is `label`, in upper or lower case."""

    label: str

    ranks: ClassVar[bool] = False

    def search(self, table: lance.LanceDataset, condition: str | None, limit: int | None) -> pl.DataFrame:
        from lance.dataset import ColumnOrdering

        same = f"lower(label) = lower({text_literal(self.label.strip())})"
        order = [ColumnOrdering("confidence", ascending=False)]
        return read_matches(table, "confidence", filter=both(condition, same), order_by=order, limit=limit)
