"""Hits in the order of an algorithm's own field: the values are those of the rows that they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from mediaflow.search.post.evaluation import Evaluation
from mediaflow.search.post.group import by_time
from mediaflow.search.query import SortBy
from mediaflow.search.route.asked import Tables
from mediaflow.search.searchers.matches import columns_at

if TYPE_CHECKING:
    import lance

# To read the whole column costs less than to look for more rows than these.
_LOOKED_UP = 2_000


def by_field(
    moments: pl.DataFrame, evaluation: Evaluation, sort: SortBy, tables: Tables, titles: pl.DataFrame
) -> pl.DataFrame:
    """Return moments in the order of a field of the rows that they come from.

    Numbers come in their order, texts in that of their lower-case letters, false before true; of several rows of one
    moment the first in the order counts. Moments without such a row, and those whose field is empty or no number,
    come last; equal ones in the order of titles and times.

    Parameters
    ----------
    moments : pl.DataFrame
        MOMENTS, of the evaluation.
    evaluation : Evaluation
        Where they come from.
    sort : SortBy
        The field, which can be compared.
    tables : callable
        Opens the table of an algorithm.
    titles : pl.DataFrame
        As for `mediaflow.search.post.group.by_time`.
    """
    values = _values(moments, evaluation, sort, tables)
    best = values.group_by("moment").agg(pl.col("value").max() if sort.descending else pl.col("value").min())
    placed = by_time(moments.with_row_index("moment"), titles).join(
        best, on="moment", how="left", maintain_order="left"
    )
    ordered = placed.sort("value", descending=sort.descending, nulls_last=True, maintain_order=True)
    return ordered.drop("moment", "value")


def _values(moments: pl.DataFrame, evaluation: Evaluation, sort: SortBy, tables: Tables) -> pl.DataFrame:
    """Return the values that moments have: `moment` (its place), `value`; none that are empty."""
    moment = pl.int_range(pl.len(), dtype=pl.UInt32).alias("moment")
    of_sources = moments.select(moment, number="sources").explode("number", empty_as_null=False)
    places = [
        pl.DataFrame({"number": numbers, "row": answered.matches["row"].gather(at)})
        for answered, numbers, at in evaluation.sources(of_sources["number"].unique().to_numpy())
        if answered.asked.algorithm == sort.algorithm
    ]
    rows = pl.concat(places) if places else pl.DataFrame(schema={"number": pl.Int64, "row": pl.UInt64})
    values = _column(tables(sort.algorithm), sort.field, rows["row"].unique())
    return of_sources.join(rows, on="number").join(values, on="row").select("moment", "value")


def _column(table: lance.LanceDataset, field: str, rows: pl.Series) -> pl.DataFrame:
    """Return a column's values at some addresses of a table: `row`, `value`."""
    if len(rows) <= _LOOKED_UP:
        found = columns_at(table, rows, [field]).with_columns(rows.alias("row"))
    else:
        scanned = table.scanner(columns=[field], with_row_address=True).to_table()
        found = pl.DataFrame(pl.from_arrow(scanned)).rename({"_rowaddr": "row"})
    values = found.select("row", pl.col(field).alias("value"))
    kind = values.schema["value"]
    if kind == pl.String:
        values = values.with_columns(pl.col("value").str.to_lowercase())
    if kind.is_float():
        values = values.with_columns(pl.col("value").fill_nan(None))
    return values.drop_nulls("value")
