"""Features: what an algorithm reads of a title, put together from the artifacts of the stages before it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import accumulate
from typing import TYPE_CHECKING

from mediaflow.algorithms.contract import IMPORTED, Algorithm, TitleFeatures
from mediaflow.errors import TitleError
from mediaflow.imports.check import outside_of
from mediaflow.imports.given import rows_of
from mediaflow.planning.stage import Given
from mediaflow.stages.graph import ROWS
from mediaflow.storage import artifacts
from mediaflow.storage.objects import ObjectStore

if TYPE_CHECKING:
    import polars as pl

# Which part of which stage's artifact a feature is; cues are of two stages, and rows of an algorithm of its own.
_PARTS = {"shots": ("frames", "shots"), "frames": ("frames", "frames"), "catalogue": ("catalogue", "catalogue")}

# Of one title, by input stage: revision, attempt, rows by part.
Inputs = Mapping[str, tuple[str, str, Mapping[str, int]]]


def read_features(store: ObjectStore, algorithm: Algorithm, title_id: str, inputs: Inputs) -> TitleFeatures:
    """Read the features that an algorithm asks for, and nothing else."""

    def part(stage: str, name: str) -> pl.DataFrame:
        revision, attempt, _ = inputs[stage]
        return artifacts.read(store, stage, title_id, revision, attempt, name)

    features: dict[str, pl.DataFrame] = {}
    for name in algorithm.inputs:
        if name == "cues":
            media = part("media", "media")
            features[name] = _cues(part("media", "cues"), part("subtitles", "cues"), media["facts"][0])
        elif name == IMPORTED:
            revision, attempt, _ = inputs[name]
            rows = rows_of(store, algorithm.name, title_id, Given(revision, attempt))
            features[name] = _in_title(rows, json.loads(part("media", "media")["facts"][0])["duration_ms"])
        else:
            features[name] = part(*_PARTS.get(name, (name, ROWS)))
    return TitleFeatures(title_id, features)


def _in_title(rows: pl.DataFrame, duration_ms: int) -> pl.DataFrame:
    """Return imported rows; `TitleError` where the film is no longer one that they can be of."""
    if len(rows) and (outside := rows.filter(outside_of(duration_ms))).height:
        raise TitleError(
            f"{outside.height} of {rows.height} imported rows end after the film, which lasts {duration_ms} ms: it is "
            "another film than when they were imported. Import rows that fit it.",
            rows=outside.height,
        )
    return rows


def _cues(embedded: pl.DataFrame, written: pl.DataFrame, facts: str) -> pl.DataFrame:
    """Return embedded and sidecar cues in one count; a sidecar of a later part of the film begins where that does."""
    import polars as pl

    starts = pl.Series([0, *accumulate(json.loads(facts)["parts_ms"])], dtype=pl.Int64)
    shift = starts.gather(written["part"])
    shifted = written.drop("part").with_columns(pl.col("start_ms", "end_ms") + shift)
    return pl.concat([embedded, shifted]).with_columns(pl.int_range(pl.len(), dtype=pl.Int32).alias("cue_no"))
