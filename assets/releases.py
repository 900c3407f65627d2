"""What Dagster is told of releases: one materialization of `release` a number, in their order, wherever it was made."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import dagster as dg

from assets import gates
from mediaflow.library import Library
from mediaflow.snapshots.diff import diff
from mediaflow.snapshots.history import when
from mediaflow.snapshots.reader import SnapshotReader, UnknownSnapshot
from mediaflow.snapshots.release import FENCE

RELEASE = dg.AssetKey("release")
CODE_VERSION = "1"
# What a look records at most, when all of a long history is to be told again.
_AT_ONCE = 200


def unrecorded(instance: dg.DagsterInstance, library: Library) -> list[dg.AssetMaterialization]:
    """Return the events of the releases after the newest one that the event log knows, oldest first."""
    numbers = library.releases.log.numbers(_recorded(instance))
    newest = instance.event_log_storage.get_maximum_record_id() or 0
    return list(islice(_events(library, numbers, newest), _AT_ONCE))


def _recorded(instance: dg.DagsterInstance) -> int:
    event = instance.get_latest_materialization_event(RELEASE)
    made = event.asset_materialization if event else None
    number = made.metadata["number"].value if made and "number" in made.metadata else 0
    return int(str(number))


def _events(library: Library, numbers: list[int], cursor: int) -> Iterator[dg.AssetMaterialization]:
    """Give the events; `cursor` is the newest record of the event log, which Dagster wants to know with an input."""
    for number in numbers:
        release = library.releases.entry(number)
        if release.kind == FENCE:
            continue
        reader = _open(library, release.snapshot)
        before = _open(library, library.releases.entry(number - 1).snapshot) if number > 1 else None
        facts: dict[str, Any] = {"number": number, "kind": release.kind, "snapshot": release.snapshot}
        facts |= {"held": release.held, "reason": release.reason, "when": when(release.at_ms)}
        tags = {
            "dagster/data_version": release.snapshot,
            "dagster/data_version_is_user_provided": "true",
            "dagster/code_version": CODE_VERSION,
        }
        if reader is not None:
            facts |= _summary(before, reader)
            tags["dagster/input_data_version/snapshot"] = reader.manifest.content
            tags["dagster/input_event_pointer/snapshot"] = str(cursor)
        yield dg.AssetMaterialization(RELEASE, description=release.kind, metadata=facts, tags=tags)


def _summary(before: SnapshotReader | None, reader: SnapshotReader) -> dict[str, Any]:
    """Return what a release serves and what differs from the one before, in numbers and names."""
    manifest = reader.manifest
    facts: dict[str, Any] = {
        "titles": manifest.tables["titles"].rows,
        "algorithms": ", ".join(sorted(manifest.algorithms)),
    }
    if manifest.gates:
        facts["gates"] = gates.table(manifest.gates)
    if before is None:
        return facts
    found = diff(before, reader)
    facts |= {word: len(found[word]) for word in ("added", "changed", "removed")}
    return facts | {f"{word} changed": ", ".join(found[word]) for word in ("models", "generations") if found[word]}


def _open(library: Library, snapshot: str) -> SnapshotReader | None:
    try:
        return library.releases.at(snapshot)
    except UnknownSnapshot:
        return None
