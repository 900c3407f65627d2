"""Searchers: each executes one kind of clause against one kind of table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import lance
    import polars as pl


class Searcher(Protocol):
    """Finds rows of a table for what it was made to look for.

    Attributes
    ----------
    ranks : bool
        Any row answers, better or worse, so that only the best mean anything; else rows fit or do not.
    """

    @property
    def ranks(self) -> bool: ...

    def search(self, table: lance.LanceDataset, condition: str | None, limit: int | None) -> pl.DataFrame:
        """Return at most `limit` rows that fulfil `condition`, best first, as `matches.MATCHES`.

        Without a limit: all that fit; of a searcher that ranks, at least all that it would find with any limit.
        """
        ...
