"""Files of rows, read batch by batch: Parquet, or JSON a line. Nothing in them is trusted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediaflow.errors import SystemFault, UsageError
from mediaflow.imports.check import EMPTY, ROW, TITLE, Declared, Problem

if TYPE_CHECKING:
    import polars as pl

_MAGIC = b"PAR1"
_BATCH_BYTES = 16 << 20
_BATCH_ROWS = 65_536
# A line that is longer is not looked at: a row with a vector of 4,096 numbers is a hundred times shorter.
LONGEST_LINE = 8 << 20


@dataclass(frozen=True)
class Read:
    """Some rows of a file.

    Attributes
    ----------
    frame : polars.DataFrame
        `ROW`, `title` and the declared columns in their types.
    problems : list of Problem
        What is wrong with rows that are not in it.
    rows : int
        How many rows these are, all together.
    done : float
        How much of the file was read until here, from 0 to 1.
    """

    frame: pl.DataFrame
    rows: int
    done: float
    problems: list[Problem] = field(default_factory=list)


def read(path: Path, declared: Declared) -> tuple[int, Iterator[Read]]:
    """Return about how many bytes the rows of a file take, and the rows.

    Raises
    ------
    UsageError
        It is not there, or as a whole not of the declared type.
    """
    try:
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", path=str(path)) from error
    return _parquet(path, declared) if magic == _MAGIC else (path.stat().st_size, _lines(path, declared))


def _parquet(path: Path, declared: Declared) -> tuple[int, Iterator[Read]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path, memory_map=True)
        names = file.schema_arrow.names
        groups = (file.metadata.row_group(number) for number in range(file.metadata.num_row_groups))
        size, rows = sum(group.total_byte_size for group in groups), file.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _broken(path, error) from error
    _check_names(path, names, declared)
    wanted = [name for name in (TITLE, *declared.columns) if name in names]
    at_once = max(1, min(_BATCH_ROWS, _BATCH_BYTES * rows // max(size, 1)))

    def batches() -> Iterator[Read]:
        import polars as pl

        read = 0
        try:
            for batch in file.iter_batches(at_once, columns=wanted):
                frame = pl.from_arrow(pa.table(batch))
                assert isinstance(frame, pl.DataFrame)
                numbered = frame.with_row_index(ROW, read + 1)
                read += len(frame)
                typed, problems = _typed(path, numbered, declared)
                yield Read(typed, len(frame), read / max(rows, 1), problems)
        except (pa.ArrowException, OSError, pl.exceptions.PolarsError) as error:
            raise _broken(path, error) from error

    return size, batches()


def _broken(path: Path, error: Exception) -> UsageError:
    said = str(error).partition("\n")[0]
    return UsageError(f"{path} is broken Parquet ({said}): write it anew. Nothing was imported.", path=str(path))


def _check_names(path: Path, names: list[str], declared: Declared) -> None:
    missing = [name for name in (TITLE, *declared.columns) if name in declared.needed and name not in names]
    strange = [name for name in names if name != TITLE and name not in declared.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    for what, found in (("has no column", missing), ("has an undeclared column", strange), ("has twice", twice)):
        if found:
            name = declared.algorithm.name
            raise UsageError(f"{path} {what} {', '.join(found)}: {name} declares {declared.said()}.", columns=found)


def _typed(path: Path, frame: pl.DataFrame, declared: Declared) -> tuple[pl.DataFrame, list[Problem]]:
    """Return rows in the declared types, and what is wrong with those that do not fit them."""
    import polars as pl

    problems: list[Problem] = []
    for name, kind in {TITLE: pl.String(), **declared.columns}.items():
        if name not in frame.columns:
            frame = frame.with_columns(pl.lit(None, kind).alias(name))
            continue
        column = frame[name]
        if not _fits(column.dtype, kind):
            raise UsageError(
                f"{path} has the column {name} as {column.dtype}, and {declared.algorithm.name} declares {kind}: "
                "write it so.",
                column=name,
            )
        lost, what = _lost(column, kind)
        if lost.any():
            problems += [Problem(row, name, what) for row in frame.filter(lost)[ROW]]
            frame = frame.filter(~lost)
        frame = frame.with_columns(pl.col(name).cast(kind))
    return frame.select(ROW, TITLE, *declared.columns), problems


def _fits(there: Any, wanted: Any) -> bool:
    """Say whether values of one type can be values of another; whether each of them is, is another question."""
    import polars as pl

    if isinstance(wanted, pl.List | pl.Array):
        return isinstance(there, pl.List | pl.Array) and _fits(there.inner, wanted.inner)
    if isinstance(wanted, pl.Struct):
        fields = {one.name: one.dtype for one in there.fields} if isinstance(there, pl.Struct) else {}
        kinds = {one.name: one.dtype for one in wanted.fields}
        return fields.keys() == kinds.keys() and all(_fits(fields[name], kind) for name, kind in kinds.items())
    if there == pl.Null:
        return True
    if wanted == pl.String:
        return there in (pl.String, pl.Categorical, pl.Enum)
    return bool(there.is_numeric()) if wanted.is_numeric() else bool(there == wanted)


def _lost(column: pl.Series, kind: Any) -> tuple[pl.Series, str]:
    """Return which values do not come through a cast, and what is wrong with those."""
    import polars as pl

    if isinstance(kind, pl.Array):
        lengths = column.arr.len() if isinstance(column.dtype, pl.Array) else column.list.len()
        return (lengths != kind.size).fill_null(False), f"does not have {kind.size} numbers: write as many."
    if kind.is_nested():
        return pl.Series([False]).new_from_index(0, len(column)), ""
    cast = column.cast(kind, strict=False)
    lost = cast.is_null() & column.is_not_null()
    if kind.is_integer() and column.dtype.is_float():
        lost |= (cast.cast(column.dtype) != column).fill_null(False)
        return lost, f"is not a whole number that fits {kind}: write one."
    return lost, f"does not fit {kind}: write a smaller number."


def _lines(path: Path, declared: Declared) -> Iterator[Read]:
    """Yield the rows of a file with one JSON object a line."""
    import polars as pl
    from pydantic_core import SchemaValidator, ValidationError

    row = SchemaValidator(_row_schema(declared))
    size = max(path.stat().st_size, 1)
    schema = {ROW: pl.UInt32, TITLE: pl.String, **declared.columns}
    rows: list[dict[str, Any]] = []
    problems: list[Problem] = []
    held = 0

    def taken(done: int) -> Read:
        frame = pl.DataFrame({name: [one.get(name) for one in rows] for name in schema}, schema=schema)
        return Read(frame, len(rows) + len(problems), done / size, list(problems))

    done = 0
    for number, line in _each_line(path):
        done += len(line)
        if len(line) > LONGEST_LINE:
            problems.append(Problem(number, "", f"is longer than {LONGEST_LINE} bytes: leave it out."))
            continue
        if not line.strip():
            continue
        try:
            rows.append({**row.validate_json(line), ROW: number})
        except ValidationError as error:
            problems.append(_said(number, error.errors(include_url=False)[0], declared))
        held += len(line)
        if held > _BATCH_BYTES // 2 or len(rows) + len(problems) >= _BATCH_ROWS:
            yield taken(done)
            rows, problems, held = [], [], 0
    yield taken(size)


def _each_line(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield lines with their numbers, from 1; of one that is too long only so much that it shows."""
    try:
        with path.open("rb") as file:
            number = 1
            while line := file.readline(LONGEST_LINE + 1):
                rest = line
                while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
                    rest = file.readline(LONGEST_LINE + 1)
                yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
                number += 1
    except OSError as error:
        raise SystemFault(f"{path} cannot be read: {error.strerror}.", path=str(path)) from error


