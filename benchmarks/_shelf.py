"""A large library with all artifacts made and written down, made by hand: for measuring what publishes cost."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import polars as pl

from mediaflow.catalog.records import CatalogueEntry, Person, TitleRecord
from mediaflow.planning.ledger import DONE, Fact, Ledger
from mediaflow.planning.plan import Plan, desired_revisions, plan
from mediaflow.planning.stage import Stage, StageGraph, TableSpec
from mediaflow.publishing.publisher import Publication, Publisher
from mediaflow.publishing.served import ServedMemory
from mediaflow.stages import sources
from mediaflow.storage import artifacts, layout
from mediaflow.storage.objects import FolderStore
from mediaflow.storage.upkeep import Upkeep

DIM, VECTORS, LINES = 512, 200, 40
BATCH = 250
MODEL = "0123456789abcdef" * 2
# Titles share the bytes of so many different results; rows get their number and revision when they are published.
_KINDS = 20
_RANGE = {"start_ms": pl.Int64, "end_ms": pl.Int64}
_SHOT = {"shot_no": pl.Int32, **_RANGE}
_LINE = {**_RANGE, "text": pl.String, "language": pl.String}
_VECTOR = {"shot_no": pl.Int32, **_RANGE, "vector": pl.Array(pl.Float16, DIM)}
_PICTURE = {"shot_no": pl.Int32, "jpeg": pl.Binary}
GRAPH = StageGraph(
    [
        Stage("media", "1", essential=True),
        Stage("subtitles", "1"),
        Stage("catalogue", "1", essential=True),
        Stage(
            "frames",
            "1",
            ("media",),
            lane="decode",
            tables={"shots": TableSpec("shots", _SHOT), "thumbnails": TableSpec("thumbnails", _PICTURE)},
        ),
        Stage("visual", "1", ("frames",), model=MODEL, lane="gpu", tables={"visual": TableSpec("rows", _VECTOR)}),
        Stage("dialogue", "1", ("media", "subtitles"), tables={"dialogue": TableSpec("rows", _LINE, "text")}),
    ]
)


@dataclass(frozen=True)
class Title:
    """A title by the hashes of its roots."""

    title_id: str
    title_no: int
    roots: dict[str, str]


@dataclass
class Shelf:
    """Titles over one store, all of them computed."""

    store: FolderStore
    titles: list[Title] = field(default_factory=list)

    @classmethod
    def filled(cls, store: FolderStore, count: int) -> Shelf:
        """Make a library of `count` titles with `VECTORS` vectors each, published batch by batch as it grows."""
        roots = [stage.name for stage in GRAPH if stage.root]
        shelf = cls(store)
        memory = ServedMemory()
        for start in range(1, count + 1, BATCH):
            new = [
                Title(f"a-film-of-some-name-{no}", no, {root: f"{no:056x}{root:>8.8}" for root in roots})
                for no in range(start, min(start + BATCH, count + 1))
            ]
            shelf.titles += new
            shelf._compute(new)
            assert shelf.publish(memory=memory).outcome == "released"
        return shelf

    def change(self, numbers: range | list[int]) -> None:
        """Give titles other media, and compute them."""
        for number in numbers:
            old = self.titles[number - 1]
            media = f"{int(old.roots['media'][:8], 16) + 1:08x}{old.roots['media'][8:]}"
            self.titles[number - 1] = replace(old, roots=old.roots | {"media": media})
        self._compute([self.titles[number - 1] for number in numbers])

    def plan(self) -> Plan:
        """Return the plan of now."""
        return plan(GRAPH, self.titles, Ledger(self.store))

    def publisher(self, store: FolderStore | None = None, memory: ServedMemory | None = None) -> Publisher:
        shapes = {"visual": "shot_vector", "dialogue": "text"}
        return Publisher(store or self.store, GRAPH, {MODEL: "a model"}, shapes, upkeep=Upkeep(), memory=memory)

    def publish(
        self, made: Plan | None = None, store: FolderStore | None = None, memory: ServedMemory | None = None
    ) -> Publication:
        """Publish what a plan, or that of now, says."""
        made = made or self.plan()
        return self.publisher(store, memory).publish(lambda: (made, self.titles))

    def _compute(self, titles: list[Title]) -> None:
        frame = desired_revisions(GRAPH, titles)
        of = dict(zip(frame.select("title_id", "stage").iter_rows(), frame["revision"], strict=True))
        ledger = Ledger(self.store)
        kinds = _Kinds(self.store)
        facts = []
        for title in titles:
            for stage in GRAPH:
                revision = of[title.title_id, stage.name]
                attempt, rows = kinds.write(stage.name, title, revision)
                generation = GRAPH.generations[stage.name]
                facts.append(
                    Fact(title.title_id, stage.name, revision, generation, DONE, attempt, facts={"rows": rows})
                )
        ledger.append(facts)


class _Kinds:
    """Gives titles their artifacts: the first titles' are written, and all further ones are links to these."""

    def __init__(self, store: FolderStore) -> None:
        self._store = store
        self._random = np.random.default_rng(1)
        self._known: dict[tuple[str, int], tuple[dict[str, Path], dict[str, int]]] = {}

    def write(self, stage: str, title: Title, revision: str) -> tuple[str, dict[str, int]]:
        """Return the attempt's name and the rows by part."""
        kind = stage, title.title_no % _KINDS
        if kind not in self._known:
            parts = _parts(stage, title, self._random)
            attempt = artifacts.write(self._store, stage, title.title_id, revision, parts)
            keys = {part: layout.artifact(stage, title.title_id, revision, attempt, part) for part in parts}
            files = {part: self._store.root / key for part, key in keys.items()}
            self._known[kind] = files, {part: len(rows) for part, rows in parts.items()}
            return attempt, self._known[kind][1]
        files, rows = self._known[kind]
        attempt = layout.new_attempt()
        for part, file in files.items():
            target = self._store.root / layout.artifact(stage, title.title_id, revision, attempt, part)
            target.parent.mkdir(parents=True, exist_ok=True)
            os.link(file, target)
        return attempt, rows


