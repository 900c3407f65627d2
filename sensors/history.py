"""Keeps Dagster's event log a true view of ledger and store: what it does not know is recorded, without computing."""

from collections.abc import Iterator

import dagster as dg
import polars as pl
from dagster._core.events import DagsterEventType

from mediaflow.library import Library
from mediaflow.planning.ledger import FAILED, QUARANTINED
from mediaflow.planning.plan import FRESH
from mediaflow.planning.stage import StageGraph
from resources.library import LibraryResource
from sensors import erasures, inflight
from sensors.pace import SELDOM_S
from sensors.requests import titles_run

_LANE = "record"
_WHY = "the event log did not know"
_VERSION = "dagster/data_version"
_AT_ONCE = 4


@dg.sensor(
    target=dg.AssetSelection.all(),
    minimum_interval_seconds=SELDOM_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Refills the event log from the ledger where they differ, e.g. after DAGSTER_HOME was lost.",
)
def history(context: dg.SensorEvaluationContext, library: LibraryResource) -> dg.SensorResult:
    """Compare ledger and event log since the last look; request runs that record what is missing."""
    opened = library.get()
    if erasures.erasures(opened.store) and not inflight.look(context.instance).lanes.total():
        erasures.clear(context.instance, opened)
    # A model that is chosen again has all its artifacts, and the ledger learns nothing; Dagster must.
    models = ",".join(str(getattr(model, "identity", None)) for model in opened.declared().known().values())
    version = f"{opened.ledger.version()} {opened.releases.tip()} {models}"
    if context.cursor == version:
        return dg.SensorResult(skip_reason="nothing has happened since the last look", cursor=version)
    flying = inflight.look(context.instance)
    if flying.lanes.total():
        return dg.SensorResult(skip_reason="runs are still writing their own events", cursor=context.cursor)
    requests = [*_titles(context.instance, opened), *_whole(context.instance, opened)]
    if not requests:
        return dg.SensorResult(skip_reason="the event log says what the ledger says", cursor=version)
    return dg.SensorResult(run_requests=requests[:_AT_ONCE], cursor=context.cursor)


def _titles(instance: dg.DagsterInstance, opened: Library) -> Iterator[dg.RunRequest]:
    """Ask for runs that record what the event log does not know of titles."""
    known = set(instance.get_dynamic_partitions("titles"))
    missing: dict[tuple[str, ...], list[str]] = {}
    for title, stages in _missing(instance, opened.graph(), opened.plan().frame).items():
        if title in known:
            missing.setdefault(stages, []).append(title)
    size = opened.settings.batch_titles
    for stages, titles in missing.items():
        for at in range(0, len(titles), size):
            yield titles_run(stages, titles[at : at + size], _LANE, _WHY, record=True)


def _missing(instance: dg.DagsterInstance, graph: StageGraph, frame: pl.DataFrame) -> dict[str, tuple[str, ...]]:
    """Return by title the stages whose newest event is not what the ledger says, in the order of the stages.

    What reads such a stage comes with it: Dagster compares it with the inputs' events that were there before.
    """
    fresh: dict[str, set[str]] = {}
    for title, rows in frame.filter(pl.col("state") == FRESH).group_by("title_id").agg("stage").iter_rows():
        fresh[title] = set(rows)
    found: dict[str, set[str]] = {}
    for (stage,), rows in frame.group_by(["stage"], maintain_order=True):
        below = graph.below(str(stage))
        logged = _logged(instance, str(stage))
        for title, revision in rows.filter(pl.col("state") == FRESH).select("title_id", "revision").iter_rows():
            if logged.get(title) != revision:
                found.setdefault(title, set()).update({str(stage)} | (below & fresh[title]))
        failed = set(rows.filter(pl.col("state").is_in([FAILED, QUARANTINED]))["title_id"])
        for title in failed - _shown(instance, str(stage), failed):
            found.setdefault(title, set()).add(str(stage))
    return {title: tuple(name for name in graph.names if name in stages) for title, stages in found.items()}


def _logged(instance: dg.DagsterInstance, stage: str) -> dict[str, str]:
    """Return by title the data version of the newest event."""
    tags = instance.event_log_storage.get_latest_tags_by_partition(
        dg.AssetKey(stage), DagsterEventType.ASSET_MATERIALIZATION, [_VERSION]
    )
    return {title: of[_VERSION] for title, of in tags.items() if _VERSION in of}


def _shown(instance: dg.DagsterInstance, stage: str, titles: set[str]) -> set[str]:
    """Return those titles of which Dagster knows that they failed: planned, and not materialized since."""
    if not titles:
        return set()
    planned, made = (
        instance.event_log_storage.get_latest_storage_id_by_partition(dg.AssetKey(stage), kind, titles)
        for kind in (DagsterEventType.ASSET_MATERIALIZATION_PLANNED, DagsterEventType.ASSET_MATERIALIZATION)
    )
    return {title for title in titles if planned.get(title, 0) > made.get(title, 0)}


def _whole(instance: dg.DagsterInstance, opened: Library) -> Iterator[dg.RunRequest]:
    """Ask for a run that records the snapshot; it finds everything there already."""
    # While a refusal stands, a run that publishes would only be refused again.
    if not opened.releases.tip() or opened.refusal(opened.plan()) is not None:
        return
    event = instance.get_latest_materialization_event(dg.AssetKey("snapshot"))
    made = event.asset_materialization if event else None
    if made is None or (made.tags or {}).get(_VERSION) != opened.current().manifest.content:
        tags = {inflight.LANE: "publish", "mediaflow/why": _WHY}
        yield dg.RunRequest(asset_selection=[dg.AssetKey(name) for name in ("snapshot", "release")], tags=tags)
