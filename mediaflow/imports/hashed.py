"""The hash of a title's rows: the same for the same rows in any order, in any file, on any machine."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_BYTES = 16


def revision(rows: pl.DataFrame) -> str:
    """Return the BLAKE2b hash (32 hex digits) of rows: of the names, types and values of their columns.

    Parameters
    ----------
    rows : polars.DataFrame
        Columns of numbers, Boolean, String, and List, Array or Struct of those.
    """
    import polars as pl

    flat = pl.DataFrame([_flat(column) for column in rows])
    digest = hashlib.blake2b(digest_size=_BYTES)
    digest.update(json.dumps([[name, str(kind)] for name, kind in rows.schema.items()]).encode())
    for column in flat.sort(flat.columns, nulls_last=True):
        digest.update(column.is_null().to_numpy().tobytes())
        if column.dtype in (pl.String, pl.Binary):
            data = column.cast(pl.Binary).fill_null(b"")
            digest.update(data.bin.size().cast(pl.UInt32).to_numpy().astype("<u4").tobytes())
            digest.update(b"".join(data))
        else:
            values = column.fill_null(0).to_numpy()
            digest.update(values.astype(values.dtype.newbyteorder("<")).tobytes())
    return digest.hexdigest()


def _flat(column: pl.Series) -> pl.Series:
    """Return a column whose values can be sorted: vectors as bytes, other nested values as JSON."""
    import polars as pl

    kind = column.dtype
    if kind == pl.Boolean:
        return column.cast(pl.UInt8)
    if kind.is_float():
        # Zero has two signs, and one meaning.
        return column + 0.0
    if not kind.is_nested():
        return column
    if isinstance(kind, pl.Array) and not column.null_count() and not column.explode().null_count():
        numbers = column.to_numpy()
        return pl.Series(column.name, [row.astype(row.dtype.newbyteorder("<")).tobytes() for row in numbers], pl.Binary)
    said = [None if one is None else json.dumps(one, sort_keys=True) for one in column.to_list()]
    return pl.Series(column.name, said, pl.String)
