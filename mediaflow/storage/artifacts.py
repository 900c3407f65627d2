"""Artifacts: what one stage gives for one title, as immutable Parquet parts under an input-addressed prefix."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from mediaflow.errors import NotFound, SystemFault
from mediaflow.storage import layout
from mediaflow.storage.objects import ObjectStore

if TYPE_CHECKING:
    import polars as pl


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
        frame.write_parquet(data, compression="zstd")
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
        return pl.read_parquet(io.BytesIO(data), columns=None if columns is None else list(columns))
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
        counts = [pq.read_metadata(io.BytesIO(data)).num_rows for data in files] if len(files) > 1 else [len(frame)]
    except (NotFound, pl.exceptions.PolarsError, OSError, ValueError):
        # One of them is gone or damaged: by itself it says what is to be done.
        frames = [single(piece) for piece in pieces]
        frame, counts = pl.concat(frames), [len(one) for one in frames]
    for key, piece, count in zip(keys, pieces, counts, strict=True):
        if count != piece.rows:
            raise SystemFault(
                f"The artifact {key} has {count} rows, the ledger says {piece.rows}: materialize {stage} of "
                f"{piece.title_id} in Dagster with 'force' set.",
                key=key,
            )
    return frame
