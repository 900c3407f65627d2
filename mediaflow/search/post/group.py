"""Moments arranged as asked: one for each title or series, by score or by time."""

from __future__ import annotations

import numpy as np
import polars as pl

from mediaflow.search.query import GroupBy

_PLACE = ("series", "season", "episode", "title", "title_id")


def grouped(moments: pl.DataFrame, group_by: GroupBy | None, titles: pl.DataFrame) -> pl.DataFrame:
    """Return the best moment of each title or series, with a column `grouped`: how many moments it stands for.

    Parameters
    ----------
    moments : pl.DataFrame
        MOMENTS, best first.
    group_by : "title", "series" or None
        None: every moment stands for itself. A title without a series is a group of its own.
    titles : pl.DataFrame
        title_no, series.
    """
    if group_by is None:
        return moments.hstack([pl.Series("grouped", np.ones(len(moments), np.int64))])
    series = titles.select("title_no", group=pl.col("series") if group_by == "series" else pl.lit(None))
    keyed = moments.join(series, on="title_no", how="left", maintain_order="left")
    own = pl.when(pl.col("group").is_null()).then("title_no")
    return (
        keyed.group_by("group", own.alias("own"), maintain_order=True)
        .agg(pl.col(moments.columns).first(), pl.len().cast(pl.Int64).alias("grouped"))
        .drop("group", "own")
    )


def by_time(moments: pl.DataFrame, titles: pl.DataFrame) -> pl.DataFrame:
    """Return moments in the order of their titles and times.

    Titles (title_no, title_id, title, series, season, episode) come by series, season and episode, then those without,
    by name.
    """
    order = titles.sort(_PLACE, nulls_last=True).select("title_no").with_row_index("place")
    placed = moments.join(order, on="title_no", how="left")
    return placed.sort("place", "start_ms", "end_ms", maintain_order=True).drop("place")
