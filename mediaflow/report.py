"""What people ask about a library besides searching it: its state, its titles, one title in full. Plain JSON values."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mediaflow.catalog.records import TitleRecord
from mediaflow.errors import UsageError
from mediaflow.planning.ledger import FAILED, QUARANTINED
from mediaflow.planning.plan import BLOCKED, FRESH, STALE, Plan
from mediaflow.publishing.refusals import Refusal, sentences
from mediaflow.snapshots.reader import SnapshotReader
from mediaflow.snapshots.release import Release

if TYPE_CHECKING:
    import polars as pl

    from mediaflow.algorithms.versions import ChangedSource

# A title is what its worst artifact is.
_WORST_FIRST = (QUARANTINED, FAILED, STALE)
_SHOTS = ("start_frame", "end_frame", "start_ms", "end_ms")
_HIDDEN = ("title_no", "revision", "vector")


def status(
    plan: Plan,
    owners: dict[str, str],
    reader: SnapshotReader | None,
    look: dict[str, Any],
    release: Release | None,
    refusal: Refusal | None,
    seconds_left: Mapping[str, float],
) -> dict[str, Any]:
    """Return the state of a library.

    Parameters
    ----------
    plan : Plan
        What is fresh and what is not.
    owners : dict[str, str]
        Owner by algorithm.
    reader : SnapshotReader, optional
        What is served.
    look : dict
        What the last look at the folder said.
    release : Release, optional
        The release that `reader` was opened at.
    refusal : Refusal, optional
        What the gates refused since then.
    seconds_left : Mapping[str, float]
        By stage, where it is known: an estimate of the time until it covers the titles.

    Returns
    -------
    dict
        titles, fresh, stale, failed, quarantined (numbers of titles), reasons (number of artifacts by reason),
        waiting (what is given up or stopped, with its sentence), algorithms (see `_coverage`), release (`held`:
        whether nothing new is published), refused (what the gates refused: `gates`, and `sentences` on what to do),
        library.
    """
    counts = _title_counts(plan)
    return {
        **counts,
        "reasons": plan.reasons(),
        "waiting": _waiting(plan),
        "algorithms": {
            name: _coverage(plan, name, owner, reader) | {"seconds_left": _rounded(seconds_left.get(name))}
            for name, owner in owners.items()
        },
        "release": _release(reader, release),
        "refused": {"gates": refusal.gates, "sentences": sentences(refusal.gates)} if refusal else None,
        "library": look,
    }


def title_lines(plan: Plan, records: Sequence[TitleRecord]) -> list[dict[str, Any]]:
    """Return one line a title: its entry in short, and its state."""
    states = _title_states(plan)
    return [
        {
            "title_id": record.title_id,
            "title": record.entry.title,
            "kind": record.entry.kind,
            "year": record.entry.year,
            "series": record.entry.series,
            "season": record.entry.season,
            "episode": record.entry.episode,
            "path": record.path,
            "state": states[record.title_id],
        }
        for record in records
    ]


def plan_lines(plan: Plan) -> list[dict[str, Any]]:
    """Return one line an artifact that is not fresh: what is stale, failed, given up or blocked, and why."""
    import polars as pl

    rows = plan.frame.filter(pl.col("state") != FRESH)
    return list(rows.select("title_id", "stage", "state", "reason", "attempts", "revision").iter_rows(named=True))


def source_lines(changed: Sequence[ChangedSource]) -> list[dict[str, Any]]:
    """Return one line an algorithm whose source changed without its version: its name, what changed, the warning."""
    return [
        {"algorithm": one.algorithm, "version": one.version, "functions": list(one.functions), "warning": one.warning}
        for one in changed
    ]


def show(record: TitleRecord, plan: Plan, reader: SnapshotReader | None) -> dict[str, Any]:
    """Return one title in full, as published: its entry, shots, cues and annotations; and what is not fresh of it."""
    body: dict[str, Any] = {
        "title_id": record.title_id,
        **record.entry.to_json(),
        "people": [{"talent": one.talent, "character": one.character} for one in record.entry.people],
        "path": record.path,
        "state": _title_states(plan)[record.title_id],
        "not fresh": [line for line in plan_lines(plan) if line["title_id"] == record.title_id],
        "notes": _notes(plan, record.title_id),
        "published": False,
        "shots": [],
        "cues": [],
        "annotations": {},
    }
    if reader is None:
        return body
    served = _rows(reader, "titles", record.title_no)
    if not len(served):
        return body
    manifest = reader.manifest
    body |= {"published": True, "snapshot": reader.id, "facts": json.loads(served["facts"][0])}
    if manifest.shots:
        body["shots"] = _rows(reader, manifest.shots, record.title_no).sort("shot_no").select(_SHOTS).to_dicts()
    for name, part in sorted(manifest.algorithms.items()):
        rows = _rows(reader, part.table, record.title_no).drop(_HIDDEN, strict=False).sort("start_ms", "end_ms")
        if name == "dialogue":
            body["cues"] = rows.to_dicts()
        else:
            body["annotations"][name] = rows.to_dicts()
    return body


def find_title(records: Sequence[TitleRecord], wanted: str, algorithms: Collection[str] = ()) -> TitleRecord:
    """Return the title with this id or name; `UsageError` where there is none, or more than one of that name.

    It names the `algorithms` where one of these could have been given as well.
    """
    folded = wanted.casefold()
    by_id = [record for record in records if record.title_id == folded]
    found = by_id or [record for record in records if record.entry.title.casefold() == folded]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(record.title_id for record in found)
        raise UsageError(f"More than one title is called {wanted!r}: say which by its id ({ids}).", title=wanted)
    if algorithms:
        names = ", ".join(sorted(algorithms))
        said = f"There is no title and no algorithm {wanted!r}: 'mediaflow titles' lists the titles; there are {names}."
        raise UsageError(said, title=wanted)
    raise UsageError(f"There is no title {wanted!r}: 'mediaflow titles' lists them.", title=wanted)


def _notes(plan: Plan, title_id: str) -> list[str]:
    """Return what the stages found odd about a title, and what they did about it."""
    import polars as pl

    facts = plan.frame.filter((pl.col("title_id") == title_id) & (pl.col("state") == FRESH))["facts"]
    return [note for one in facts for note in json.loads(one).get("notes", [])]


def _title_states(plan: Plan) -> dict[str, str]:
    import polars as pl

    grouped = plan.frame.group_by("title_id").agg(pl.col("state").unique())
    return {
        title: next((state for state in _WORST_FIRST if state in states), FRESH)
        for title, states in grouped.iter_rows()
    }


def _title_counts(plan: Plan) -> dict[str, int]:
    states = list(_title_states(plan).values())
    return {"titles": len(states), **{state: states.count(state) for state in (FRESH, STALE, FAILED, QUARANTINED)}}


def _waiting(plan: Plan) -> list[dict[str, str]]:
    import polars as pl

    found = []
    for frame in (plan.frame, *(kept.frame.filter(pl.col("stage").is_in(kept.own)) for kept in plan.kept)):
        rows = frame.filter(pl.col("state").is_in([QUARANTINED, FAILED]))
        found += list(rows.select("title_id", "stage", "state", "reason").iter_rows(named=True))
    stopped = [{"stage": name, "state": "stopped", "reason": reason} for name, reason in plan.stopped.items()]
    return found + stopped


def _coverage(plan: Plan, name: str, owner: str, reader: SnapshotReader | None) -> dict[str, Any]:
    """Return what there is of an algorithm.

    Returns
    -------
    dict
        owner; covered, of, without: titles finished in the wanted generation, of how many, and given up; served: it
        can be searched; current: what is served is what is wanted; pending: ids of titles that are published without
        its rows; kept: None, or where an earlier generation is served until this one covers the titles: whether new
        and changed titles are computed in that, too.
    """
    import polars as pl

    rows = plan.frame.filter(pl.col("stage") == name)
    fresh = len(rows.filter(pl.col("state") == FRESH))
    part = reader.manifest.algorithms.get(name) if reader else None
    current = part is not None and part.generation == (rows["generation"][0] if len(rows) else None)
    pending = (
        rows.filter(pl.col("title_no").is_in(list(part.pending)))["title_id"] if part else rows["title_id"].clear()
    )
    return {
        "owner": owner,
        "covered": fresh,
        "of": len(rows),
        "without": len(rows.filter(pl.col("state").is_in([QUARANTINED, BLOCKED]))),
        "served": part is not None,
        "current": current,
        "pending": pending.to_list(),
        "kept": None if part is None or current or name in plan.covered else _kept_up(plan, name),
    }


def _kept_up(plan: Plan, name: str) -> bool:
    """Say whether what is served of an algorithm is computed of titles that come or change."""
    found = next((one for one in plan.kept if name in one.own), None)
    return found is not None and not ({name} | found.graph.above(name)) & found.stopped.keys()


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 1)


def _release(reader: SnapshotReader | None, release: Release | None) -> dict[str, Any] | None:
    if reader is None or release is None:
        return None
    manifest = reader.manifest
    return {
        "number": release.n,
        "snapshot": manifest.id,
        "created_ms": manifest.created_ms,
        "titles": manifest.checks["titles"],
        "algorithms": sorted(manifest.algorithms),
        "kind": release.kind,
        "held": release.held,
        "reason": release.reason,
    }


def _rows(reader: SnapshotReader, table: str, title_no: int) -> pl.DataFrame:
    import polars as pl

    found = pl.from_arrow(reader.table(table).to_table(filter=f"title_no = {int(title_no)}"))
    assert isinstance(found, pl.DataFrame)
    return found
