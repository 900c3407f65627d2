"""What searchers hand on: ranges of titles with a score, read from a table of any shape; and the rows behind them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    import lance

MATCHES: dict[str, Any] = {
    "title_no": pl.Int32,
    "start_ms": pl.Int64,
    "end_ms": pl.Int64,
    "score": pl.Float64,
    "row": pl.UInt64,
}
"""A match: whose row it is, its range, its score (more is better), and its address in the table."""

BOX: dict[str, Any] = {"x": pl.Float64, "y": pl.Float64, "w": pl.Float64, "h": pl.Float64}
"""What matches have besides where rows have boxes: left, top, width and height as fractions of the picture."""

ROWS: dict[str, Any] = {
    "row": pl.UInt64,
    "revision": pl.String,
    "start_ms": pl.Int64,
    "end_ms": pl.Int64,
    "text": pl.String,
    "language": pl.String,
    "speaker": pl.String,
    **BOX,
}
"""What there is to show of a row: its address, which artifact it comes from, its range, the text or label, its language
and speaker, its box as fractions of the picture."""

_ORDER = ("score", "title_no", "start_ms", "end_ms", "row")


def read_matches(table: lance.LanceDataset, score: str | None, **scan: Any) -> pl.DataFrame:
    """Scan a table and return MATCHES, with BOX where it has boxes, best first.

    Those with equal scores come in the order of titles and times.

    Parameters
    ----------
    table : lance.LanceDataset
        Rows of any shape.
    score : str, optional
        The column that scores: one of the table's, `_distance` (squared L2 of unit vectors, |a - b|² = 2 - 2 a·b,
        made their cosine) or `_score`. None: all 1.
    **scan
        For `LanceDataset.scanner`: what to find, the condition, the limit.
    """
    boxes = BOX if set(BOX) <= set(table.schema.names) else {}
    columns = ["title_no", "start_ms", "end_ms", *boxes, *([score] if score else [])]
    scanner = table.scanner(
        columns=columns, prefilter=True, with_row_address=True, disable_scoring_autoprojection=True, **scan
    )
    found = pl.DataFrame(pl.from_arrow(scanner.to_table())).rename({"_rowaddr": "row"})
    if score == "_distance":
        found = found.with_columns((1.0 - pl.col(score).cast(pl.Float64) / 2).alias("score"))
    else:
        found = found.with_columns((pl.col(score) if score else pl.lit(1.0)).cast(pl.Float64).alias("score"))
    return best_first(found.select(pl.col(name).cast(kind) for name, kind in (MATCHES | boxes).items()))


def best_first(matches: pl.DataFrame) -> pl.DataFrame:
    """Sort matches by their scores; equal scores in the order of titles and times."""
    return matches.sort(_ORDER, descending=[True, False, False, False, False], nulls_last=True)


def read_rows(table: lance.LanceDataset, addresses: Sequence[int], own: Sequence[str] = ()) -> pl.DataFrame:
    """Return ROWS at some addresses of a table, in any order; what a table of its shape has not is null.

    With `own`, names of columns, there is a column of that name besides: a struct of these.
    """
    if not addresses:
        return pl.DataFrame(schema=ROWS)
    names = table.schema.names
    # A label is shown as text, a title as a whole by its duration.
    instead = {"label": "text", "duration_ms": "end_ms"}
    columns = [name for name in ROWS if name in names and name != "row"]
    columns += [name for name, shown in instead.items() if name in names and shown not in names]
    where = f"_rowaddr IN ({', '.join(str(int(address)) for address in addresses)})"
    wanted = list(dict.fromkeys([*columns, *own]))
    read = pl.DataFrame(pl.from_arrow(table.scanner(columns=wanted, filter=where, with_row_address=True).to_table()))
    found = read.select(pl.col("_rowaddr").alias("row"), *columns)
    if "duration_ms" in found.columns:
        found = found.rename({"duration_ms": "end_ms"}).with_columns(start_ms=pl.lit(0))
    if "label" in found.columns:
        found = found.rename({"label": "text"})
    shown = [_as(kind, found.schema.get(name), name) for name, kind in ROWS.items()]
    return found.select(*shown, *([read.select(own=pl.struct(own))["own"]] if own else []))


def _as(kind: Any, had: Any, name: str) -> pl.Expr:
    """Return a column as a type; null where the author of an algorithm has something else of that name."""
    fits = had is not None and (had.is_numeric() if kind.is_numeric() else had == kind)
    return (pl.col(name).cast(kind) if fits else pl.lit(None, kind)).alias(name)
