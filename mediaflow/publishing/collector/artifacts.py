"""Artifacts that no cut that is kept and no plan names: a row in the ledger says so first, then their files go.

An attempt has a name of its own that is never given again, and one that the ledger has once called collected counts as
not there, whatever is said of it later. So a collector that slept deletes nothing that anybody can come to need: who
plans after that row does not see the attempt, and who may have planned before it has taken an epoch, of which the
collector looks before it deletes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from mediaflow.planning.ledger import COLLECTED, DONE, Fact, Ledger
from mediaflow.publishing.collector.tally import Tally
from mediaflow.publishing.collector.wanted import Wanted
from mediaflow.publishing.committer import Overtaken
from mediaflow.publishing.epochs import Epochs
from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.reader import SnapshotReader
from mediaflow.storage import layout, steps
from mediaflow.storage.objects import ObjectInfo, ObjectStore

# Files that the ledger does not know may be of work that is not finished yet: so long they are left alone.
IN_WORK_MS = 24 * 3_600_000


@dataclass
class _Attempt:
    stage: str
    title_id: str
    revision: str
    files: list[ObjectInfo] = field(default_factory=list)


def served(store: ObjectStore, manifests: Iterable[Manifest]) -> dict[str, tuple[str, str, str]]:
    """Return the attempts that snapshots name, each with its title, stage and revision."""
    import polars as pl

    found: dict[str, tuple[str, str, str]] = {}
    seen: set[tuple[str, str]] = set()
    for manifest in manifests:
        rows = pl.from_arrow(SnapshotReader(store, manifest).table("titles").to_table(columns=["title_id", "served"]))
        assert isinstance(rows, pl.DataFrame)
        new = set(rows.iter_rows()) - seen
        for title_id, said in new:
            for stage, (revision, attempt, _) in json.loads(said).items():
                found[attempt] = (title_id, stage, revision)
        seen |= new
    return found


def sweep(tally: Tally, epoch: int, ledger: Ledger, kept: Iterable[Manifest], wanted: Wanted, now_ms: int) -> None:
    """Collect the attempts that nothing names.

    Raises
    ------
    Overtaken
        Somebody has taken a higher epoch and may have planned with what was to go: its files stay for the next run.
    """
    doomed, known = _unnamed(tally.store, ledger, set(served(tally.store, kept)) | wanted.attempts(), wanted, now_ms)
    tally.artifacts += len(doomed)
    if not tally.dry_run:
        steps.reached("collect: before ledger")
        ledger.append(
            [
                Fact(one.title_id, one.stage, one.revision, "", COLLECTED, attempt)
                for attempt, one in doomed.items()
                if known.get(attempt) != COLLECTED
            ]
        )
        steps.reached("collect: after ledger")
        if Epochs(tally.store).newest() > epoch:
            raise Overtaken("Another publisher has begun; the next run of the collector does the rest.")
        steps.reached("collect: before artifacts")
    for one in doomed.values():
        tally.delete(one.files)


def _unnamed(
    store: ObjectStore, ledger: Ledger, named: set[str], wanted: Wanted, now_ms: int
) -> tuple[dict[str, _Attempt], dict[str, str]]:
    """Return the attempts whose files nothing needs, and what the ledger says of each attempt that it knows."""
    known = _known(ledger)
    found: dict[str, _Attempt] = {}
    for info in store.list(layout.ARTIFACTS):
        stage, title_id, revision, file = info.key.removeprefix(layout.ARTIFACTS).split("/")
        attempt = file.partition(".")[0]
        if attempt in named or stage in wanted.stages:
            continue
        if attempt in known or now_ms - info.modified_ms > IN_WORK_MS:
            found.setdefault(attempt, _Attempt(stage, title_id, revision)).files.append(info)
    return found, known


def _known(ledger: Ledger) -> dict[str, str]:
    import polars as pl

    facts = ledger.facts().filter(pl.col("state").is_in([DONE, COLLECTED])).select("attempt", "state")
    return dict(facts.iter_rows())
