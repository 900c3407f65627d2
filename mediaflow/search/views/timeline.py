"""A title in bins of equal length: how many hits each has, and how good the best is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mediaflow.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

    from mediaflow.search.titles.catalogue import Catalogue

_MOST_BINS = 1_000


@dataclass(frozen=True)
class Timeline:
    """The hits of one title (an id or name) over its time, in `bins`."""

    title: str
    bins: int = 50

    def show(self, moments: pl.DataFrame, spoken: pl.DataFrame, catalogue: Catalogue) -> list[dict[str, Any]]:
        """Return a bin each: start_ms, end_ms, hits (that overlap it), and the best score, None without hits."""
        import polars as pl

        if not 1 <= self.bins <= _MOST_BINS:
            raise UsageError(f"A timeline has from 1 to {_MOST_BINS} bins, not {self.bins}.", bins=self.bins)
        title_no = catalogue.one_title(self.title)
        duration_ms = catalogue.titles.filter(pl.col("title_no") == title_no)["duration_ms"][0]
        edges = [round(at * duration_ms / self.bins) for at in range(self.bins + 1)]
        bins = pl.DataFrame({"start_ms": edges[:-1], "end_ms": edges[1:]})
        hits = moments.filter(pl.col("title_no") == title_no).select(
            "score", first="start_ms", last=pl.max_horizontal("end_ms", pl.col("start_ms") + 1)
        )
        inside = bins.with_row_index("bin").join_where(
            hits, pl.col("first") < pl.col("end_ms"), pl.col("last") > pl.col("start_ms")
        )
        counted = inside.group_by("bin").agg(pl.len().alias("hits"), pl.col("score").max())
        shown = bins.with_row_index("bin").join(counted, on="bin", how="left", maintain_order="left")
        return shown.with_columns(pl.col("hits").fill_null(0)).drop("bin").to_dicts()
