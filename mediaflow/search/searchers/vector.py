"""Rows whose vectors are nearest to one: exactly where few rows may answer, by the index where many may."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from mediaflow.search.searchers.matches import read_matches
from mediaflow.storage.upkeep import PARTITION_ROWS

if TYPE_CHECKING:
    import lance
    import polars as pl

EXACT_ROWS = 20_000
"""Up to so many rows exact search is cheaper than an index, whose recall a narrow filter would ruin."""

# Of so many partitions, or of as many as have so many rows that may answer, all such rows are looked at.
_PROBES = 20
_PROBED_ROWS = 2 * EXACT_ROWS
# So many of the best by the index's rough distances are compared exactly; more where many are asked for.
_CANDIDATES = 1_000
_REFINE = 5


@dataclass(frozen=True)
class VectorSearcher:
    """Finds the rows with the greatest cosine similarity: as all vectors are of unit norm, the nearest by L2.

    Attributes
    ----------
    vector : np.ndarray
        (dim,) float32, unit norm, from the encoder that made the table's vectors.
    exact_rows : int
        Up to so many rows are compared one by one, index or not.
    least : float, optional
        The least similarity of a row that fits; without it any row answers, better or worse.
    """

    vector: np.ndarray = field(repr=False)
    exact_rows: int = EXACT_ROWS
    least: float | None = None

    @property
    def ranks(self) -> bool:
        """Whether only the best mean anything."""
        return self.least is None

    def search(self, table: lance.LanceDataset, condition: str | None, limit: int | None) -> pl.DataFrame:
        most = max(1, table.count_rows(condition)) if limit is None else limit
        return read_matches(table, "_distance", nearest=self.plan(table, condition, most), filter=condition)

    def plan(self, table: lance.LanceDataset, condition: str | None, limit: int) -> dict[str, object]:
        """Return how Lance shall search: with the index where there is one and more than `exact_rows` may answer."""
        nearest: dict[str, object] = {"column": "vector", "q": self.vector, "k": limit, "metric": "l2"}
        if self.least is not None:
            # An index leaves out some of them; squared L2 of unit vectors is 2 - 2 times their cosine.
            return {**nearest, "use_index": False, "distance_range": (None, 2.0 - 2.0 * self.least)}
        indexed = any("vector" in index.field_names for index in table.describe_indices())
        if not indexed or (matching := table.count_rows(condition)) <= self.exact_rows:
            return {**nearest, "use_index": False}
        # The narrower the filter, the fewer rows of a partition may answer.
        share = matching / table.count_rows()
        probes = max(_PROBES, math.ceil(_PROBED_ROWS / PARTITION_ROWS / share)) if matching else _PROBES
        refine = max(_REFINE, math.ceil(_CANDIDATES / limit))
        return {**nearest, "use_index": True, "minimum_nprobes": probes, "refine_factor": refine}
