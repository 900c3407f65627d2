"""Tells Dagster which model each algorithm uses, and asks for runs that bring those that are not in the store yet.

A model that cannot be had is asked for again, less and less often.
"""

import time
import warnings
from collections.abc import Iterator

import dagster as dg

from assets import models as assets_models
from assets.outcomes import model_asset
from mediaflow.library import Library
from mediaflow.models.record import ModelRecord
from resources.library import LibraryResource
from sensors import inflight, versions
from sensors.pace import SELDOM_S

_FIRST_WAIT_MS = 60_000
_LONGEST_WAIT_MS = 3_600_000
_LANE = "models"

with warnings.catch_warnings():
    warnings.simplefilter("ignore", dg.BetaWarning)
    # Observed assets are sources for Dagster, which a selection leaves out otherwise.
    _TARGET = dg.AssetSelection.groups(assets_models.GROUP, include_sources=True)


@dg.sensor(
    target=_TARGET,
    minimum_interval_seconds=SELDOM_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Shows which model each algorithm uses, and brings it into the store when it is new.",
)
def models(context: dg.SensorEvaluationContext, library: LibraryResource) -> dg.SensorResult:
    """Report each model whose identity changed, and request a run for each that is not known."""
    opened = library.get()
    if inflight.look(context.instance).lanes[_LANE]:
        # It tells of its own model, and anything told meanwhile would be told twice.
        return dg.SensorResult(skip_reason="a model is on its way")
    events = list(_events(context.instance, opened))
    requests, reason = _requests(opened)
    return dg.SensorResult(
        run_requests=requests, asset_events=events, skip_reason=None if requests or events else reason
    )


def _events(
    instance: dg.DagsterInstance, opened: Library
) -> Iterator[dg.AssetObservation | dg.AssetMaterialization | dg.AssetCheckEvaluation]:
    """Give what is new: the model that an algorithm uses, or that it cannot be used and why."""
    declared = opened.declared()
    for algorithm, found in declared.known().items():
        if isinstance(found, ModelRecord):
            if _observed(instance, algorithm) != found.identity:
                yield assets_models.observation(opened, algorithm, found)
        elif algorithm in declared.missing() and not declared.attempts(algorithm)[0]:
            continue  # nothing is known of it before it was tried
        verdict = assets_models.verdict(algorithm, None if isinstance(found, ModelRecord) else found)
        key = verdict.asset_check_key
        said = instance.event_log_storage.get_latest_asset_check_execution_by_key([key])
        if not versions.says(said.get(key), verdict):
            yield verdict


def _observed(instance: dg.DagsterInstance, algorithm: str) -> str | None:
    records = instance.fetch_observations(dg.AssetKey(model_asset(algorithm)), limit=1).records
    event = records[0].event_log_entry.asset_observation if records else None
    return event.tags.get("dagster/data_version") if event else None


def _requests(opened: Library) -> tuple[list[dg.RunRequest], str]:
    """Return the runs to ask for, and what to say where there is none."""
    missing = opened.declared().missing()
    if missing and not (opened.titles() and opened.root.is_dir()):
        return [], "no model is fetched before there is a film to use it on"
    names, requests, waiting = opened.model_names(), [], []
    for algorithm in missing:
        failures, last_ms = opened.model_attempts(algorithm)
        wait_ms = min(_LONGEST_WAIT_MS, _FIRST_WAIT_MS * 2 ** (failures - 1)) if failures else 0
        if time.time_ns() // 1_000_000 < last_ms + wait_ms:
            waiting.append(names[algorithm])
            continue
        tags = {inflight.LANE: _LANE, "mediaflow/why": f"model {names[algorithm]}"[:200]}
        requests.append(dg.RunRequest(asset_selection=[dg.AssetKey(model_asset(algorithm))], tags=tags))
    return requests, f"cannot be had, tried again later: {', '.join(waiting)}" if waiting else "nothing has changed"
