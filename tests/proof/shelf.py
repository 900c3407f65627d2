"""A shelf of films for tests of reading: every row of a film, and its name, say in which state they were made.

A film's state is a number that is never given twice. It stands in the film's name, in its line of dialogue and in the
time of its shot, which are in three tables; the vector of the shot says which model has made it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mediaflow.catalog.records import CatalogueEntry, TitleRecord
from mediaflow.library import Library
from mediaflow.planning.stage import Stage, StageGraph, TableSpec
from mediaflow.publishing.doorman import PREPARE_MS
from mediaflow.publishing.publisher import Publisher
from mediaflow.search.results import Results
from mediaflow.settings import Settings
from mediaflow.stages import sources
from mediaflow.storage.objects import FolderStore
from tests.publishing.world import Film, World

DIM = 16
WORD = "here"
# Where the shelf says which model it uses now; the library knows it from its settings.
NEWEST_MODEL = "newest-model"
SHAPES = {"dialogue": "text", "visual": "shot_vector"}
# Half precision leaves about three digits; vectors of two models are nowhere near each other.
SAME = 0.99
_SHOT = {"shot_no": pl.Int32, "start_ms": pl.Int64, "end_ms": pl.Int64, "vector": pl.Array(pl.Float16, DIM)}
_LINE = {"start_ms": pl.Int64, "end_ms": pl.Int64, "text": pl.String}
SHELF = (
    Stage("media", "1", essential=True),
    Stage("subtitles", "1"),
    Stage("catalogue", "1", essential=True),
    Stage("dialogue", "1", ("media", "subtitles"), tables={"dialogue": TableSpec("rows", _LINE, "text")}),
    Stage("visual", "1", ("media",), model="model 0", tables={"visual": TableSpec("rows", _SHOT)}),
)


def direction(model: str) -> np.ndarray:
    """Return the unit vector (DIM,) that a model gives everything; of any two models they are far apart."""
    vector = np.random.default_rng([ord(letter) for letter in model]).normal(size=DIM)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


class Direction:
    """An encoder to which everything looks alike: whether table and query are of one model is all that it shows."""

    dim = DIM

    def __init__(self, identity: str) -> None:
        self.identity = identity

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        return np.stack([direction(self.identity)] * len(texts))


class Directions:
    """Gives the encoder of any identity."""

    def encoder(self, identity: str) -> Direction:
        return Direction(identity)


class ShelfLibrary(Library):
    """A library whose models are `Direction`s."""

    @cached_property
    def models(self) -> Any:
        return Directions()


def library(home: Path) -> ShelfLibrary:
    """Open the library of a shelf. A release waits for an engine's next look, which comes three times in its ttl."""
    return ShelfLibrary(Settings(home=home, engine_ttl_s=3))


@dataclass
class Shelf(World):
    """Films, what is computed of them, and publishers over one store."""

    stages: Sequence[Stage] = SHELF
    states: int = 0
    last_no: int = 0
    numbers: dict[str, int] = field(default_factory=dict)

    @classmethod
    def at(cls, library: Library) -> Shelf:
        assert isinstance(library.store, FolderStore)
        return cls(library.store)

    def touch(self, title_id: str) -> None:
        """Add a film or change it: its media, its line and its name."""
        if title_id not in self.numbers:
            self.last_no += 1
            self.numbers[title_id] = self.last_no
        self.states += 1
        said = str(self.states)
        self.films[title_id] = Film(title_id, self.numbers[title_id], said, (f"{WORD} {said}",), f"{title_id} {said}")

    def switch(self, model: str) -> None:
        """Use another model from now on."""
        self.stage("visual", model=model)
        self.store.put(NEWEST_MODEL, model.encode())

    @property
    def model(self) -> str:
        return str(self.graph["visual"].model)

    def make(self, stage: Stage, film: Film, graph: StageGraph) -> dict[str, pl.DataFrame]:
        return _make(stage, film)

    def publisher(self, store: FolderStore | None = None, prepare_ms: int = PREPARE_MS) -> Publisher:
        models = {self.model: f"name of {self.model}"}
        return Publisher(store or self.store, self.graph, models, SHAPES, prepare_ms=prepare_ms)

    def answer(self, lines: bool) -> dict[str, Any]:
        """Return what a snapshot of the films as they are now answers to the question for shots (and `lines`)."""
        names = ["dialogue", "visual"] if lines else ["visual"]
        hits = []
        for film in self.films.values():
            start_ms = 1000 * int(film.media)
            rows = {"dialogue": ["dialogue", film.lines[0], start_ms, True], "visual": ["visual", None, start_ms, True]}
            hits.append([film.title_id, film.name, [rows[name] for name in names]])
        made_by = {name: [self.graph.generations[name], self.graph[name].model] for name in names}
        return {"hits": sorted(hits), "made by": made_by}


def said(results: Results) -> dict[str, Any]:
    """Return an answer in the form of `Shelf.answer`: the last word on each row is whether the vector check holds."""
    hits = []
    made_by: dict[str, list[str | None]] = {}
    mixed = False
    for hit in results.hits:
        rows = []
        for source in hit.sources:
            made = [source.generation, source.model]
            mixed |= made_by.setdefault(source.algorithm, made) != made or hit.snapshot != results.snapshot
            fits = source.algorithm != "visual" or source.score > SAME
            rows.append([source.algorithm, source.text, source.start_ms, fits])
        hits.append([hit.title_id, hit.title, sorted(rows, key=lambda row: row[0])])
    return {"hits": sorted(hits), "made by": made_by} | ({"mixed": True} if mixed else {})


def _make(stage: Stage, film: Film) -> dict[str, pl.DataFrame]:
    start_ms = 1000 * int(film.media)
    if stage.name == "media":
        return {"media": pl.DataFrame({"facts": [json.dumps({"duration_ms": 2_000})]})}
    if stage.name == "subtitles":
        return {"cues": pl.DataFrame({"text": list(film.lines)})}
    if stage.name == "catalogue":
        entry = CatalogueEntry(film.name, "movie")
        return sources.catalogue(TitleRecord(film.title_no, film.title_id, film.path, (), (), entry, film.roots)).parts
    shot = {"start_ms": [start_ms], "end_ms": [start_ms + 500]}
    if stage.name == "dialogue":
        return {"rows": pl.DataFrame(shot | {"text": list(film.lines)}, schema=_LINE)}
    vectors = pl.Series("vector", direction(str(stage.model))[None, :], dtype=pl.Array(pl.Float32, DIM))
    frame = pl.DataFrame({"shot_no": [0], **shot, "vector": vectors})
    return {"rows": frame.cast(_SHOT)}
