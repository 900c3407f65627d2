"""The columns of each shape, and the check that a result has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from mediaflow.algorithms.contract import Algorithm, Shape
from mediaflow.errors import MediaflowError

_TIME: dict[str, Any] = {"start_ms": pl.Int64, "end_ms": pl.Int64}
BOX = ("x", "y", "w", "h")
VECTOR = "vector"
_BOX: dict[str, Any] = dict.fromkeys(BOX, pl.Float32)
_COLUMNS: dict[Shape, dict[str, Any]] = {
    Shape.SHOT_VECTOR: {"shot_no": pl.Int32, **_TIME, VECTOR: pl.Array(pl.Float16, 0)},
    Shape.FRAME_VECTOR: {**_TIME, **_BOX, VECTOR: pl.Array(pl.Float16, 0)},
    Shape.TEXT: {**_TIME, "text": pl.String},
    Shape.BOXED_TEXT: {**_TIME, "text": pl.String, "confidence": pl.Float32, **_BOX},
    Shape.LABEL: {**_TIME, "label": pl.String, "confidence": pl.Float32},
    Shape.RANGE: {**_TIME, "score": pl.Float32},
}
# So far a box may reach out of the picture: what numbers of half precision lose.
ROUNDED = 1e-3
# So far from 1 a norm may be: half precision leaves about three digits.
UNIT_NORM = 5e-3
TEXT_SHAPES, VECTOR_SHAPES, BOXED_SHAPES = (
    tuple(shape for shape, columns in _COLUMNS.items() if column in columns) for column in ("text", VECTOR, "x")
)


class WrongResult(MediaflowError):
    """An algorithm gave something else than it declared."""


def columns(algorithm: Algorithm, dim: int | None) -> Mapping[str, Any]:
    """Return the columns of an algorithm's rows; `dim` is the length of its vectors."""
    return shape_columns(algorithm.shape, dim) | dict(algorithm.fields)


def shape_columns(shape: Shape, dim: int | None) -> dict[str, Any]:
    """Return the columns that every algorithm of a shape gives."""
    found = dict(_COLUMNS[shape])
    return found | {VECTOR: pl.Array(pl.Float16, dim or 0)} if shape in VECTOR_SHAPES else found


def conform(algorithm: Algorithm, result: Any, dim: int | None) -> pl.DataFrame:
    """Return a result as its declared columns, cast without loss of meaning.

    Raises
    ------
    WrongResult
        A column of the shape is missing, of another kind or has empty values, a time range runs backwards, a box
        reaches out of the picture, or a vector is not of unit norm.
    """
    if not isinstance(result, pl.DataFrame):
        raise WrongResult(f"{algorithm.name} gave a {type(result).__name__} where a polars DataFrame was asked for.")
    wanted = columns(algorithm, dim)
    if not result.columns:
        # What `pl.DataFrame(rows)` gives where there are no rows.
        return pl.DataFrame(schema=wanted)
    missing = [name for name in wanted if name not in result.columns]
    if missing:
        raise WrongResult(f"{algorithm.name} gave no column {', '.join(missing)}; it declares {', '.join(wanted)}.")
    try:
        frame = result.select(pl.col(name).cast(kind) for name, kind in wanted.items())
    except pl.exceptions.PolarsError as error:
        raise WrongResult(f"{algorithm.name} gave a column of another kind than it declares: {error}.") from error
    if algorithm.shape in TEXT_SHAPES:
        # Queries are in this form too: an accent is one character on both sides.
        frame = frame.with_columns(pl.col("text").str.normalize("NFC"))
    for name in shape_columns(algorithm.shape, dim):
        empty = pl.col(name).is_nan() if wanted[name] == pl.Float32 else pl.col(name).is_null()
        if len(bad := frame.filter(empty.fill_null(True))):
            raise WrongResult(f"{algorithm.name} gave {len(bad)} rows whose {name} is empty.")
    if len(bad := frame.filter(pl.col("start_ms") > pl.col("end_ms"))):
        raise WrongResult(f"{algorithm.name} gave {len(bad)} rows whose time range does not run forward.")
    if algorithm.shape in BOXED_SHAPES and len(bad := frame.filter(outside_of_picture())):
        raise WrongResult(f"{algorithm.name} gave {len(bad)} boxes that reach out of the picture, which is 1 by 1.")
    if algorithm.shape in VECTOR_SHAPES and len(frame):
        _check_unit(algorithm, frame)
    return frame


def outside_of_picture() -> pl.Expr:
    """Return which boxes reach out of the picture, by more than rounding."""
    inside = [pl.col(name).is_between(0, 1) for name in BOX]
    ends = [pl.col(start) + pl.col(size) <= 1 + ROUNDED for start, size in (("x", "w"), ("y", "h"))]
    return ~pl.all_horizontal(*inside, *ends)


def _check_unit(algorithm: Algorithm, frame: pl.DataFrame) -> None:
    import numpy as np

    norms = np.linalg.norm(frame["vector"].to_numpy().astype(np.float32), axis=1)
    if not np.all(np.abs(norms - 1) < UNIT_NORM):
        raise WrongResult(f"{algorithm.name} gave vectors that are not of unit norm (seen: {norms.min():.3f}).")
