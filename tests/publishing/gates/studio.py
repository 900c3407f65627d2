"""A library with shots that have vectors, whose publisher has gates: what an algorithm gives can be spoilt at will."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from mediaflow.media.pool import Decoded
from mediaflow.planning.ledger import RETRY, Fact
from mediaflow.planning.stage import Stage, StageGraph, TableSpec
from mediaflow.publishing.doorman import PREPARE_MS
from mediaflow.publishing.gates.gate import Limits
from mediaflow.publishing.gates.judge import Gates
from mediaflow.publishing.publisher import Publication, Publisher
from mediaflow.storage.objects import FolderStore
from tests.publishing.world import STAGES, Film, World

DIM = 32
FILMS = ("alps", "bees", "cats", "dogs", "elks", "fish", "gnus", "hens")
_VECTOR = {"shot_no": pl.Int32, "start_ms": pl.Int64, "end_ms": pl.Int64, "vector": pl.Array(pl.Float16, DIM)}
VISUAL = Stage("visual", "1", ("frames",), model="m1", tables={"visual": TableSpec("rows", _VECTOR)})


def words(model: str, said: Iterable[str]) -> np.ndarray:
    """Return (n, DIM) float32 unit vectors that a model has for words: its own for each of them."""
    rows = [np.random.default_rng(zlib.crc32(f"{model} {one}".encode())).normal(size=DIM) for one in said]
    vectors = np.array(rows, np.float32).reshape(-1, DIM)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def shots(film: Film, model: str, count: int = 4) -> np.ndarray:
    """Return what a film's shots look like to a model: the shot 2 of the film `alps` like the words `alps m1 2`."""
    return words(model, (f"{film.title_id} {film.media} {shot}" for shot in range(count)))


@dataclass(frozen=True)
class WordEncoder:
    """An honest twin of an encoder that knows words only."""

    identity: str
    dim: int = DIM

    def encode_texts(self, texts: list[str]) -> np.ndarray:
        return words(self.identity, texts)

    def encode_pictures(self, pictures: list[np.ndarray]) -> np.ndarray:
        raise AssertionError("a gate encodes a picture")

    def encode_jpegs(self, jpegs: list[bytes]) -> np.ndarray:
        raise AssertionError("a gate encodes a picture")


class WordEncoders:
    """Gives encoders by identity."""

    def encoder(self, identity: str) -> WordEncoder:
        return WordEncoder(identity)


class NoPictures:
    """Decodes no picture and no clip: no gate brings one."""

    def picture(self, data: bytes) -> np.ndarray:
        raise AssertionError("a gate decodes a picture")

    def clip(self, data: bytes, name: str) -> Decoded:
        raise AssertionError("a gate decodes a clip")


@dataclass
class Studio(World):
    """Films whose vectors and lines are made by functions that a test can put in place of the honest ones."""

    limits: Limits = field(default_factory=Limits)
    paint: Callable[[Film, str], np.ndarray] = shots
    speak: Callable[[Film], list[str]] = lambda film: list(film.lines)

    def make(self, stage: Stage, film: Film, graph: StageGraph) -> dict[str, pl.DataFrame]:
        if stage.name == "visual":
            vectors = self.paint(film, str(stage.model))
            at = np.arange(len(vectors)) * 1000
            columns: dict[str, Any] = {"shot_no": at // 1000, "start_ms": at, "end_ms": at + 1000}
            kept = pl.Series("vector", vectors.astype(np.float16), dtype=_VECTOR["vector"])
            rows = pl.DataFrame(columns, schema_overrides=_VECTOR).with_columns(kept)
            return {"rows": rows.cast(_VECTOR)}
        if stage.name == "dialogue":
            rows = super().make(stage, film, graph)["rows"]
            lines = self.speak(film)
            at = pl.Series(range(len(lines)), dtype=pl.Int64) * 1000
            return {"rows": pl.DataFrame({"start_ms": at, "end_ms": at + 900, "text": lines}, schema=rows.schema)}
        return super().make(stage, film, graph)

    def publisher(self, store: FolderStore | None = None, prepare_ms: int = PREPARE_MS) -> Publisher:
        gates = Gates(self.store, self.limits, WordEncoders(), NoPictures())
        models = {"m1": "first", "m2": "second"}
        shapes = {"dialogue": "text", "visual": "shot_vector"}
        return Publisher(store or self.store, self.graph, models, shapes, prepare_ms=prepare_ms, gates=gates)

    def force(self, *titles: str) -> None:
        """Compute these films' algorithms again, under the revisions that they have."""
        rows = (
            self.plan()
            .frame.filter(pl.col("title_id").is_in(titles) & pl.col("stage").is_in(["dialogue", "visual"]))
            .iter_rows(named=True)
        )
        self.ledger.append([Fact(r["title_id"], r["stage"], r["revision"], r["generation"], RETRY) for r in rows])
        self.compute(titles=titles)

    def override(self, **reasons: str) -> Publication:
        return self.publisher().publish(self.look, reasons)


def studio(store: FolderStore) -> Studio:
    """Return eight films, computed and published once."""
    made = Studio(store, [stage for stage in STAGES if stage.name != "objects"] + [VISUAL])
    for name in FILMS:
        made.film(name, lines=tuple(f"{name} tells tale{number} of wonder{number}" for number in range(6)))
    made.compute()
    assert made.publish().outcome == "released"
    return made


def verdicts(publication: Publication) -> dict[str, str]:
    """Return by gate its verdict."""
    return {gate["name"]: gate["verdict"] for gate in publication.gates}


def said(publication: Publication, gate: str) -> str:
    """Return the sentence of a gate."""
    return str(next(one["said"] for one in publication.gates if one["name"] == gate))
