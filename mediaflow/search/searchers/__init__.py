"""Searchers: each executes one kind of clause against one kind of table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import lance
    import polars as pl


class Searcher(Protocol):
    """Finds the best rows of a table for what it was made to look for."""

    def search(self, table: lance.LanceDataset, condition: str | None, limit: int) -> pl.DataFrame:
        """Return at most `limit` rows that fulfil `condition`, best first, as `matches.MATCHES`."""
        ...
