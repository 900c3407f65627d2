"""Rows whose vectors are nearest to one: exactly where few rows may answer, by the index where many may."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mediaflow.search.searchers.matches import read_matches

if TYPE_CHECKING:
    import lance
    import polars as pl

EXACT_ROWS = 20_000
"""Up to so many rows exact search is cheaper than an index, whose recall a narrow filter would ruin."""

_PROBES = 20
_REFINE = 10


@dataclass(frozen=True)
class VectorSearcher:
    """Finds the rows with the greatest cosine similarity.

    Attributes
    ----------
    vector : np.ndarray
        (dim,) float32, unit norm, from the encoder that made the table's vectors.
    exact_rows : int
        Up to so many rows are compared one by one, index or not.
    """

    vector: np.ndarray = field(repr=False)
    exact_rows: int = EXACT_ROWS

    def search(self, table: lance.LanceDataset, condition: str | None, limit: int) -> pl.DataFrame:
        return read_matches(table, "_distance", nearest=self.plan(table, condition, limit), filter=condition)

    def plan(self, table: lance.LanceDataset, condition: str | None, limit: int) -> dict[str, object]:
        """Return how Lance shall search: with the index where there is one and more than `exact_rows` may answer."""
        nearest: dict[str, object] = {"column": "vector", "q": self.vector, "k": limit, "metric": "cosine"}
        indexed = any("vector" in index.field_names for index in table.describe_indices())
        if indexed and table.count_rows(condition) > self.exact_rows:
            return {**nearest, "use_index": True, "minimum_nprobes": _PROBES, "refine_factor": _REFINE}
        return {**nearest, "use_index": False}
