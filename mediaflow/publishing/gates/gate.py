"""What a gate looks at and what it says: the candidate beside the served snapshot, a verdict, a value, a sentence."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediaflow.algorithms.shapes import VECTOR_SHAPES
from mediaflow.errors import SystemFault
from mediaflow.snapshots.manifest import AlgorithmPart, Manifest

if TYPE_CHECKING:
    import numpy as np

    from mediaflow.search.gateway import Gateway
    from mediaflow.snapshots.reader import SnapshotReader

PASSED, OVERRIDDEN, SKIPPED = "passed", "overridden", "skipped"
# In a library of ten titles, one is a tenth: so few never fail a gate, whatever share of the titles they are.
FEW = 3
_SEED = 20
_MOST_NAMED = 5
_AS_BEFORE = "As in the served snapshot: "


@dataclass(frozen=True)
class Limits:
    """Where gates fail; the settings `gate_…` say what each of them means, `golden` is the file of questions."""

    coverage_least: float = 0.0
    coverage_drop: float = 0.1
    titles_lost: float = 0.2
    rows_lost: float = 0.1
    vectors_cosine: float = 0.99
    recall_least: float = 0.9
    golden_drop: float = 0.05
    canary_moved: float = 0.1
    golden: Path | None = None


@dataclass(frozen=True)
class Titles:
    """The titles that a publish is about.

    Attributes
    ----------
    catalogue : Mapping[str, int]
        Those of the library: id to number.
    before, after : set of str
        Those that the served snapshot and the candidate have; what the candidate has is in the catalogue.
    changed : tuple of str
        Those in both that are not the same any more.
    """

    catalogue: Mapping[str, int]
    before: AbstractSet[str]
    after: AbstractSet[str]
    changed: tuple[str, ...] = ()

    @property
    def kept(self) -> list[int]:
        """Numbers of the titles in both, ascending."""
        return sorted(self.catalogue[title] for title in self.after & self.before)


@dataclass(frozen=True)
class Result:
    """What a gate says.

    Attributes
    ----------
    name : str
        The gate's.
    verdict : str
        `passed`, `failed`, `overridden` or `skipped`.
    said : str
        A sentence: what, where, what to do.
    value, limit : float or None
        What was measured and where the gate fails; None where nothing was.
    reason : str
        Why it was overridden.
    """

    name: str
    verdict: str
    said: str
    value: float | None = None
    limit: float | None = None
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the result as it stands in a manifest."""
        return dataclasses.asdict(self)


@dataclass(frozen=True)
class Found:
    """What a gate measured, and whether it lets the candidate pass (None: there was nothing to measure)."""

    passed: bool | None
    said: str
    value: float | None = None
    limit: float | None = None


@dataclass(frozen=True)
class Gate:
    """A gate by its name, what it looks at in a few words, and how it judges."""

    name: str
    about: str
    judge: Callable[[Trial], Found]


@dataclass(frozen=True)
class Trial:
    """A candidate, of which all tables are committed and tagged, beside what is served.

    Attributes
    ----------
    candidate : SnapshotReader
        What is judged.
    served : SnapshotReader or None
        What it is compared with; None where nothing is served, or where that cannot be read any more.
    titles : Titles
        What the publish is about.
    limits : Limits
        Where gates fail.
    open : callable
        Opens a snapshot for queries, with its own encoders.
    alone : str
        Why there is nothing to compare with.
    """

    candidate: SnapshotReader
    served: SnapshotReader | None
    titles: Titles
    limits: Limits
    open: Callable[[SnapshotReader], Gateway]
    alone: str = "this is the first snapshot of the library"
    _gateways: dict[str, Gateway] = field(default_factory=dict)

    def gateway(self, reader: SnapshotReader) -> Gateway:
        """Return a snapshot opened for queries, the same for all gates."""
        if reader.id not in self._gateways:
            self._gateways[reader.id] = self.open(reader)
        return self._gateways[reader.id]

    def random(self, gate: str) -> np.random.Generator:
        """Return a source of chance that is the same for a gate at any time."""
        import zlib

        import numpy as np

        return np.random.default_rng([_SEED, zlib.crc32(gate.encode())])

    def same_table(self, name: str) -> bool:
        """Say whether the candidate has a table in the very version that is served."""
        if self.served is None:
            return False
        before, after = (reader.manifest.tables.get(name) for reader in (self.served, self.candidate))
        return before is not None and after is not None and before.version == after.version

    def carried(self, gate: str, limit: float, unchanged: bool) -> Found | None:
        """Return what the served snapshot's manifest says of a gate that was passed and looks at what is unchanged."""
        if self.served is None or not unchanged:
            return None
        for one in self.served.manifest.gates:
            if (one["name"], one["verdict"], one["limit"]) == (gate, PASSED, limit):
                said = one["said"].removeprefix(_AS_BEFORE)
                return Found(True, f"{_AS_BEFORE}{said}", one["value"], limit)
        return None


def nothing_served(trial: Trial) -> Found:
    """Return what a gate says that needs a served snapshot where there is none."""
    return Found(None, f"There is nothing to compare with: {trial.alone}.")


def allowed(share: float, titles: int) -> int:
    """Return how many of `titles` titles may be lost: that share of them, and always a few."""
    return max(FEW, int(share * titles + 1e-9))


def named(what: list[str]) -> str:
    """Return some of a list of names, and how many more there are."""
    shown = ", ".join(what[:_MOST_NAMED])
    return f"{shown} and {len(what) - _MOST_NAMED} more" if len(what) > _MOST_NAMED else shown


def vector_parts(manifest: Manifest) -> dict[str, AlgorithmPart]:
    """Return the algorithms of a snapshot whose rows are vectors."""
    return {name: part for name, part in sorted(manifest.algorithms.items()) if part.shape in VECTOR_SHAPES}


def readable(reader: SnapshotReader) -> str:
    """Return why a table of a snapshot cannot be opened; empty where all of them can."""
    try:
        for name in sorted(reader.manifest.tables):
            reader.table(name)
    except SystemFault as error:
        return error.message
    return ""


def title_of(trial: Trial, number: int) -> str:
    """Return the id of a title of the catalogue."""
    return next(title for title, one in trial.titles.catalogue.items() if one == number)
