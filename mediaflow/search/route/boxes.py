"""Boxes in the picture: which rows have theirs in a region, and how those of two rows stand to each other.

A box is left, top, width and height, as fractions of the upright picture. What only touches does not overlap.
"""

from __future__ import annotations

import polars as pl

from mediaflow.errors import UsageError
from mediaflow.search.query import Region, SpaceRelation


def in_region(region: Region) -> str:
    """Return the condition that a row's box lies inside a region, or overlaps it.

    Raises
    ------
    UsageError
        The region is empty, or not within the picture.
    """
    left, top, right, bottom = region.x, region.y, region.x + region.w, region.y + region.h
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise UsageError(
            f"A region is left, top, width and height as fractions of the picture, such as 0, 0.5, 1, 0.5 for its lower"
            f" half, not {region.x:g}, {region.y:g}, {region.w:g}, {region.h:g}.",
            region=[region.x, region.y, region.w, region.h],
        )
    x, y, w, h = (f"CAST({name} AS DOUBLE)" for name in "xywh")
    if region.relation == "inside":
        return f"{x} >= {left!r} AND {y} >= {top!r} AND {x} + {w} <= {right!r} AND {y} + {h} <= {bottom!r}"
    return f"{x} < {right!r} AND {x} + {w} > {left!r} AND {y} < {bottom!r} AND {y} + {h} > {top!r}"


def stand(left: pl.DataFrame, right: pl.DataFrame, relation: SpaceRelation) -> pl.Series:
    """Say of each pair of rows (x, y, w, h), row by row, whether the left one stands so to the right one."""
    match relation:
        case "left_of":
            ends, begins = left["x"] + left["w"], right["x"]
        case "above":
            ends, begins = left["y"] + left["h"], right["y"]
        case "same_frame":
            return pl.repeat(True, len(left), eager=True)
    return ends <= begins
