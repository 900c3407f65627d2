"""Titles as a whole: what is true of all of a title, such as who is in its cast."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from mediaflow.search.searchers.matches import MATCHES

if TYPE_CHECKING:
    import lance


@dataclass(frozen=True)
class WholeSearcher:
    """Finds titles that fulfil the condition, each from its beginning to its end."""

    ranks: ClassVar[bool] = False

    def search(self, table: lance.LanceDataset, condition: str | None, limit: int | None) -> pl.DataFrame:
        scanner = table.scanner(
            columns=["title_no", "duration_ms"], filter=condition, with_row_address=True, limit=limit
        )
        found = pl.DataFrame(pl.from_arrow(scanner.to_table())).rename({"_rowaddr": "row", "duration_ms": "end_ms"})
        whole = found.with_columns(start_ms=pl.lit(0), score=pl.lit(1.0))
        return whole.select(pl.col(name).cast(kind) for name, kind in MATCHES.items()).sort("title_no")
