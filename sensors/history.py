"""Keeps Dagster's event log a true view of the ledger: what it does not know is recorded, without computing."""

import dagster as dg
import polars as pl
from dagster._core.events import DagsterEventType

from mediaflow.planning.ledger import FAILED, QUARANTINED
from mediaflow.planning.plan import FRESH
from resources.library import LibraryResource
from sensors import inflight
from sensors.requests import titles_run

_LANE = "record"
_VERSION = "dagster/data_version"
_AT_ONCE = 4


@dg.sensor(
    target=dg.AssetSelection.all(),
    minimum_interval_seconds=10,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Refills the event log from the ledger where they differ, e.g. after DAGSTER_HOME was lost.",
)
def history(context: dg.SensorEvaluationContext, library: LibraryResource) -> dg.SensorResult:
    """Compare ledger and event log since the last look; request runs that record what is missing."""
    opened = library.get()
    version = str(opened.ledger.version())
    if context.cursor == version:
        return dg.SensorResult(skip_reason="the ledger has not grown", cursor=version)
    flying = inflight.look(context.instance)
    if flying.titles or flying.lanes.total():
        return dg.SensorResult(skip_reason="runs are still writing their own events", cursor=context.cursor)
    known = set(context.instance.get_dynamic_partitions("titles"))
    missing: dict[tuple[str, ...], list[str]] = {}
    for title, stages in _missing(context.instance, opened.plan().frame).items():
        if title in known:
            missing.setdefault(tuple(stages), []).append(title)
    size = opened.settings.batch_titles
    requests = [
        titles_run(stages, titles[at : at + size], _LANE, "the event log did not know them", record=True)
        for stages, titles in missing.items()
        for at in range(0, len(titles), size)
    ]
    if not requests:
        return dg.SensorResult(skip_reason="the event log says what the ledger says", cursor=version)
    return dg.SensorResult(run_requests=requests[:_AT_ONCE], cursor=context.cursor)


def _missing(instance: dg.DagsterInstance, frame: pl.DataFrame) -> dict[str, list[str]]:
    """Return by title the stages whose newest event is not what the ledger says, in the order of the stages."""
    found: dict[str, list[str]] = {}
    for (stage,), rows in frame.group_by(["stage"], maintain_order=True):
        logged = instance.event_log_storage.get_latest_tags_by_partition(
            dg.AssetKey(str(stage)), DagsterEventType.ASSET_MATERIALIZATION, [_VERSION]
        )
        for title, revision, state in rows.select("title_id", "revision", "state").iter_rows():
            unlogged = state == FRESH and logged.get(title, {}).get(_VERSION) != revision
            unseen = state in (FAILED, QUARANTINED) and not _shown(instance, str(stage), title)
            if unlogged or unseen:
                found.setdefault(title, []).append(str(stage))
    return found


def _shown(instance: dg.DagsterInstance, stage: str, title: str) -> bool:
    """Say whether Dagster knows that the title failed there: it was planned and has not been materialized since."""
    planned = instance.event_log_storage.get_latest_storage_id_by_partition(
        dg.AssetKey(stage), DagsterEventType.ASSET_MATERIALIZATION_PLANNED, {title}
    )
    made = instance.event_log_storage.get_latest_storage_id_by_partition(
        dg.AssetKey(stage), DagsterEventType.ASSET_MATERIALIZATION, {title}
    )
    return planned.get(title, 0) > made.get(title, 0)
