"""Moments: ranges of titles that answer a clause, and how those of several clauses become those of one.

A frame of moments has a row for each: whose it is, its half-open range, its score (more is better), and the rows of
tables that it comes from, as numbers that whoever has read them can resolve. Two moments of one clause may overlap;
no two have the same title and range.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from mediaflow.errors import UsageError
from mediaflow.search.post.joins import pairs
from mediaflow.search.query import Extent, Relation, SpaceRelation
from mediaflow.search.route.boxes import stand

RANGE = ("title_no", "start_ms", "end_ms")
MOMENTS: dict[str, Any] = {
    "title_no": pl.Int32,
    "start_ms": pl.Int64,
    "end_ms": pl.Int64,
    "score": pl.Float64,
    "sources": pl.List(pl.Int64),
}

_NEVER_SHARED = ("before", "after")


def distinct(moments: pl.DataFrame) -> pl.DataFrame:
    """Make one of moments with the same title and range: with the best score, and the sources of all, best first."""
    if not moments.select(RANGE).is_duplicated().any():
        return moments
    best = moments.sort("score", descending=True, maintain_order=True)
    return best.group_by(RANGE, maintain_order=True).agg(
        pl.col("score").first(), pl.col("sources").explode().unique(maintain_order=True)
    )


def together(clauses: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the moments at which one moment of each clause overlaps all others: what they share, scores summed.

    Begin with the clause that has the fewest: the cost is that of the moments in between.
    """
    found = clauses[0]
    for one in clauses[1:]:
        found = _joined(found, one, pairs(found, one, "overlap"), "intersection")
    return found


def without(moments: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """Return the moments that overlap none of the others."""
    kept = np.ones(len(moments), bool)
    kept[pairs(moments, others, "overlap")[0]] = False
    return moments.filter(pl.Series(kept))


def in_time(
    left: pl.DataFrame, right: pl.DataFrame, relation: Relation, most_ms: int = 0, extent: Extent = "union"
) -> pl.DataFrame:
    """Return a moment for each pair that stands in a relation, scores summed.

    Parameters
    ----------
    left, right : pl.DataFrame
        Moments.
    relation, most_ms
        See `mediaflow.search.post.joins.pairs`.
    extent : "union" or "intersection"
        The range of the result: from the first begin to the last end, or what the two share. Of pairs `within` a
        distance those that share nothing have no intersection, and are left out.

    Raises
    ------
    UsageError
        The relation or the distance is wrong, or the intersection is asked for where there never is one.
    """
    if extent == "intersection" and relation in _NEVER_SHARED:
        raise UsageError(f"Ranges of which one is {relation} the other share nothing: ask for their union.")
    return _joined(left, right, pairs(left, right, relation, most_ms), extent)


def in_space(left: pl.DataFrame, right: pl.DataFrame, relation: SpaceRelation) -> pl.DataFrame:
    """Return what two rows share in time, for each pair of which both are seen and the left stands so to the right.

    Parameters
    ----------
    left, right : pl.DataFrame
        Moments of one row each, with x, y, w, h, and `row`, which is the same in both for the same row alone.
    relation : SpaceRelation
        See `mediaflow.search.route.boxes.stand`.
    """
    one, other = pairs(left, right, "overlap")
    stands = stand(left[one], right[other], relation) & (left["row"].gather(one) != right["row"].gather(other))
    kept = stands.to_numpy()
    return _joined(left.select(*MOMENTS), right.select(*MOMENTS), (one[kept], other[kept]), "intersection")


def _joined(
    left: pl.DataFrame, right: pl.DataFrame, found: tuple[np.ndarray, np.ndarray], extent: Extent
) -> pl.DataFrame:
    one, other = left[found[0]], right[found[1]]
    start, end = (
        (pl.max_horizontal, pl.min_horizontal) if extent == "intersection" else (pl.min_horizontal, pl.max_horizontal)
    )
    both = pl.concat([one, other.select(pl.all().name.suffix("_2"))], how="horizontal").select(
        "title_no",
        start("start_ms", "start_ms_2").alias("start_ms"),
        end("end_ms", "end_ms_2").alias("end_ms"),
        pl.col("score") + pl.col("score_2"),
        pl.concat_list("sources", "sources_2").alias("sources"),
    )
    if extent == "intersection":
        # Instants, of ranges without length, are shared too; what only touches is not.
        both = both.filter(pl.col("start_ms") <= pl.col("end_ms"))
    return distinct(both)
