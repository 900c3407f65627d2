"""What is in flight: unfinished runs by lane, and the titles that they are about."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import dagster as dg
from dagster._core.storage.tags import ASSET_PARTITION_RANGE_END_TAG, ASSET_PARTITION_RANGE_START_TAG

from mediaflow.planning.plan import CHANGED
from resources import process

LANE, RANK = "mediaflow/lane", "mediaflow/rank"
_UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@dataclass
class InFlight:
    """Runs by lane, those of changed titles among them, and titles that are being worked on."""

    lanes: Counter[str] = field(default_factory=Counter)
    changed: Counter[str] = field(default_factory=Counter)
    titles: set[str] = field(default_factory=set)


def look(instance: dg.DagsterInstance) -> InFlight:
    """Return what is in flight now; a run whose process was killed is ended as failed, and its work planned anew."""
    found = InFlight()
    for run in instance.get_runs(filters=dg.RunsFilter(statuses=_UNFINISHED)):
        if process.TAG in run.tags and process.ended(run.tags[process.TAG]):
            instance.report_run_failed(run, "The process of this run has ended before the run did.")
            continue
        found.lanes[run.tags.get(LANE, "other")] += 1
        if run.tags.get(RANK) == str(CHANGED):
            found.changed[run.tags.get(LANE, "other")] += 1
        batch = run.run_config.get("resources", {}).get("batch", {}).get("config", {})
        found.titles.update(batch.get("titles") or _partitions(run, instance))
    return found


def _partitions(run: dg.DagsterRun, instance: dg.DagsterInstance) -> list[str]:
    first, last = run.tags.get(ASSET_PARTITION_RANGE_START_TAG), run.tags.get(ASSET_PARTITION_RANGE_END_TAG)
    if first is None or last is None:
        one = run.tags.get("dagster/partition")
        return [one] if one else []
    keys = list(instance.get_dynamic_partitions("titles"))
    return keys[keys.index(first) : keys.index(last) + 1] if first in keys and last in keys else []
