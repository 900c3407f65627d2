"""Reads all that snapshots name, and says what is wrong."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mediaflow.errors import NotFound, SystemFault
from mediaflow.models.record import ModelRecord
from mediaflow.publishing.collector.choice import marked, snapshots
from mediaflow.publishing.verify.problem import Problem
from mediaflow.publishing.verify.tables import Tables
from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.reader import Releases, SnapshotReader
from mediaflow.storage import artifacts, layout
from mediaflow.storage.log import NumberedLog
from mediaflow.storage.objects import ObjectStore

# What such a problem is about cannot be compared with anything.
_UNREADABLE = ("version", "file")
# Which artifact the rows of a table come from that is no algorithm's: stage and part.
_SOURCES = {"shots": ("frames", "shots"), "thumbnails": ("frames", "thumbnails"), "people": ("catalogue", "people")}


@dataclass(frozen=True)
class Verified:
    """What was looked at, and what is wrong.

    Attributes
    ----------
    problems : dict of str to tuple of Problem
        By snapshot; an empty one is whole. The oldest first.
    tables, files, rows, models, artifacts : int
        How many versions of tables, their files and rows, models and attempts were read; what several snapshots share
        was read once.
    """

    problems: dict[str, tuple[Problem, ...]]
    tables: int
    files: int
    rows: int
    models: int
    artifacts: int

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return not any(self.problems.values())

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        problems = {snapshot: [one._asdict() for one in found] for snapshot, found in self.problems.items()}
        names = ("tables", "files", "rows", "models", "artifacts")
        return {"whole": self.whole, "snapshots": problems, **{name: getattr(self, name) for name in names}}


def verify(store: ObjectStore, snapshot: str | None = None) -> Verified:
    """Read all that a snapshot names, or all that the snapshots name that are kept.

    Parameters
    ----------
    store : ObjectStore
        Where it is.
    snapshot : str, optional
        An id; all that are kept, if not given. One that is collected while it is read is left out.

    Raises
    ------
    UnknownSnapshot
        There is no snapshot of that id.
    """
    releases = Releases(store)
    newest = releases.newest()
    current = {newest.snapshot} if newest is not None else set()
    if snapshot is None:
        leaving = set(marked(store)) - current
        ids = [one for one in snapshots(store) if one not in leaving]
    else:
        releases.manifest(snapshot)
        ids, current = [snapshot], set()
    look = _Look(store)
    problems = {one: tuple(look.problems(one)) for one in ids}
    there = set(snapshots(store))
    problems = {one: found for one, found in problems.items() if one in there}
    for one in current - there:
        said = f"it is gone, and release {newest.n if newest else 0} names it"
        problems[one] = (Problem("manifest", layout.snapshot(one), said),)
    return Verified(
        problems, look.tables.count, len(look.tables.files), look.tables.rows, len(look.models), len(look.attempts)
    )


class _Look:
    """Looks at snapshots; what several of them share is read once."""

    def __init__(self, store: ObjectStore) -> None:
        self.tables = Tables(store)
        self.models: dict[str, list[Problem]] = {}
        self.attempts: dict[tuple[str, str], list[Problem]] = {}
        self._store = store

    def problems(self, snapshot: str) -> list[Problem]:
        """Return what is wrong with all that one snapshot names."""
        key = layout.snapshot(snapshot)
        try:
            manifest = Manifest.from_json(self._store.get(key))
        except NotFound:
            return []
        except (ValueError, KeyError, TypeError) as error:
            return [Problem("manifest", key, f"it cannot be read: {error}")]
        found = [one for part in manifest.tables.values() for one in self.tables.problems(part)]
        for identity in manifest.encoders:
            if identity not in self.models:
                self.models[identity] = _model(self._store, identity)
            found += self.models[identity]
        if any(one.kind in _UNREADABLE for one in found):
            return found
        return found + self._titles(manifest)

    def _titles(self, manifest: Manifest) -> list[Problem]:
        """Compare the rows of each table with what the titles say is served, and read the artifacts of it."""
        reader = SnapshotReader(self._store, manifest)
        rows = reader.table("titles").to_table(columns=["title_no", "title_id", "served"]).to_pylist()
        served = {row["title_no"]: json.loads(row["served"]) for row in rows}
        found: list[Problem] = []
        for name in manifest.tables:
            source = _source(manifest, name)
            if source is not None:
                found += _rows(reader, name, served, *source)
        for row in rows:
            for stage, (revision, attempt, parts) in served[row["title_no"]].items():
                key = (stage, attempt)
                if key not in self.attempts:
                    self.attempts[key] = _artifact(self._store, stage, row["title_id"], revision, attempt, parts)
                found += self.attempts[key]
        return found


def _source(manifest: Manifest, table: str) -> tuple[str, str] | None:
    """Return the stage and part whose rows a table holds; None of the titles themselves, and of what is not served."""
    for name, part in manifest.algorithms.items():
        if part.table == table:
            return name, "rows"
    if table in ("people", manifest.shots, manifest.thumbnails):
        return _SOURCES[table.rpartition("-")[0] or table]
    return None


def _rows(reader: SnapshotReader, table: str, served: Mapping[int, Any], stage: str, part: str) -> list[Problem]:
    """Return the titles whose rows in a table are not those of the revision that is served."""
    import polars as pl

    rows = pl.from_arrow(reader.table(table).to_table(columns=["title_no", "revision"]))
    assert isinstance(rows, pl.DataFrame)
    held: dict[int, dict[str, int]] = {}
    for number, revision, count in rows.group_by("title_no", "revision").len().iter_rows():
        held.setdefault(number, {})[revision] = count
    asked = {no: {of[stage][0]: of[stage][2][part]} for no, of in served.items() if stage in of and of[stage][2][part]}
    return [
        Problem("rows", table, f"of title number {no} it holds {held.get(no)}, not {asked.get(no)} (revision: rows)")
        for no in sorted(held.keys() | asked.keys())
        if held.get(no) != asked.get(no)
    ]


def _artifact(
    store: ObjectStore, stage: str, title_id: str, revision: str, attempt: str, parts: Mapping[str, int]
) -> list[Problem]:
    found = []
    for part, rows in parts.items():
        key = layout.artifact(stage, title_id, revision, attempt, part)
        try:
            count = len(artifacts.read(store, stage, title_id, revision, attempt, part))
        except SystemFault as error:
            found.append(Problem("artifact", key, "it is gone" if not store.exists(key) else error.message))
        else:
            if count != rows:
                found.append(Problem("artifact", key, f"it has {count} rows, not {rows}"))
    return found


def _model(store: ObjectStore, identity: str) -> list[Problem]:
    """Compare the weights of an encoder with their hashes."""
    log = NumberedLog(store, layout.MODELS)
    records = (ModelRecord.from_body(body["record"]) for body in map(log.read, log.numbers()) if "record" in body)
    record = next((one for one in records if one.identity == identity), None)
    if record is None:
        return [Problem("model", identity, "the log of models does not know it")]
    found = []
    for file in record.files:
        try:
            sha256 = _sha256(store, file.key)
        except NotFound:
            found.append(Problem("model", file.key, "it is gone"))
        else:
            if sha256 != file.sha256:
                found.append(Problem("model", file.key, f"its SHA-256 is {sha256}, not {file.sha256}"))
    return found


def _sha256(store: ObjectStore, key: str) -> str:
    path = store.path(key)
    if path is None:
        return hashlib.sha256(store.get(key)).hexdigest()
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except FileNotFoundError as error:
        raise NotFound(f"The store has no object {key!r}.", key=key) from error
