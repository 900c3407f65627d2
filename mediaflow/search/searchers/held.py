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
"""Tables of more rows are not held; one of so many takes 120 MB."""

RANGE = ("title_no", "start_ms", "end_ms")
REVISION = "revision"

# A row's address: its fragment, and its place there, which rows that were deleted leave empty.
_OFFSET_BITS, _OFFSET = np.uint64(32), np.uint64(2**32 - 1)
_ROW = np.dtype([("title_no", np.int32), (REVISION, np.uint32), ("start_ms", np.int64), ("end_ms", np.int64)])

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
        rows = pl.DataFrame(pl.from_arrow(scanned))
        # Rows of a title have one text; it is held once.
        self._revisions = rows[REVISION].unique()
        address = rows["_rowaddr"].to_numpy()
        self._fragments, fragment = np.unique(address >> _OFFSET_BITS, return_inverse=True)
        offset = (address & _OFFSET).astype(np.int64)
        sizes = np.zeros(len(self._fragments), np.int64)
        np.maximum.at(sizes, fragment, offset + 1)
        self._begins = np.concatenate([[0], sizes.cumsum()])
        # What belongs to one row stands together: of all that is read here, little is in the processor's cache.
        self._rows = np.zeros(self._begins[-1], _ROW)
        places = self._begins[fragment] + offset
        for name in RANGE:
            self._rows[name][places] = rows[name].to_numpy()
        self._rows[REVISION][places] = rows[REVISION].cast(pl.Enum(self._revisions)).to_physical().to_numpy()

    def at(self, addresses: NDArray[np.uint64]) -> pl.DataFrame:
        """Return `title_no`, `start_ms`, `end_ms` and `revision` of the rows at some addresses, in their order."""
        fragment = np.searchsorted(self._fragments, addresses >> _OFFSET_BITS)
        rows = self._rows[self._begins[fragment] + (addresses & _OFFSET).astype(np.int64)]
        own = [pl.Series(name, np.ascontiguousarray(rows[name])) for name in RANGE]
        return pl.DataFrame([*own, self._revisions.gather(pl.Series(np.ascontiguousarray(rows[REVISION])))])


def hold(table: lance.LanceDataset) -> None:
    """Hold what the rows of a table have, for as long as this handle of it lasts, where it is not too large."""
    if table.count_rows() <= MOST_ROWS and {*RANGE, REVISION} <= set(table.schema.names):
        _held[table] = Held(table)


def held(table: lance.LanceDataset) -> Held | None:
    """Return what is held of a table, None where nothing is."""
    return _held.get(table)
