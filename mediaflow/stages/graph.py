"""The list of stages: four of mediaflow's own, and one for each algorithm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Protocol

from mediaflow.algorithms.contract import IMPORTED, Algorithm
from mediaflow.algorithms.registry import Registered
from mediaflow.algorithms.shapes import TEXT_SHAPES, columns
from mediaflow.media.options import DecodeOptions
from mediaflow.planning.stage import OWN_COLUMNS, Given, Stage, StageGraph, TableSpec

ROWS = "rows"
# Which stages an input of the contract is made of; an algorithm's own name is a stage of that name.
FEATURE_STAGES = {
    "shots": ("frames",),
    "frames": ("frames",),
    "cues": ("media", "subtitles"),
    "catalogue": ("catalogue",),
    IMPORTED: ("media",),
}


class ModelLike(Protocol):
    """What the graph needs to know of a model."""

    @property
    def identity(self) -> str: ...
    @property
    def dim(self) -> int: ...


def build(
    algorithms: Sequence[Registered],
    models: Mapping[str, ModelLike | str],
    given: Mapping[str, Mapping[str, Given]] | None = None,
) -> StageGraph:
    """Return the graph of all stages.

    Parameters
    ----------
    algorithms : sequence of Registered
        What was found.
    models : Mapping
        By algorithm that has a model: the model, or a sentence why it cannot be had.
    given : Mapping, optional
        By algorithm that anything was imported for: by title, its rows.
    """
    return StageGraph([*_own(), *(_algorithm(one, models, given or {}) for one in algorithms)])


def input_stages(algorithm: Algorithm) -> tuple[str, ...]:
    """Return the stages that an algorithm reads, in a fixed order."""
    names = [stage for given in algorithm.inputs for stage in FEATURE_STAGES.get(given, (given,))]
    return tuple(dict.fromkeys(names))


def vector_dim(algorithm: Algorithm, model: ModelLike | None) -> int | None:
    """Return the length of an algorithm's vectors: its model's, or the one that it declares."""
    return algorithm.dim if model is None else model.dim


def _own() -> list[Stage]:
    import polars as pl

    from mediaflow.media.schemas import SHOTS

    thumbnails = {
        "shot_no": pl.Int32,
        "time_ms": pl.Int64,
        "width": pl.Int32,
        "height": pl.Int32,
        "jpeg": pl.Binary,
    }
    return [
        Stage(
            "media",
            "1",
            essential=True,
            kinds=("video",),
            description="What the media files are: facts, embedded subtitles and chapters.",
        ),
        Stage("subtitles", "2", kinds=("text",), description="The sidecar subtitle files, as cues."),
        Stage("catalogue", "1", essential=True, kinds=("json",), description="Name, year, genres, series and cast."),
        Stage(
            "frames",
            "1",
            ("media",),
            parameters=asdict(DecodeOptions()),
            lane="decode",
            kinds=("video", "image"),
            tables={"shots": TableSpec("shots", SHOTS), "thumbnails": TableSpec("thumbnails", thumbnails)},
            description="Shots and sharp frames of each, in one decode pass.",
        ),
    ]


def _algorithm(
    one: Registered, models: Mapping[str, ModelLike | str], given: Mapping[str, Mapping[str, Given]]
) -> Stage:
    if one.algorithm is None:
        table = {one.name: TableSpec(ROWS, {})}
        return Stage(one.name, "", ("media",), owner=one.owner, broken=one.broken, tables=table)
    algorithm = one.algorithm
    model = models.get(one.name)
    missing = model if isinstance(model, str) else ""
    imports = IMPORTED in algorithm.inputs
    if imports and one.name not in given:
        missing = missing or (
            f"Nothing was imported for {one.name} yet: 'mediaflow annotations import FILE --algorithm {one.name}'."
        )
    dim = vector_dim(algorithm, None if isinstance(model, str) else model)
    text = "text" if algorithm.shape in TEXT_SHAPES else None
    # Rows of other columns never get into one table, though the author may forget to change the version.
    declared = {"shape": algorithm.shape.value, **{name: str(kind) for name, kind in algorithm.fields.items()}}
    if algorithm.dim is not None:
        declared["vector"] = str(algorithm.dim)
    return Stage(
        one.name,
        algorithm.version,
        input_stages(algorithm),
        parameters=one.parameters.model_dump(mode="json") | {OWN_COLUMNS: declared},
        model=None if model is None or isinstance(model, str) else model.identity,
        lane="gpu" if algorithm.model else "light",
        tables={one.name: TableSpec(ROWS, columns(algorithm, dim), text)},
        owner=one.owner,
        description=algorithm.description,
        kinds=("open_clip",) if algorithm.model else ("polars",),
        broken=missing,
        given=given.get(one.name, {}) if imports else None,
    )
