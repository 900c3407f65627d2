"""What a collector frees: counted where it is decided, so that a dry run says the same as a real one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mediaflow.storage.objects import ObjectInfo, ObjectStore

COLLECTED, BUSY, OVERTAKEN, EMPTY, FAILED = "collected", "busy", "overtaken", "nothing released", "failed"


@dataclass(frozen=True)
class Collected:
    """What came of a run of the collector.

    Attributes
    ----------
    outcome : str
        `collected`; `busy`: a publisher or collector is at work; `overtaken`: one that began later has gone ahead, the
        next run does the rest; `nothing released`: there is nothing to judge by yet.
    dry_run : bool
        Whether nothing was deleted.
    snapshots : tuple of str
        Ids of the snapshots that went.
    leaving : Mapping[str, str]
        Snapshots that are marked and still needed, by id: who needs them.
    tables : tuple of str
        Tables that were emptied, as nothing names them.
    versions, files, artifacts, objects : int
        Versions of tables; files that no version of a table holds; attempts of artifacts; small objects and files
        of caches.
    size_bytes : int
        Bytes of all of it.
    """

    outcome: str
    dry_run: bool = False
    snapshots: tuple[str, ...] = ()
    leaving: Mapping[str, str] = field(default_factory=dict)
    tables: tuple[str, ...] = ()
    versions: int = 0
    files: int = 0
    artifacts: int = 0
    objects: int = 0
    size_bytes: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "outcome": self.outcome,
            "dry_run": self.dry_run,
            "snapshots": list(self.snapshots),
            "leaving": dict(self.leaving),
            "tables": list(self.tables),
            "versions": self.versions,
            "files": self.files,
            "artifacts": self.artifacts,
            "objects": self.objects,
            "bytes": self.size_bytes,
        }


@dataclass
class Tally:
    """Deletes objects, unless it is a dry run, and counts them either way.

    Attributes
    ----------
    store : ObjectStore
        Where they are.
    dry_run : bool
        Whether to count only.
    """

    store: ObjectStore
    dry_run: bool
    snapshots: list[str] = field(default_factory=list)
    leaving: dict[str, str] = field(default_factory=dict)
    tables: list[str] = field(default_factory=list)
    versions: int = 0
    files: int = 0
    artifacts: int = 0
    objects: int = 0
    size_bytes: int = 0

    def delete(self, found: Iterable[ObjectInfo]) -> int:
        """Delete objects of a listing; return how many there were."""
        count = 0
        for info in found:
            count += 1
            self.size_bytes += info.size
            if not self.dry_run:
                self.store.delete(info.key)
        return count

    def count(self, found: Iterable[ObjectInfo]) -> int:
        """Count files that Lance deletes; return how many there are."""
        sizes = [info.size for info in found]
        self.size_bytes += sum(sizes)
        return len(sizes)

    def tidy(self, age_ms: int) -> int:
        """Delete writes that were begun so long ago and never finished; return how many there were."""
        sizes = self.store.unfinished(age_ms, delete=not self.dry_run)
        self.size_bytes += sum(sizes)
        return len(sizes)

    def result(self, outcome: str) -> Collected:
        """Return what was counted so far."""
        return Collected(
            outcome,
            self.dry_run,
            tuple(self.snapshots),
            dict(self.leaving),
            tuple(self.tables),
            self.versions,
            self.files,
            self.artifacts,
            self.objects,
            self.size_bytes,
        )