def _said(number: int, error: Any, declared: Declared) -> Problem:
    """Return what is wrong with a line, as the validator says it."""
    if error["type"] == "json_invalid":
        return Problem(number, "", f"is no JSON ({error['ctx']['error']}): write one object a line.")
    column = str(error["loc"][0]) if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        return Problem(number, column, f"is not declared: {declared.algorithm.name} declares {declared.said()}.")
    if not column:
        return Problem(number, "", "is no JSON object: write one a line.")
    if error["type"] == "missing":
        return Problem(number, column, EMPTY)
    kind = declared.columns.get(column, "String")
    return Problem(number, column, f"is not {kind} ({error['msg'][:1].lower()}{error['msg'][1:]}): mend it.")


def _row_schema(declared: Declared) -> Any:
    """Return the schema of a row as JSON: what is needed is there, of its own fields any may be missing or null."""
    from pydantic_core import core_schema

    fields = {TITLE: core_schema.typed_dict_field(core_schema.str_schema(strict=True))}
    for name, kind in declared.columns.items():
        own, needed = _json_schema(kind), name in declared.needed
        fields[name] = core_schema.typed_dict_field(
            own if needed else core_schema.nullable_schema(own), required=needed
        )
    return core_schema.typed_dict_schema(fields, extra_behavior="forbid")


def _json_schema(kind: Any) -> Any:
    """Return the schema of JSON values that a Polars type can hold."""
    import polars as pl
    from pydantic_core import core_schema

    if isinstance(kind, pl.Array):
        return core_schema.list_schema(_json_schema(kind.inner), min_length=kind.size, max_length=kind.size)
    if isinstance(kind, pl.List):
        return core_schema.list_schema(core_schema.nullable_schema(_json_schema(kind.inner)))
    if isinstance(kind, pl.Struct):
        fields = {
            one.name: core_schema.typed_dict_field(core_schema.nullable_schema(_json_schema(one.dtype)), required=False)
            for one in kind.fields
        }
        return core_schema.typed_dict_schema(fields, extra_behavior="forbid")
    if kind.is_integer():
        # No type is wider than 64 bits, which its name ends with.
        bits = int("".join(filter(str.isdigit, str(kind))))
        signed = not str(kind).startswith("U")
        least, most = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        return core_schema.int_schema(strict=True, ge=least, le=most)
    if kind.is_float():
        return core_schema.float_schema(strict=True, allow_inf_nan=False)
    return core_schema.bool_schema(strict=True) if kind == pl.Boolean else core_schema.str_schema(strict=True)
