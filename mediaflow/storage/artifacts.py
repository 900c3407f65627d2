"""Artifacts: what one stage gives for one title, as immutable Parquet parts under an input-addressed prefix.

Columns of vectors are written as bytes, little-endian, a row's numbers in a row, with their type in the file's
metadata: Parquet keeps a list of numbers number by number, which takes three times as long to read.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mediaflow.errors import NotFound, SystemFault
from mediaflow.storage import layout
from mediaflow.storage.objects import ObjectStore

if TYPE_CHECKING:
    import polars as pl


# Before the name of a column of vectors, in a file's metadata.
_KIND = "vector."


class Piece(NamedTuple):
    """One part of a stage's artifact: whose it is, which of it, and how many rows it was said to have."""

    title_id: str
    revision: str
    attempt: str
    rows: int


def write(store: ObjectStore, stage: str, title_id: str, revision: str, parts: Mapping[str, pl.DataFrame]) -> str:
    """Write the parts of an artifact and return the name of this attempt, which finds them again."""
    attempt = layout.new_attempt()
    for part, frame in parts.items():
        data = io.BytesIO()
        packed, kinds = _packed(frame)
        packed.write_parquet(data, compression="zstd", metadata=kinds)
        store.put(layout.artifact(stage, title_id, revision, attempt, part), data.getvalue())
    return attempt


def read(
    store: ObjectStore,
    stage: str,
    title_id: str,
    revision: str,
    attempt: str,
    part: str,
    columns: Sequence[str] | None = None,
) -> pl.DataFrame:
    """Return one part of an artifact, or some of its columns; `SystemFault` where its bytes cannot be read."""
    import polars as pl

    key = layout.artifact(stage, title_id, revision, attempt, part)
    advice = f"restore it, or materialize {stage} of {title_id} in Dagster with 'force' set"
    try:
        data = store.get(key)
        frame = pl.read_parquet(data, columns=None if columns is None else list(columns))
        return _unpacked(frame, pl.read_parquet_metadata(data))
    except NotFound as error:
        raise SystemFault(f"The artifact {key} is gone: {advice}.", key=key) from error
    except pl.exceptions.PolarsError as error:
        raise SystemFault(f"The artifact {key} is damaged ({error}): {advice}.", key=key) from error


def read_all(store: ObjectStore, stage: str, part: str, pieces: Sequence[Piece]) -> pl.DataFrame:
    """Return the rows of several artifacts, one after the other: a fraction of what reading them one by one costs.

    Raises
    ------
    SystemFault
        One of them cannot be read, or does not have the rows that it was said to have.
    """
    import polars as pl
    import pyarrow.parquet as pq

    def single(piece: Piece) -> pl.DataFrame:
        return read(store, stage, piece.title_id, piece.revision, piece.attempt, part)

    keys = [layout.artifact(stage, piece.title_id, piece.revision, piece.attempt, part) for piece in pieces]
    try:
        files = [store.get(key) for key in keys]
        frame = pl.read_parquet(files, use_statistics=False, parallel="none")
        frame = _unpacked(frame, pl.read_parquet_metadata(files[0]))
        counts = [pq.read_metadata(io.BytesIO(data)).num_rows for data in files] if len(files) > 1 else [len(frame)]
    except (NotFound, pl.exceptions.PolarsError, OSError, ValueError):
        # One of them is gone or damaged: by itself it says what is to be done.
        frames = [single(piece) for piece in pieces]
        try:
            frame, counts = pl.concat(frames), [len(one) for one in frames]
        except pl.exceptions.PolarsError as error:
            raise SystemFault(
                f"The artifacts {keys[0]} to {keys[-1]} do not fit each other ({error}): materialize {stage} in "
                "Dagster with 'force' set.",
                key=keys[0],
            ) from error
    for key, piece, count in zip(keys, pieces, counts, strict=True):
        if count != piece.rows:
            raise SystemFault(
                f"The artifact {key} has {count} rows, the ledger says {piece.rows}: materialize {stage} of "
                f"{piece.title_id} in Dagster with 'force' set.",
                key=key,
            )
    return frame


def _packed(frame: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, str]]:
    """Return a frame with its vectors as bytes, and what they are by column: kind and length, such as `Float16 512`."""
    import numpy as np
    import polars as pl
    import pyarrow as pa

    kinds, columns = {}, []
    for name, kind in frame.schema.items():
        if not isinstance(kind, pl.Array) or kind.inner not in (pl.Float16, pl.Float32) or not len(frame):
            continue
        column = frame[name]
        if column.null_count() or column.explode().null_count():
            continue
        rows = np.ascontiguousarray(column.to_numpy())
        kept = pa.FixedSizeBinaryArray.from_buffers(
            pa.binary(rows.itemsize * rows.shape[1]), len(rows), [None, pa.py_buffer(rows)]
        )
        columns.append(pl.Series(name, pl.from_arrow(kept)))
        kinds[_KIND + name] = f"{kind.inner} {kind.size}"
    return frame.with_columns(columns), kinds


def _unpacked(frame: pl.DataFrame, metadata: Mapping[str, str]) -> pl.DataFrame:
    """Return a frame with the vectors that `_packed` has made bytes."""
    import polars as pl

    kinds = {name: metadata[_KIND + name].split() for name in frame.columns if _KIND + name in metadata}
    vectors = [
        pl.col(name).bin.reinterpret(dtype=pl.Array(getattr(pl, number), int(size)), endianness="little")
        for name, (number, size) in kinds.items()
    ]
    unpacked = frame.with_columns(vectors) if vectors else frame
    if any(unpacked[name].null_count() for name in kinds):
        # Bytes of another length have become nothing; vectors that are not there are not packed.
        raise pl.exceptions.SchemaError(f"vectors of other lengths than {kinds} says")
    return unpacked
