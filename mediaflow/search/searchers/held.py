"""What every row of a table has, held in memory: whose it is, its range, its revision.

Lance reads each value of each row that is found by itself. An index that only has to name rows answers with a fifth
less work, and what is asked for everything that fits with less than half.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

if TYPE_CHECKING:
    import lance
    from numpy.typing import NDArray

MOST_ROWS = 5_000_000
"""Tables of more rows are not held; one of so many takes 140 MB."""

RANGE = ("title_no", "start_ms", "end_ms")
REVISION = "revision"

_held: weakref.WeakKeyDictionary[lance.LanceDataset, Held] = weakref.WeakKeyDictionary()


class Held:
    """The rows of one version of a table, by their addresses.

    Parameters
    ----------
    table : lance.LanceDataset
        With columns `title_no`, `start_ms`, `end_ms` and `revision`.
    """

    def __init__(self, table: lance.LanceDataset) -> None:
        scanned = table.scanner(columns=[*RANGE, REVISION], with_row_address=True).to_table()
        rows = pl.DataFrame(pl.from_arrow(scanned)).sort("_rowaddr")
        # Rows of a title have one text; it is held once.
        told = pl.Enum(rows[REVISION].unique().drop_nulls())
        self._rows = rows.select(*RANGE, pl.col(REVISION).cast(told)).rechunk()
        self._addresses = rows["_rowaddr"].to_numpy()

    def at(self, addresses: NDArray[np.uint64]) -> pl.DataFrame:
        """Return `title_no`, `start_ms`, `end_ms` and `revision` of the rows at some addresses, in their order."""
        return self._rows[np.searchsorted(self._addresses, addresses)]


def hold(table: lance.LanceDataset) -> None:
    """Hold what the rows of a table have, for as long as this handle of it lasts, where it is not too large."""
    if table.count_rows() <= MOST_ROWS and {*RANGE, REVISION} <= set(table.schema.names):
        _held[table] = Held(table)


def held(table: lance.LanceDataset) -> Held | None:
    """Return what is held of a table, None where nothing is."""
    return _held.get(table)
