"""Rows by their own columns: time ranges with at least a score, and any rows with such a value in a field."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mediaflow.errors import UsageError
from mediaflow.search.literals import at_least, both, column, text_literal
from mediaflow.search.query import Comparison
from mediaflow.search.searchers.matches import read_matches

if TYPE_CHECKING:
    import lance
    import polars as pl

_SIGNS: dict[Comparison, str] = {"equals": "=", "least": ">=", "most": "<="}
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
        chosen = both(condition, at_least("score", self.least))
        return read_matches(table, "score", filter=chosen, order_by=order, limit=limit)


@dataclass(frozen=True)
class FieldSearcher:
    """Finds the rows whose column `field` compares so with `value`; scored by their confidence or score, if they have.

    Texts are equal in upper or lower case; numbers and truth values ("true", "false") are read from `value`.
    """

    field: str
    value: str
    comparison: Comparison = "equals"

    ranks: ClassVar[bool] = False

    def search(self, table: lance.LanceDataset, condition: str | None, limit: int | None) -> pl.DataFrame:
        from lance.dataset import ColumnOrdering

        score = next((name for name in ("confidence", "score") if name in table.schema.names), None)
        order = [ColumnOrdering(score, ascending=False)] if score else None
        return read_matches(table, score, filter=both(condition, self.condition(table)), order_by=order, limit=limit)

    def condition(self, table: lance.LanceDataset) -> str:
        """Return the condition that chooses the rows; `UsageError` where the value does not fit the column."""
        import pyarrow as pa

        kind = table.schema.field(self.field).type
        name, value, sign = column(self.field), self.value.strip(), _SIGNS[self.comparison]
        try:
            if pa.types.is_boolean(kind) and self.comparison == "equals":
                return f"{name} = {_TRUTH[value.casefold()]}"
            if pa.types.is_integer(kind):
                return f"{name} {sign} {pa.scalar(int(value), kind).as_py()}"
            if pa.types.is_floating(kind):
                return f"{name} {sign} CAST({number(value)!r} AS {'DOUBLE' if kind == pa.float64() else 'FLOAT'})"
        except (KeyError, ValueError, OverflowError) as error:
            raise UsageError(
                f"The field {self.field!r} is of type {kind}, and {value!r} is none; give a value of that type.",
                field=self.field,
                value=value,
            ) from error
        if pa.types.is_string(kind) and self.comparison == "equals":
            return f"lower({name}) = lower({text_literal(value)})"
        how = "searched" if self.comparison == "equals" else f"compared by 'at {self.comparison}'"
        raise UsageError(f"The field {self.field!r} is of type {kind}, which cannot be {how}.", field=self.field)


@dataclass(frozen=True)
class EverySearcher:
    """Finds all rows that fulfil the condition: one that is the whole clause."""

    ranks: ClassVar[bool] = False

    def search(self, table: lance.LanceDataset, condition: str | None, limit: int | None) -> pl.DataFrame:
        return read_matches(table, None, filter=condition, limit=limit)
