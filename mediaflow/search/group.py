"""Moments arranged as asked: one for each title or series, by score or by time, and no more than the limit."""

from __future__ import annotations

import polars as pl

from mediaflow.search.query import Query

_PLACE = ("series", "season", "episode", "title", "title_id")


def arrange(moments: pl.DataFrame, query: Query, titles: pl.DataFrame) -> pl.DataFrame:
    """Return the moments to show, with a column `grouped`: how many moments each stands for.

    Parameters
    ----------
    moments : pl.DataFrame
        MOMENTS, best first.
    query : Query
        Says how to group, sort and limit. A title without a series is a group of its own.
    titles : pl.DataFrame
        title_no, title_id, title, series, season, episode. Sorted by time, titles come by series, season and
        episode, then those without, by name.
    """
    shown = moments.with_columns(grouped=pl.lit(1, pl.Int64))
    if query.group_by:
        series = titles.select("title_no", group=pl.col("series") if query.group_by == "series" else pl.lit(None))
        keyed = moments.join(series, on="title_no", how="left", maintain_order="left")
        own = pl.when(pl.col("group").is_null()).then("title_no")
        shown = (
            keyed.group_by("group", own.alias("own"), maintain_order=True)
            .agg(pl.col(moments.columns).first(), pl.len().cast(pl.Int64).alias("grouped"))
            .drop("group", "own")
        )
    shown = shown.head(query.limit)
    if query.sort == "time":
        order = titles.sort(_PLACE, nulls_last=True).select("title_no").with_row_index("place")
        shown = (
            shown.join(order, on="title_no", how="left").sort("place", "start_ms", maintain_order=True).drop("place")
        )
    return shown
