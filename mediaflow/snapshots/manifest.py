"""The manifest of a snapshot: exact versions of all tables, the generations served, the models that encode queries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PART_KINDS = ("tables", "generations", "encoders")
"""Kinds of parts that a manifest names; an engine says which of them it needs."""


@dataclass(frozen=True)
class TablePart:
    """One table of a snapshot: its name under `tables/`, the Lance version and tag, and its number of rows."""

    name: str
    version: int
    tag: str
    rows: int


@dataclass(frozen=True)
class AlgorithmPart:
    """One served algorithm: its generation, its table, what its rows are, and the model that encodes its queries.

    `shots` names the table of the shots that it was built on, `pending` holds the titles (`title_no`) that are
    published without its rows because their new ones are still to come, `model` is an identity in `encoders`.
    """

    generation: str
    table: str
    shape: str
    version: str
    owner: str
    description: str
    fields: dict[str, str]
    model: str | None
    shots: str | None
    pending: tuple[int, ...] = ()


@dataclass(frozen=True)
class Manifest:
    """An immutable snapshot. Names parts by kind; every reader opens exactly these.

    Attributes
    ----------
    id : str
        `<epoch of 20 digits>-<8 hex>`, so that ids sort by time.
    epoch, base_release : int
        The publisher's epoch, and the release that it started from (0: none).
    created_ms : int
        Wall clock of the publisher, for people; nothing depends on it.
    tables : dict[str, TablePart]
        By table name; `titles` and `people` are always there.
    algorithms : dict[str, AlgorithmPart]
        Served algorithms by name.
    generations : dict[str, str]
        By stage that has tables: the generation served.
    stages : dict[str, dict]
        By generation: what the served stages, and all that they read, are; see `mediaflow.planning.kept.describe`.
        Empty in manifests of earlier versions.
    content : str
        Hash of all that is served; equal for equal answers.
    titles : str
        Sum of hashes of the titles with their revisions, a part of `content`. Empty in manifests of earlier versions.
    encoders : dict[str, str]
        Model identity to the name under which it was declared.
    shots, thumbnails : str or None
        Names of the tables of the served shots, None until the shots cover the catalogue.
    checks : dict[str, Any]
        What was verified before the release, for people.
    gates : list[dict[str, Any]]
        What each gate said: name, verdict (`passed`, `overridden` or `skipped`), value, limit, said (a sentence),
        reason (why it was overridden). Empty: the snapshot was published without gates.
    """

    id: str
    epoch: int
    base_release: int
    created_ms: int
    tables: dict[str, TablePart]
    algorithms: dict[str, AlgorithmPart]
    generations: dict[str, str] = field(default_factory=dict)
    content: str = ""
    titles: str = ""
    encoders: dict[str, str] = field(default_factory=dict)
    shots: str | None = None
    thumbnails: str | None = None
    checks: dict[str, Any] = field(default_factory=dict)
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    gates: list[dict[str, Any]] = field(default_factory=list)

    def parts(self, kind: str) -> Mapping[str, Any]:
        """Return the parts of one of `PART_KINDS` by name; `ValueError` for any other kind."""
        if kind not in PART_KINDS:
            raise ValueError(f"A manifest has no parts of the kind {kind!r}; it has {', '.join(PART_KINDS)}.")
        parts: Mapping[str, Any] = getattr(self, kind)
        return parts

    def refused_by(self) -> list[str]:
        """Return the names of the gates that failed and were not overridden: nobody may serve such a snapshot."""
        return [str(gate["name"]) for gate in self.gates if gate["verdict"] == "failed"]

    def to_json(self) -> bytes:
        """Return the manifest as JSON bytes."""
        return json.dumps(vars(self), default=vars, ensure_ascii=False, sort_keys=True).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Manifest:
        """Read a manifest from JSON bytes."""
        body = json.loads(data)
        body["tables"] = {name: TablePart(**part) for name, part in body["tables"].items()}
        body["algorithms"] = {
            name: AlgorithmPart(**{**part, "pending": tuple(part["pending"])})
            for name, part in body["algorithms"].items()
        }
        return cls(**body)
