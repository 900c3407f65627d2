"""Columns of Lance tables: the Arrow schema of declared Polars columns, and rows of Polars made to fit a schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

# What every row has: its title's number, and the revision of the artifact that it came from.
KEYS = ("title_no", "revision")


def schema_of(columns: Mapping[str, Any]) -> pa.Schema:
    """Return the schema of a table with these columns (Polars data types by name), the keys first."""
    import polars as pl
    import pyarrow as pa

    frame = pl.DataFrame(schema={"title_no": pl.Int32, "revision": pl.String, **columns})
    return pa.schema([(field.name, _plain(field.type)) for field in frame.to_arrow().schema])


def fitted(rows: pl.DataFrame, schema: pa.Schema, columns: Mapping[str, Any]) -> pa.Table:
    """Return rows of the declared columns as a table with that schema.

    A table that an earlier version has made may have columns that nobody declares any more: they stay empty.

    Raises
    ------
    KeyError, pyarrow.ArrowInvalid, pyarrow.ArrowNotImplementedError
        The rows do not fit.
    """
    import pyarrow as pa

    table, declared = rows.to_arrow(), {*KEYS, *columns}
    found = [table[field.name] if field.name in declared else pa.nulls(len(table), field.type) for field in schema]
    return pa.table(found, schema.names).cast(schema)


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type without Polars' 64-bit offsets, which Lance has no use for."""
    import pyarrow as pa

    if pa.types.is_large_string(kind) or kind == pa.string_view():
        return pa.string()
    if pa.types.is_large_binary(kind) or kind == pa.binary_view():
        return pa.binary()
    if pa.types.is_large_list(kind):
        return pa.list_(_plain(kind.value_type))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(pa.field("item", kind.value_type), kind.list_size)
    return kind