def _parts(stage: str, title: Title, random: np.random.Generator) -> dict[str, pl.DataFrame]:
    if stage == "media":
        return {"media": pl.DataFrame({"facts": ['{"duration_ms": 5400000}']})}
    if stage == "subtitles":
        return {"cues": pl.DataFrame({"text": ["hello"]})}
    if stage == "catalogue":
        people = tuple(Person(f"Somebody {no}", f"Character {no}") for no in range(10))
        entry = CatalogueEntry(f"Film {title.title_no}", "movie", people=people)
        return sources.catalogue(TitleRecord(title.title_no, title.title_id, "a.mp4", (), (), entry, title.roots)).parts
    count = LINES if stage == "dialogue" else VECTORS
    at = np.arange(count)
    ranges = {"start_ms": at * 1_000, "end_ms": at * 1_000 + 1_000}
    if stage == "dialogue":
        words = random.integers(0, 20_000, (count, 8))
        said = [" ".join(f"word{word}" for word in line) for line in words]
        return {"rows": pl.DataFrame({**ranges, "text": said, "language": ["en"] * count}, schema=_LINE)}
    if stage == "frames":
        pictures = [random.bytes(2_000) for _ in at]
        return {
            "shots": pl.DataFrame({"shot_no": at, **ranges}, schema=_SHOT),
            "thumbnails": pl.DataFrame({"shot_no": at, "jpeg": pictures}, schema=_PICTURE),
        }
    drawn = np.repeat(random.normal(size=(count // 10, DIM)), 10, axis=0) + 0.5 * random.normal(size=(count, DIM))
    unit = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float16)
    vectors = pl.Series("vector", unit, dtype=pl.Array(pl.Float16, DIM))
    return {
        "rows": pl.DataFrame({"shot_no": at, **ranges}, schema=dict(list(_VECTOR.items())[:3])).with_columns(vectors)
    }
