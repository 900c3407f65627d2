"""What searchers hand on: ranges of titles with a score, read from a table of any shape; and the rows behind them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from mediaflow.search.searchers.held import RANGE, REVISION, held

if TYPE_CHECKING:
    import lance

MATCHES: dict[str, Any] = {
    "title_no": pl.Int32,
    "start_ms": pl.Int64,
    "end_ms": pl.Int64,
    "score": pl.Float64,
    "row": pl.UInt64,
}
"""A match: whose row it is, its range, its score (more is better), and its address in the table.

With the column `revision` besides, range and boxes are those of the row itself, which need not be read once more."""

BOX: dict[str, Any] = {"x": pl.Float64, "y": pl.Float64, "w": pl.Float64, "h": pl.Float64}
"""What matches have besides where rows have boxes: left, top, width and height as fractions of the picture."""

ROWS: dict[str, Any] = {
    "row": pl.UInt64,
    REVISION: pl.String,
    "start_ms": pl.Int64,
    "end_ms": pl.Int64,
    "text": pl.String,
    "language": pl.String,
    "speaker": pl.String,
    **BOX,
}
"""What there is to show of a row: its address, which artifact it comes from, its range, the text or label, its language
and speaker, its box as fractions of the picture."""

# A label is shown as text, a title as a whole by its duration.
_INSTEAD = {"text": "label", "end_ms": "duration_ms"}
_ORDER = ("score", "title_no", "start_ms", "end_ms", "row")


def read_matches(
    table: lance.LanceDataset, score: str | None, also: Sequence[str] = (), sort: bool = True, **scan: Any
) -> pl.DataFrame:
    """Scan a table and return MATCHES, with BOX where it has boxes, best first.

    Those with equal scores come in the order of titles and times.

    Parameters
    ----------
    table : lance.LanceDataset
        Rows of any shape.
    score : str, optional
        The column that scores: one of the table's, `_distance` (squared L2 of unit vectors, |a - b|² = 2 - 2 a·b,
        made their cosine) or `_score`. None: all 1.
    also : sequence of str
        Further columns of text to return.
    sort : bool
        Whether the order matters.
    **scan
        For `LanceDataset.scanner`: what to find, the condition, the limit.
    """
    boxes = BOX if set(BOX) <= set(table.schema.names) else {}
    known = held(table)
    columns = [*([] if known else RANGE), *boxes, *also, *([score] if score else [])]
    scanner = table.scanner(
        columns=columns, prefilter=True, with_row_address=True, disable_scoring_autoprojection=True, **scan
    )
    found = pl.DataFrame(pl.from_arrow(scanner.to_table()))
    address = found["_rowaddr"].alias("row")
    whose = known.at(address.to_numpy()) if known else found
    # Of few rows series cost a tenth of what expressions do.
    shown = {name: _as(kind, whose if name in RANGE else found, name) for name, kind in (MATCHES | boxes).items()}
    own = found[score].cast(pl.Float64) if score else pl.Series(np.ones(len(found)))
    shown["score"] = (1.0 - own / 2 if score == "_distance" else own).alias("score")
    shown["row"] = address
    shown.update((name, _as(pl.String, found, name)) for name in also)
    if known:
        shown[REVISION] = whose[REVISION]
    matches = pl.DataFrame(list(shown.values()))
    return best_first(matches) if sort else matches


def best_first(matches: pl.DataFrame) -> pl.DataFrame:
    """Sort matches by their scores; equal scores in the order of titles and times."""
    scores = matches["score"].to_numpy()
    if (scores[1:] < scores[:-1]).all():
        return matches
    return matches.sort(_ORDER, descending=[True, False, False, False, False], nulls_last=True)


def read_rows(table: lance.LanceDataset, matches: pl.DataFrame, own: Sequence[str] = ()) -> pl.DataFrame:
    """Return ROWS behind matches, in their order; what a table of its shape has not is null.

    With `own`, names of columns, there is a column of that name besides: a struct of these.
    """
    if matches.is_empty():
        return pl.DataFrame(schema=ROWS)
    names, known = set(table.schema.names), set(matches.columns) if REVISION in matches.columns else {"row"}
    columns = {name: name if name in known else _column(name, names) for name in ROWS}
    wanted = [one for name, one in columns.items() if one and name not in known]
    found = columns_at(table, matches["row"], list(dict.fromkeys([*wanted, *own])))
    shown = [
        matches[name].cast(kind) if name in known else _as(kind, found, columns[name], len(matches)).alias(name)
        for name, kind in ROWS.items()
    ]
    if columns["end_ms"] == _INSTEAD["end_ms"]:
        shown[list(ROWS).index("start_ms")] = pl.Series("start_ms", np.zeros(len(matches), np.int64))
    return pl.DataFrame([*shown, *([found[list(own)].to_struct("own")] if own else [])])


def columns_at(table: lance.LanceDataset, addresses: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
    """Return some columns at addresses of a table, in their order."""
    if not columns:
        return pl.DataFrame(height=len(addresses))
    # Lance's public `take` counts rows that are left, and a scan with these addresses as its filter costs twice as
    # much. Without stable row ids, which no table here has, a row's id is its address.
    return pl.DataFrame(pl.from_arrow(table._take_rows(addresses.to_list(), columns=list(columns))))


def _column(name: str, names: Collection[str]) -> str | None:
    """Return the column of a table that is shown as one of ROWS, if there is any."""
    return next((one for one in (name, _INSTEAD.get(name)) if one in names), None)


def _as(kind: Any, found: pl.DataFrame, column: str | None, count: int | None = None) -> pl.Series:
    """Return a column as a type; null where the author of an algorithm has something else of that name.

    `count` says how many nulls; None: as many as there are rows.
    """
    own: pl.Series | None = found.get_column(column, default=None) if column is not None else None
    if own is None or not (own.dtype.is_numeric() if kind.is_numeric() else own.dtype == kind):
        return pl.Series(column or "", [None] * (len(found) if count is None else count), kind)
    return own if own.dtype == kind else own.cast(kind)
