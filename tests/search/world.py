"""A small published snapshot made by hand, and honest twins of what encodes queries: for all tests of the search."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from mediaflow.errors import TitleError, UsageError
from mediaflow.media.pool import Decoded
from mediaflow.media.schemas import CUES, FRAMES, SHOTS
from mediaflow.search.gateway import Gateway
from mediaflow.snapshots.manifest import AlgorithmPart, Manifest, TablePart
from mediaflow.snapshots.reader import SnapshotReader
from mediaflow.storage.objects import ObjectStore
from mediaflow.storage.tables import Table

MODEL = "0123456789abcdef0123456789abcdef"
DIM = 32
COLOURS = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "yellow": (1, 1, 0), "white": (1, 1, 1)}

TITLES = {
    "title_id": pl.String,
    "title": pl.String,
    "kind": pl.String,
    "year": pl.Int32,
    "genres": pl.List(pl.String),
    "series": pl.String,
    "season": pl.Int32,
    "episode": pl.Int32,
    "languages": pl.List(pl.String),
    "duration_ms": pl.Int64,
}
PEOPLE = {"talent": pl.String, "character": pl.String, "position": pl.Int32}
RANGE = {"start_ms": pl.Int64, "end_ms": pl.Int64}
SHOT_VECTOR = {"shot_no": pl.Int32, **RANGE, "vector": pl.Array(pl.Float16, DIM)}
TEXT = {**RANGE, "text": pl.String}
BOX = dict.fromkeys(("confidence", "x", "y", "w", "h"), pl.Float32)
LABEL = {**RANGE, "label": pl.String, "confidence": pl.Float32}
SCORE = {**RANGE, "score": pl.Float32}
THUMBNAILS = {"shot_no": pl.Int32, "time_ms": pl.Int64, "width": pl.Int32, "height": pl.Int32, "jpeg": pl.Binary}
DIALOGUE = {name: kind for name, kind in CUES.items() if name != "cue_no"}


class ColourEncoder:
    """An encoder that knows colours: a picture is its mean colour, a text its colours, other words are hashed."""

    dim = DIM
    identity = MODEL

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        return _unit(np.stack([sum((_word(word) for word in text.lower().split()), np.zeros(DIM)) for text in texts]))

    def encode_pictures(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        vectors = np.zeros((len(pictures), DIM))
        vectors[:, :3] = [picture.reshape(-1, 3).mean(axis=0) / 255 for picture in pictures]
        return _unit(vectors + 1e-6)

    def encode_jpegs(self, jpegs: Sequence[bytes]) -> np.ndarray:
        return self.encode_pictures([RawPictures().picture(jpeg) for jpeg in jpegs])


class OneEncoder:
    """Gives the encoder of `MODEL`, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encoder(self, identity: str) -> ColourEncoder:
        self.asked.append(identity)
        assert identity == MODEL
        return ColourEncoder()


