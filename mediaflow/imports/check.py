"""What is wrong with imported rows: a sentence a bad row, which names row and column and says what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from mediaflow.algorithms.contract import Algorithm
from mediaflow.algorithms.shapes import BOX, ROUNDED, UNIT_NORM, VECTOR, columns, shape_columns

if TYPE_CHECKING:
    import polars as pl

TITLE = "title"
# The number of a row in its file, from 1; of a line, where rows are lines.
ROW = "row of the file"
EMPTY = "is empty: every row needs it."
# Containers, decoders and tools differ about where a film ends.
SLACK_MS = 1_000


class Problem(NamedTuple):
    """What is wrong with a row: its number from 1, the column (empty: the row as a whole), and a sentence."""

    row: int
    column: str
    what: str

    @property
    def sentence(self) -> str:
        """Row, column and what is wrong, as people read it."""
        return f"Row {self.row}: {self.column} {self.what}" if self.column else f"Row {self.row} {self.what}"


@dataclass(frozen=True)
class Declared:
    """What the rows of a file must be.

    Attributes
    ----------
    algorithm : Algorithm
        Says the columns.
    dim : int or None
        The length of its vectors, where it has any.
    """

    algorithm: Algorithm
    dim: int | None

    @cached_property
    def columns(self) -> Mapping[str, Any]:
        """The columns of rows and their types, without `title`."""
        return columns(self.algorithm, self.dim)

    @cached_property
    def needed(self) -> frozenset[str]:
        """The columns that may not be empty."""
        return frozenset({TITLE, *shape_columns(self.algorithm.shape, self.dim)})

    def said(self) -> str:
        """Return the columns as people read them."""
        return ", ".join([TITLE, *(f"{name} ({kind})" for name, kind in self.columns.items())])


class Titles:
    """The titles that rows can name, by id or, where only one has it, by name.

    Parameters
    ----------
    names : sequence of (str, str)
        Id and name of every title.
    durations_ms : Mapping[str, int]
        By id, as far as it is known.
    """

    def __init__(self, names: Sequence[tuple[str, str]], durations_ms: Mapping[str, int]) -> None:
        self._ids = {title_id for title_id, _ in names}
        self._named: dict[str, list[str]] = {}
        for title_id, name in names:
            self._named.setdefault(name.casefold(), []).append(title_id)
        self._durations_ms = durations_ms

    def find(self, said: str) -> tuple[str | None, int | None, str]:
        """Return id and duration of a title, or what is wrong with what was said."""
        found = [said] if said in self._ids else self._named.get(said.strip().casefold(), [])
        if len(found) == 1:
            return found[0], self._durations_ms.get(found[0]), ""
        if found:
            return None, None, f"is {said!r}, as more than one is called: name it by its id ({', '.join(found)})."
        return None, None, f"is {said!r}, and there is no such title: 'mediaflow titles' lists them."


def outside_of(duration_ms: int | pl.Expr) -> pl.Expr:
    """Return which rows end after their film."""
    import polars as pl

    return pl.col("end_ms") > duration_ms + SLACK_MS


def sound(frame: pl.DataFrame, declared: Declared, titles: Titles) -> tuple[pl.DataFrame, list[Problem]]:
    """Take rows that are not sound out of a batch.

    Parameters
    ----------
    frame : polars.DataFrame
        `ROW`, `title` (String) and the declared columns in their types.
    declared, titles
        What they must be, and be about.

    Returns
    -------
    (polars.DataFrame, list of Problem)
        The sound rows with `title` as the id, and what is wrong with each of the others: the first thing.
    """
    import polars as pl

    said = {one: titles.find(one) for one in frame[TITLE].drop_nulls().unique()}
    known = pl.DataFrame(
        [(one, *found) for one, found in said.items()],
        schema={TITLE: pl.String, "id": pl.String, "duration": pl.Int64, "wrong": pl.String},
        orient="row",
    )
    frame = frame.join(known, on=TITLE, how="left", maintain_order="left")
    problems: list[Problem] = []
    for column, wrong, what in _rules(declared):
        bad = frame.filter(wrong)
        if len(bad):
            problems += [Problem(row, column, one) for row, one in bad.select(ROW, what.alias("what")).iter_rows()]
            frame = frame.filter(~wrong)
    return frame.with_columns(pl.col("id").alias(TITLE)).drop("id", "duration", "wrong"), sorted(problems)


def _rules(declared: Declared) -> Iterator[tuple[str, pl.Expr, pl.Expr]]:
    """Yield a column, which rows are wrong in it, and what is wrong with each."""
    import polars as pl

    def one(column: str, wrong: pl.Expr, what: str, *values: str) -> tuple[str, pl.Expr, pl.Expr]:
        return column, wrong.fill_null(False), pl.format(what, *values) if values else pl.lit(what)

    for name in (TITLE, *(name for name in declared.columns if name in declared.needed)):
        yield one(name, pl.col(name).is_null(), EMPTY)
    yield one(TITLE, pl.col("wrong") != "", "{}", "wrong")
    for name, kind in declared.columns.items():
        if kind.is_float():
            yield one(name, ~pl.col(name).is_finite(), "is not a finite number: leave the row out.")
    yield one("start_ms", pl.col("start_ms") < 0, "is {}: write milliseconds from the start of the film.", "start_ms")
    backwards = pl.col("start_ms") > pl.col("end_ms")
    yield one("end_ms", backwards, "is {}, before start_ms ({}): a range runs forward.", "end_ms", "start_ms")
    after = "is {}, and the film lasts {} ms: write milliseconds from its start."
    yield one("end_ms", outside_of(pl.col("duration")), after, "end_ms", "duration")
    if set(BOX) <= declared.columns.keys():
        yield from (one(*rule) for rule in _box_rules())
    if "confidence" in declared.needed:
        beyond = ~pl.col("confidence").is_between(0, 1)
        yield one("confidence", beyond, "is {}: write a number from 0 to 1.", "confidence")
    for name in {"label", "text"} & declared.needed:
        yield one(name, pl.col(name).str.strip_chars() == "", "is empty: leave the row out.")
    if VECTOR in declared.needed:
        squares = pl.col(VECTOR).cast(pl.Array(pl.Float32, declared.dim or 0)).arr.eval(pl.element() ** 2)
        norm = squares.arr.sum().sqrt()
        yield one(VECTOR, ~norm.is_finite(), "has numbers that are not finite: leave the row out.")
        what = pl.format("has the norm {}: divide it by that, as vectors are of unit norm.", norm.round(4))
        yield VECTOR, (norm - 1).abs() > UNIT_NORM, what


def _box_rules() -> Iterator[tuple[str, pl.Expr, str, str]]:
    import polars as pl

    fractions = "is {}: boxes are fractions of the picture, from 0 to 1."
    for name in BOX:
        yield name, ~pl.col(name).is_between(0, 1), fractions, name
    for start, size in (("x", "w"), ("y", "h")):
        beyond = pl.col(start) + pl.col(size) > 1 + ROUNDED
        yield size, beyond, f"is {{}}, and with {start} the box ends outside of the picture: make it smaller.", size
