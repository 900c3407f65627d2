"""A small library for tests of publishing: real store, ledger, plan and publisher; what stages make is made by hand.

Whatever is made says what it was made from, so that rows of two states of a film, or of two generations, are told
apart in any table.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from mediaflow.catalog.records import CatalogueEntry, Person, TitleRecord
from mediaflow.planning.ledger import DONE, QUARANTINED, STOPPED, Fact, Ledger
from mediaflow.planning.plan import Plan, Retries, plan, recipe_of
from mediaflow.planning.stage import Stage, StageGraph, TableSpec
from mediaflow.publishing.doorman import PREPARE_MS
from mediaflow.publishing.publisher import Present, Publication, Publisher
from mediaflow.snapshots.reader import Releases, SnapshotReader
from mediaflow.snapshots.served import served
from mediaflow.stages import sources
from mediaflow.storage import artifacts, layout
from mediaflow.storage.objects import FolderStore, ObjectInfo

LONG_AGO_S = 1_000_000
_SHOT = {"shot_no": pl.Int32, "of": pl.String}
_LINE = {"start_ms": pl.Int64, "end_ms": pl.Int64, "text": pl.String}
_LABEL = {"start_ms": pl.Int64, "end_ms": pl.Int64, "label": pl.String, "confidence": pl.Float32}
STAGES = (
    Stage("media", "1", essential=True),
    Stage("subtitles", "1"),
    Stage("catalogue", "1", essential=True),
    Stage("frames", "1", ("media",), lane="decode", tables={"shots": TableSpec("shots", _SHOT)}),
    Stage("dialogue", "1", ("media", "subtitles"), tables={"dialogue": TableSpec("rows", _LINE, "text")}),
    Stage("objects", "1", ("frames",), model="m1", tables={"objects": TableSpec("rows", _LABEL)}),
)
SHAPES = {"dialogue": "text", "objects": "label", "faces": "label"}


@dataclass(frozen=True)
class Film:
    """A film by what its bytes say."""

    title_id: str
    title_no: int
    media: str = "m1"
    lines: tuple[str, ...] = ("hello",)
    name: str = "Film"

    @property
    def path(self) -> str:
        return f"{self.title_id}.mp4"

    @property
    def roots(self) -> dict[str, str]:
        return {"media": self.media, "subtitles": json.dumps(self.lines), "catalogue": self.name}


class HookedStore(FolderStore):
    """A folder store that says what it is about to do; `before(operation, key)` may block or raise."""

    before: Callable[[str, str], None] | None = None

    def get(self, key: str) -> bytes:
        self._say("get", key)
        return super().get(key)

    def put(self, key: str, data: bytes) -> None:
        self._say("put", key)
        super().put(key, data)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        self._say("put if absent", key)
        return super().put_if_absent(key, data)

    def list(self, prefix: str, start_after: str = "") -> Iterator[ObjectInfo]:
        self._say("list", prefix)
        return super().list(prefix, start_after)

    def exists(self, key: str) -> bool:
        self._say("exists", key)
        return super().exists(key)

    def _say(self, operation: str, key: str) -> None:
        if self.before is not None:
            self.before(operation, key)


@dataclass
class World:
    """Films, what is computed of them, and publishers over one store."""

    store: FolderStore
    stages: Sequence[Stage] = STAGES
    films: dict[str, Film] = field(default_factory=dict)

    @property
    def graph(self) -> StageGraph:
        return StageGraph(list(self.stages))

    @property
    def ledger(self) -> Ledger:
        return Ledger(self.store)

    def film(self, title_id: str, **said: Any) -> None:
        """Add a film, or change what its bytes say."""
        old = self.films.get(title_id) or Film(title_id, len(self.films) + 1)
        self.films[title_id] = replace(old, **said)

    def stage(self, name: str, **changes: Any) -> None:
        """Change a stage."""
        self.stages = [replace(stage, **changes) if stage.name == name else stage for stage in self.stages]

    def plan(self) -> Plan:
        return plan(
            self.graph, list(self.films.values()), self.ledger, Retries(), served(Releases(self.store), self.graph)
        )

    def compute(self, only: str = "", titles: Sequence[str] = (), side: str = "") -> int:
        """Make all that is stale, or some of it (`side`: `wanted` or `kept`); return how many artifacts that is."""
        facts = []
        found = self.plan()
        sides = [(kept.graph, kept.stale()) for kept in found.kept if side != "wanted"]
        sides += [(self.graph, found.stale())] if side != "kept" else []
        for graph, stale in sides:
            for row in stale.iter_rows(named=True):
                if (only and row["stage"] != only) or (titles and row["title_id"] not in titles):
                    continue
                stage = graph[row["stage"]]
                parts = self.make(stage, self.films[row["title_id"]], graph)
                attempt = artifacts.write(self.store, stage.name, row["title_id"], row["revision"], parts)
                said = {"rows": {part: len(frame) for part, frame in parts.items()}}
                fact = self._fact(row, DONE)
                facts.append(replace(fact, attempt=attempt, facts=said, recipe=recipe_of(stage, "", {})))
        self.ledger.append(facts)
        return len(facts)

    def make(self, stage: Stage, film: Film, graph: StageGraph) -> dict[str, pl.DataFrame]:
        """Return what a stage makes of a film."""
        return _make(stage, film, graph)

    def quarantine(self, title_id: str, stage: str, kept: bool = False) -> None:
        """Write down that a stage has given a film up."""
        frame = self.plan().kept[0].frame if kept else self.plan().frame
        rows = frame.filter((pl.col("title_id") == title_id) & (pl.col("stage") == stage))
        self.ledger.append([self._fact(row, QUARANTINED) for row in rows.iter_rows(named=True)])

    def stop(self, stage: str) -> None:
        """Write down that a stage is broken as a whole."""
        generation = self.graph.generations[stage]
        self.ledger.append([Fact("", stage, generation, generation, STOPPED, reason="it is broken")])

    def publisher(self, store: FolderStore | None = None, prepare_ms: int = PREPARE_MS) -> Publisher:
        models = {stage.model: f"name of {stage.model}" for stage in self.stages if stage.model}
        return Publisher(store or self.store, self.graph, models, SHAPES, prepare_ms=prepare_ms)

    def look(self) -> tuple[Plan, list[Present]]:
        films = self.films.values()
        return self.plan(), [Present(film.title_id, film.title_no, film.roots) for film in films]

    def publish(self, store: FolderStore | None = None, prepare_ms: int = PREPARE_MS) -> Publication:
        return self.publisher(store, prepare_ms).publish(self.look)

    def due(self) -> bool:
        return self.publisher().due(*self.look())

    def reader(self) -> SnapshotReader:
        return Releases(self.store).current()

    def answers(self) -> dict[str, dict[str, list[Any]]]:
        """Return what the current snapshot answers."""
        return answers(self.reader())

    def expected(self) -> dict[str, dict[str, list[Any]]]:
        """Return what a snapshot of all films as they are now answers."""
        return {film.title_id: _expected(film, self.graph) for film in self.films.values()}

    def _fact(self, row: Mapping[str, Any], state: str) -> Fact:
        return Fact(row["title_id"], row["stage"], row["revision"], row["generation"], state)


def answers(reader: SnapshotReader, newest: bool = False) -> dict[str, dict[str, list[Any]]]:
    """Return all that a snapshot says, by title: name, shots, lines and objects, each with what it was made from.

    `newest` reads the newest version of each table, as no reader may.
    """

    def rows(name: str) -> pl.DataFrame:
        table = reader.table(name)
        if newest:
            table = table.checkout_version(table.latest_version)
        found = pl.from_arrow(table.to_table())
        assert isinstance(found, pl.DataFrame)
        return found

    manifest = reader.manifest
    said: dict[str, dict[str, list[Any]]] = {}
    ids = {}
    for row in rows("titles").iter_rows(named=True):
        ids[row["title_no"]] = row["title_id"]
        said.setdefault(row["title_id"], {"name": [], "cast": [], "shots": [], "dialogue": [], "objects": []})
        said[row["title_id"]]["name"].append(row["title"])
    sources_of = {"cast": ("people", "character")}
    if manifest.shots:
        sources_of["shots"] = (manifest.shots, "of")
    for name, column in (("dialogue", "text"), ("objects", "label")):
        if name in manifest.algorithms:
            sources_of[name] = (manifest.algorithms[name].table, column)
    for name, (table, column) in sources_of.items():
        for number, value in rows(table).select("title_no", column).iter_rows():
            said.setdefault(ids.get(number, f"title {number}"), {}).setdefault(name, []).append(value)
    return {title: {name: sorted(values) for name, values in of.items()} for title, of in said.items()}


def revisions_agree(reader: SnapshotReader) -> bool:
    """Say whether every table of a snapshot holds of each title exactly the rows that `titles` says are served."""
    manifest = reader.manifest
    titles = reader.table("titles").to_table(columns=["title_no", "served"]).to_pylist()
    served = {row["title_no"]: json.loads(row["served"]) for row in titles}
    tables = {part.table: (name, "rows") for name, part in manifest.algorithms.items()}
    tables |= {manifest.shots: ("frames", "shots")} if manifest.shots else {}
    tables |= {"people": ("catalogue", "people")}
    for table, (stage, part) in tables.items():
        held: dict[int, list[str]] = {}
        for row in reader.table(table).to_table(columns=["title_no", "revision"]).to_pylist():
            held.setdefault(row["title_no"], []).append(row["revision"])
        wanted = {no: [of[stage][0]] * of[stage][2][part] for no, of in served.items() if stage in of}
        if held != {no: revisions for no, revisions in wanted.items() if revisions}:
            return False
        if manifest.tables[table].rows != sum(map(len, held.values())):
            return False
    return len(served) == len(titles)


@contextmanager
def hooked(store: FolderStore, before: Callable[[str, str], None]) -> Iterator[HookedStore]:
    """Give a second store over the same folder that calls `before`."""
    other = HookedStore(store.root)
    other.before = before
    yield other
    other.before = None


def age_epochs(store: FolderStore) -> None:
    """Make all epochs look as if their owners had been silent for long."""
    for info in store.list(layout.EPOCHS):
        path = store.path(info.key)
        assert path is not None
        os.utime(path, (path.stat().st_mtime - LONG_AGO_S,) * 2)


def sample(store: FolderStore) -> World:
    """Return three films, all of them computed and published, and then two of them changed and computed."""
    world = World(store)
    for name in ("alps", "bees", "cats"):
        world.film(name, lines=(f"{name} one", f"{name} two"), name=name.title())
    world.compute()
    world.publish()
    world.film("alps", media="m2", name="The Alps")
    world.film("bees", lines=("bees three",))
    world.film("dogs", lines=("dogs one",), name="Dogs")
    world.compute()
    return world


def copied(world: World, root: Path) -> World:
    """Return a library like this one in a store of its own."""
    shutil.copytree(world.store.root, root)
    return World(FolderStore(root), world.stages, dict(world.films))


def _make(stage: Stage, film: Film, graph: StageGraph) -> dict[str, pl.DataFrame]:
    said = _expected(film, graph)
    if stage.name == "media":
        facts = json.dumps({"duration_ms": 2_000})
        return {"media": pl.DataFrame({"facts": [facts]})}
    if stage.name == "subtitles":
        return {"cues": pl.DataFrame({"text": list(film.lines)})}
    if stage.name == "catalogue":
        return sources.catalogue(_record(film)).parts
    if stage.name == "frames":
        return {"shots": pl.DataFrame({"shot_no": [0, 1], "of": said["shots"]}, schema=_SHOT)}
    column, schema = ("text", _LINE) if stage.name == "dialogue" else ("label", _LABEL)
    values = said["dialogue" if stage.name == "dialogue" else "objects"]
    ranges = {"start_ms": range(len(values)), "end_ms": range(1, len(values) + 1)}
    sure = {"confidence": [1.0] * len(values)} if column == "label" else {}
    return {"rows": pl.DataFrame({**ranges, column: values, **sure}, schema=schema)}


def _expected(film: Film, graph: StageGraph) -> dict[str, list[Any]]:
    return {
        "name": [film.name],
        "cast": [f"hero of {film.name}"],
        "shots": [f"{film.media} shot {no} {_made_by(graph, 'frames')}" for no in range(2)],
        "dialogue": sorted(f"{line} {_made_by(graph, 'dialogue')}" for line in film.lines),
        "objects": [f"{film.media} seen {_made_by(graph, 'objects')}"],
    }


def _made_by(graph: StageGraph, name: str) -> str:
    """Return what a stage is and what it reads, where it is not as it was at first: `v1`, `v1 by m2 of frames v2`."""
    if name not in graph:
        return "v1"
    stage = graph[name]
    model = f" by {stage.model}" if stage.model not in (None, "m1") else ""
    parameters = "".join(f" {key}={value}" for key, value in stage.parameters.items())
    read = "".join(f" of {given} {said}" for given in stage.inputs if (said := _made_by(graph, given)) != "v1")
    return f"v{stage.code_version}{model}{parameters}{read}"


def _record(film: Film) -> TitleRecord:
    entry = CatalogueEntry(film.name, "movie", people=(Person("Somebody", f"hero of {film.name}"),))
    return TitleRecord(film.title_no, film.title_id, film.path, (), (), entry, film.roots)
