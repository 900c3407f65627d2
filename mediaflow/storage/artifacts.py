"""Artifacts: what one stage gives for one title, as immutable Parquet parts under an input-addressed prefix."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from mediaflow.errors import NotFound, SystemFault
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
    advice = f"restore it, or materialize {stage} of {title_id} in Dagster with 'force' set"
    try:
        data = store.get(key)
        return pl.read_parquet(io.BytesIO(data), columns=None if columns is None else list(columns))
    except NotFound as error:
        raise SystemFault(f"The artifact {key} is gone: {advice}.", key=key) from error
    except pl.exceptions.PolarsError as error:
        raise SystemFault(f"The artifact {key} is damaged ({error}): {advice}.", key=key) from error
