"""Artifacts: what one stage gives for one title, as immutable Parquet parts under an input-addressed prefix."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mediaflow.errors import SystemFault
from mediaflow.storage import layout
from mediaflow.storage.objects import ObjectStore

if TYPE_CHECKING:
    import polars as pl


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
    data = store.get(key)
    try:
        return pl.read_parquet(io.BytesIO(data), columns=None if columns is None else list(columns))
    except pl.exceptions.PolarsError as error:
        raise SystemFault(
            f"The artifact {key} is damaged ({error}): delete it and refresh with --force for {title_id}.", key=key
        ) from error
