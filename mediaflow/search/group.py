"""Fused hits arranged as asked: one for each title or series, by score or by time, and no more than the limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from mediaflow.search.fusion import Fused
from mediaflow.search.query import Query


@dataclass(frozen=True)
class Arranged:
    """A hit that is shown, and how many hits of its group it stands for."""

    hit: Fused
    grouped: int


def arrange(hits: Sequence[Fused], query: Query, titles: pl.DataFrame) -> list[Arranged]:
    """Return the hits to show.

    Parameters
    ----------
    hits : sequence of Fused
        Best first.
    query : Query
        Says how to group, sort and limit. A title without a series is a group of its own.
    titles : pl.DataFrame
        title_no, title_id, title, series, season, episode. Sorted by time, titles come by series, season and
        episode, then those without, by name.
    """
    shown = [Arranged(hit, 1) for hit in hits]
    if query.group_by:
        series = dict(titles.select("title_no", "series").iter_rows()) if query.group_by == "series" else {}
        groups: dict[str | int, list[Fused]] = {}
        for hit in hits:
            groups.setdefault(series.get(hit.title_no) or hit.title_no, []).append(hit)
        shown = [Arranged(group[0], len(group)) for group in groups.values()]
    shown = shown[: query.limit]
    if query.sort == "time":
        order = titles.sort("series", "season", "episode", "title", "title_id", nulls_last=True)["title_no"]
        place = {title_no: at for at, title_no in enumerate(order.to_list())}
        shown.sort(key=lambda one: (place[one.hit.title_no], one.hit.start_ms))
    return shown
