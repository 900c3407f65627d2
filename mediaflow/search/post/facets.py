"""Facets: how the hits of a question are spread over titles, series, genres and the like, with counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias, get_args

from mediaflow.errors import UsageError

if TYPE_CHECKING:
    import polars as pl

Facet: TypeAlias = Literal["title", "series", "season", "genre", "year", "kind", "language"]
FACETS: tuple[Facet, ...] = get_args(Facet)

# Of the columns of a title that hold several values, each counts.
_COLUMNS: dict[Facet, str] = {
    "title": "title_id",
    "series": "series",
    "season": "season",
    "genre": "genres",
    "year": "year",
    "kind": "kind",
    "language": "languages",
}
_SEVERAL = ("genres", "languages")


@dataclass(frozen=True)
class Count:
    """One value of a facet, and how many hits have it."""

    value: str | int
    hits: int


def facets(moments: pl.DataFrame, titles: pl.DataFrame, wanted: Sequence[str]) -> dict[str, list[Count]]:
    """Count hits by what their titles are.

    Parameters
    ----------
    moments : pl.DataFrame
        title_no of each hit.
    titles : pl.DataFrame
        title_no and the columns of `mediaflow.search.titles.catalogue`.
    wanted : sequence of str
        Of `FACETS`.

    Returns
    -------
    dict
        By facet the values that any hit has, the most frequent first, equal ones in order.

    Raises
    ------
    UsageError
        There is no such facet.
    """
    unknown = [name for name in wanted if name not in FACETS]
    if unknown:
        raise UsageError(f"There is no facet {unknown[0]!r}; there are {', '.join(FACETS)}.", facet=unknown[0])
    by_title = moments.group_by("title_no").len("hits").join(titles, on="title_no")
    return {name: _counted(by_title, _COLUMNS[name]) for name in FACETS if name in wanted}


def _counted(by_title: pl.DataFrame, column: str) -> list[Count]:
    import polars as pl

    values = by_title.select(pl.col(column).alias("value"), "hits")
    if column in _SEVERAL:
        values = values.with_columns(pl.col("value").list.unique()).explode("value", empty_as_null=False)
    counted = values.drop_nulls("value").group_by("value").agg(pl.col("hits").sum())
    ordered = counted.sort("hits", "value", descending=[True, False])
    return [Count(value, hits) for value, hits in ordered.select("value", "hits").iter_rows()]
