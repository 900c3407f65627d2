"""Hits by who speaks in them: each character of the cast with how many, and the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from mediaflow.search.titles.catalogue import Catalogue


@dataclass(frozen=True)
class Characters:
    """The speakers of the hits' cues, title by title, as they are written there."""

    def show(self, moments: pl.DataFrame, spoken: pl.DataFrame, catalogue: Catalogue) -> list[dict[str, Any]]:
        """Return a speaker each: title_id, speaker, hits, and the best one's start_ms, end_ms and score."""
        import polars as pl

        placed = moments.with_row_index("moment").join(spoken, on="moment", how="inner", maintain_order="left")
        by_speaker = placed.group_by("title_no", "speaker", maintain_order=True).agg(
            pl.col("moment").n_unique().alias("hits"),
            pl.col("start_ms", "end_ms", "score").sort_by("score", "moment", descending=[True, False]).first(),
        )
        named = by_speaker.join(catalogue.titles.select("title_no", "title_id"), on="title_no", maintain_order="left")
        shown = named.sort("hits", "title_id", "speaker", descending=[True, False, False])
        return shown.select("title_id", "speaker", "hits", "start_ms", "end_ms", "score").to_dicts()
