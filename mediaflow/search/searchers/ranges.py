"""Rows by their own columns: time ranges with at least a score, and any rows with a field that equals a value."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mediaflow.errors import UsageError
from mediaflow.search.literals import both, column, text_literal
from mediaflow.search.searchers.matches import read_matches

if TYPE_CHECKING:
    import lance
    import polars as pl

_TRUTH = {"true": "true", "yes": "true", "1": "true", "false": "false", "no": "false", "0": "false"}


def number(value: str) -> float:
    """Read a finite number; `ValueError` where it is none."""
    read = float(value)
    if not math.isfinite(read):
        raise ValueError(f"{value!r} is not finite")
    return read


@dataclass(frozen=True)
class RangeSearcher:
    """Finds the rows with the greatest scores, none below `least`."""

    least: float

    ranks: ClassVar[bool] = False

    def search(self, table: lance.LanceDataset, condition: str | None, limit: int | None) -> pl.DataFrame:
        from lance.dataset import ColumnOrdering

        order = [ColumnOrdering("score", ascending=False)]
        # A score is kept as Float32: compared as one, 0.9 is at least 0.9.
        enough = f"score >= CAST({self.least!r} AS FLOAT)"
        return read_matches(table, "score", filter=both(condition, enough), order_by=order, limit=limit)


@dataclass(frozen=True)
class FieldSearcher:
    """Finds the rows whose column `field` equals `value`; scored by the rows' confidence or score where they have one.

    Texts are equal in upper or lower case; numbers and truth values ("true", "false") are read from `value`.
    """

    field: str
    value: str

    ranks: ClassVar[bool] = False

    def search(self, table: lance.LanceDataset, condition: str | None, limit: int | None) -> pl.DataFrame:
        from lance.dataset import ColumnOrdering

        score = next((name for name in ("confidence", "score") if name in table.schema.names), None)
        order = [ColumnOrdering(score, ascending=False)] if score else None
        chosen = both(condition, self._equals(table))
        return read_matches(table, score, filter=chosen, order_by=order, limit=limit)

    def _equals(self, table: lance.LanceDataset) -> str:
        import pyarrow as pa

        kind = table.schema.field(self.field).type
        name, value = column(self.field), self.value.strip()
        try:
            if pa.types.is_boolean(kind):
                return f"{name} = {_TRUTH[value.casefold()]}"
            if pa.types.is_integer(kind):
                return f"{name} = {pa.scalar(int(value), kind).as_py()}"
            if pa.types.is_floating(kind):
                return f"{name} = CAST({number(value)!r} AS {'DOUBLE' if kind == pa.float64() else 'FLOAT'})"
        except (KeyError, ValueError, OverflowError) as error:
            raise UsageError(
                f"The field {self.field!r} is of type {kind}, and {value!r} is none; give a value of that type.",
                field=self.field,
                value=value,
            ) from error
        if pa.types.is_string(kind):
            return f"lower({name}) = lower({text_literal(value)})"
        raise UsageError(f"The field {self.field!r} is of type {kind}, which cannot be searched.", field=self.field)