class RawPictures:
    """Reads pictures of one colour, written as three bytes, and clips of such shots, a second each."""

    def picture(self, data: bytes) -> np.ndarray:
        if len(data) != 3:
            raise UsageError("That is no picture; give a JPEG or PNG.")
        return np.broadcast_to(np.frombuffer(data, np.uint8), (4, 4, 3))

    def clip(self, data: bytes, name: str) -> Decoded:
        if not data or len(data) % 3:
            raise TitleError(f"{name!r} is no media file of a format that is read.")
        numbers = range(len(data) // 3)
        shots = [{"shot_no": at, "start_ms": 1000 * at, "end_ms": 1000 * at + 1000} for at in numbers]
        kept = [{"shot_no": at, "time_ms": 1000 * at, "jpeg": data[3 * at : 3 * at + 3]} for at in numbers]
        return Decoded(pl.DataFrame(shots, schema=SHOTS), pl.DataFrame(kept, schema=FRAMES), {}, [])


@dataclass
class World:
    """Collects rows and publishes them as one snapshot.

    Every title is a mapping of the columns of `TITLES`, its number its place; rows of an algorithm name their title
    by `title_id`.
    """

    store: ObjectStore
    titles: list[dict[str, Any]] = field(default_factory=list)
    people: list[dict[str, Any]] = field(default_factory=list)
    parts: dict[str, AlgorithmPart] = field(default_factory=dict)
    tables: dict[str, TablePart] = field(default_factory=dict)
    thumbnails: str | None = None

    def title(self, title_id: str, cast: Mapping[str, str | None] | None = None, **columns: Any) -> None:
        """Add a title; `cast` maps talents to characters."""
        number = len(self.titles)
        self.titles.append({"title_id": title_id, "title": title_id.replace("-", " ").title(), **columns})
        for position, (talent, character) in enumerate((cast or {}).items()):
            self.people.append({"title_no": number, "talent": talent, "character": character, "position": position})

    def dialogue(self, *rows: Mapping[str, Any], unindexed: Sequence[Mapping[str, Any]] = ()) -> None:
        """Add the cues of all titles; those in `unindexed` come to the table after its indexes."""
        plain = {"kind": "dialogue", "language": "en", "speaker": None, "track": "x.srt", "forced": False, "sdh": False}
        both = [[{**plain, **row} for row in some] for some in (rows, unindexed)]
        self.algorithm("dialogue", "text", DIALOGUE, both[0], own=tuple(plain), unindexed=both[1])

    def visual(self, *rows: Mapping[str, Any]) -> None:
        """Add shots that look like their `looks`."""
        encoder = ColourEncoder()
        vectors = encoder.encode_texts([row["looks"] for row in rows]) if rows else []
        shots = [{"shot_no": at, "vector": v, **row} for at, (row, v) in enumerate(zip(rows, vectors, strict=True))]
        self.algorithm("visual", "shot_vector", SHOT_VECTOR, shots, model=MODEL)

    def algorithm(
        self,
        name: str,
        shape: str,
        columns: Mapping[str, Any],
        rows: Sequence[Mapping[str, Any]],
        own: Sequence[str] = (),
        model: str | None = None,
        unindexed: Sequence[Mapping[str, Any]] = (),
        generation: str = "g1",
    ) -> None:
        """Add an algorithm with its rows, in place of one of that name; `own` names its own fields."""
        table = f"{name}-{generation}"
        self.tables[table] = self._write(table, columns, [self._numbered(row) for row in rows], unindexed)
        fields = {one: str(columns[one]) for one in own}
        self.parts[name] = AlgorithmPart(
            generation=f"{name}-generation",
            table=table,
            shape=shape,
            version="1",
            owner="team:tests",
            description="",
            fields=fields,
            model=model,
            shots=None,
        )

    def thumbnail(self, *rows: Mapping[str, Any]) -> None:
        """Add the pictures of shots."""
        self.thumbnails = "thumbnails-g1"
        self.tables[self.thumbnails] = self._write(self.thumbnails, THUMBNAILS, [self._numbered(row) for row in rows])

    def reader(self) -> SnapshotReader:
        """Write titles and people, and open the snapshot."""
        plain = {"kind": "movie", "genres": [], "languages": [], "duration_ms": 100_000}
        titles = [{"title_no": at, **plain, **title} for at, title in enumerate(self.titles)]
        tables = {
            **self.tables,
            "titles": self._write("titles", TITLES, titles),
            "people": self._write("people", PEOPLE, self.people),
        }
        manifest = Manifest(
            id="1-aaaaaaaa",
            epoch=1,
            base_release=0,
            created_ms=0,
            tables=tables,
            algorithms=self.parts,
            encoders={MODEL: "colours"},
            thumbnails=self.thumbnails,
        )
        return SnapshotReader(self.store, manifest)

    def gateway(self) -> Gateway:
        """Open the snapshot for search."""
        return Gateway(self.reader(), OneEncoder(), RawPictures())

    def _numbered(self, row: Mapping[str, Any]) -> dict[str, Any]:
        ids = [title["title_id"] for title in self.titles]
        return {**row, "title_no": ids.index(row["title_id"]), "revision": f"{row['title_id']}-revision"}

    def _write(
        self,
        name: str,
        columns: Mapping[str, Any],
        rows: Sequence[Mapping[str, Any]],
        unindexed: Sequence[Mapping[str, Any]] = (),
    ) -> TablePart:
        table = Table(self.store, name, columns, text="text" if "text" in columns else None)
        schema = {"title_no": pl.Int32, "revision": pl.String, **columns}
        dataset = table.open()
        dataset = table.replace(dataset, [], table.write(dataset, [_frame(rows, schema)]), {})
        dataset = table.tend(dataset)
        if unindexed:
            later = _frame([self._numbered(row) for row in unindexed], schema)
            dataset = table.replace(dataset, [], table.write(dataset, [later]), {})
        return TablePart(name, dataset.version, "", dataset.count_rows())


def cue(title_id: str, start_ms: int, end_ms: int, text: str, **columns: Any) -> dict[str, Any]:
    """Return a cue."""
    return {"title_id": title_id, "start_ms": start_ms, "end_ms": end_ms, "text": text, **columns}


def shot(title_id: str, start_ms: int, end_ms: int, looks: str) -> dict[str, Any]:
    """Return a shot that looks like a text."""
    return {"title_id": title_id, "start_ms": start_ms, "end_ms": end_ms, "looks": looks}


def _frame(rows: Sequence[Mapping[str, Any]], schema: Mapping[str, Any]) -> pl.DataFrame:
    plain = {"revision": "r"}
    columns = {name: [{**plain, **row}.get(name) for row in rows] for name in schema}
    return pl.DataFrame(
        {
            name: pl.Series(name, np.stack(values), dtype=schema[name]) if name == "vector" and rows else values
            for name, values in columns.items()
        },
        schema_overrides=schema,
    ).cast(dict(schema))


def _word(word: str) -> np.ndarray:
    vector = np.zeros(DIM)
    if word in COLOURS:
        vector[:3] = COLOURS[word]
    else:
        vector[3 + zlib.crc32(word.encode()) % (DIM - 3)] = 0.5
    return vector


def _unit(vectors: np.ndarray) -> np.ndarray:
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
