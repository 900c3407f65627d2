"""What every row of a table has, held in memory: whose it is, its range, its revision, how long its text is.

Lance reads each value of each row that is found by itself. An index that only has to name rows answers with a fifth
less work, and what is asked for everything that fits with less than half.
"""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterable
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

# How often words stand is guessed from so many texts.
_SAMPLE = 20_000
# A row's address: its fragment, and its place there, which rows that were deleted leave empty.
_OFFSET_BITS, _OFFSET = np.uint64(32), np.uint64(2**32 - 1)
_ROW = np.dtype(
    [
        ("title_no", np.int32),
        (REVISION, np.uint32),
        ("start_ms", np.int64),
        ("end_ms", np.int64),
        ("length", np.uint32),
    ]
)

_held: weakref.WeakKeyDictionary[lance.LanceDataset, Held] = weakref.WeakKeyDictionary()


class Held:
    """The rows of one version of a table, by their addresses.

    Parameters
    ----------
    table : lance.LanceDataset
        With columns `title_no`, `start_ms`, `end_ms` and `revision`.
    """

    def __init__(self, table: lance.LanceDataset) -> None:
        text = ["text"] if "text" in table.schema.names else []
        scanned = table.scanner(columns=[*RANGE, REVISION, *text], with_row_address=True).to_table()
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
        self.counts = count_titles(rows["title_no"].to_numpy())
        self._shares: dict[str, float] = {}
        if text:
            self._rows["length"][places] = length_of(rows["text"]).to_numpy()
            self._shares = _shares(rows["text"].gather_every(max(1, len(rows) // _SAMPLE)))
        self._rows[REVISION][places] = rows[REVISION].cast(pl.Enum(self._revisions)).to_physical().to_numpy()

    def at(self, addresses: NDArray[np.uint64]) -> pl.DataFrame:
        """Return `title_no`, `start_ms`, `end_ms` and `revision` of the rows at some addresses, in their order."""
        rows = self._rows[self._places(addresses)]
        own = [pl.Series(name, np.ascontiguousarray(rows[name])) for name in RANGE]
        return pl.DataFrame([*own, self._revisions.gather(pl.Series(np.ascontiguousarray(rows[REVISION])))])

    def lengths(self, addresses: NDArray[np.uint64]) -> pl.Series:
        """Return `length`, of the texts of the rows at some addresses; 0 where the table has no texts."""
        return pl.Series("length", self._rows["length"][self._places(addresses)])

    def share(self, words: Iterable[str]) -> float:
        """Guess in which share of the rows all of some words stand; 0 of those that stand in few."""
        return math.prod(self._shares.get(word.lower(), 0.0) for word in words)

    def _places(self, addresses: NDArray[np.uint64]) -> NDArray[np.int64]:
        fragment = np.searchsorted(self._fragments, addresses >> _OFFSET_BITS)
        places: NDArray[np.int64] = self._begins[fragment] + (addresses & _OFFSET).astype(np.int64)
        return places


def _shares(texts: pl.Series) -> dict[str, float]:
    """Return in which share of some texts words stand, of those that stand in one of a hundred."""
    words = texts.str.to_lowercase().str.extract_all(r"\w+").list.unique().explode()
    counts = words.drop_nulls().value_counts(name="count")
    usual = counts.filter(pl.col("count") * 100 >= len(texts))
    return {word: count / len(texts) for word, count in usual.iter_rows()}


def length_of(texts: pl.Series) -> pl.Series:
    """Return `length`: of how many characters texts are."""
    return texts.str.len_chars().fill_null(0).alias("length")


def hold(table: lance.LanceDataset) -> None:
    """Hold what the rows of a table have, for as long as this handle of it lasts, where it is not too large."""
    if table.count_rows() <= MOST_ROWS and {*RANGE, REVISION} <= set(table.schema.names):
        _held[table] = Held(table)


def held(table: lance.LanceDataset) -> Held | None:
    """Return what is held of a table, None where nothing is."""
    return _held.get(table)


def rows_of_titles(table: lance.LanceDataset, titles: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return how many rows of a table each of some titles has."""
    known = held(table)
    if known is None:
        known_counts = count_titles(table.to_table(columns=["title_no"])["title_no"].to_numpy())
    else:
        known_counts = known.counts
    counts = np.zeros(max(len(known_counts), int(titles.max(initial=-1)) + 1), np.int64)
    counts[: len(known_counts)] = known_counts
    rows: NDArray[np.int64] = counts[titles]
    return rows


def count_titles(title_no: NDArray[np.int32]) -> NDArray[np.int64]:
    """Return by title number how many rows there are."""
    return np.bincount(title_no).astype(np.int64)
