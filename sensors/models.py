"""Asks for models that are not in the store yet; one that cannot be had is asked for again, less and less often."""

import time

import dagster as dg

from assets.outcomes import model_asset
from resources.library import LibraryResource
from sensors import inflight
from sensors.pace import SELDOM_S

_FIRST_WAIT_MS = 60_000
_LONGEST_WAIT_MS = 3_600_000


@dg.sensor(
    target=dg.AssetSelection.all(),
    minimum_interval_seconds=SELDOM_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Brings models into the store when they are declared or their weights change.",
)
def models(context: dg.SensorEvaluationContext, library: LibraryResource) -> dg.SensorResult:
    """Request a run for each declared model whose identity is not known."""
    opened = library.get()
    if inflight.look(context.instance).lanes["models"]:
        return dg.SensorResult(skip_reason="a model is on its way")
    if not (opened.titles() and opened.root.is_dir()):
        return dg.SensorResult(skip_reason="no model is fetched before there is a film to use it on")
    requests, waiting = [], []
    for algorithm, name in opened.model_names().items():
        if opened.models.find(name) is not None:
            continue
        failures, last_ms = opened.model_attempts(algorithm)
        wait_ms = min(_LONGEST_WAIT_MS, _FIRST_WAIT_MS * 2 ** (failures - 1)) if failures else 0
        if time.time_ns() // 1_000_000 < last_ms + wait_ms:
            waiting.append(name)
            continue
        tags = {inflight.LANE: "models", "mediaflow/why": f"model {name}"[:200]}
        requests.append(dg.RunRequest(asset_selection=[dg.AssetKey(model_asset(algorithm))], tags=tags))
    reason = f"cannot be had, tried again later: {', '.join(waiting)}" if waiting else "all models are in the store"
    return dg.SensorResult(run_requests=requests, skip_reason=None if requests else reason)
