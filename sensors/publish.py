"""Asks for a publish when what is whole differs from what is served."""

import dagster as dg

from mediaflow.publishing.refusals import sentences
from resources.library import LibraryResource
from sensors import inflight
from sensors.pace import OFTEN_S
from sensors.requests import PUBLISH_FIRST

_LANE = "publish"


@dg.sensor(
    target=dg.AssetSelection.all(),
    minimum_interval_seconds=OFTEN_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Publishes titles that are whole, as one snapshot.",
)
def publish(context: dg.SensorEvaluationContext, library: LibraryResource) -> dg.SensorResult:
    """Request the run that makes snapshot and release."""
    if inflight.look(context.instance).lanes[_LANE]:
        return dg.SensorResult(skip_reason="a publish is on its way")
    opened = library.get()
    newest = opened.releases.told()
    if newest is not None and newest.held:
        return dg.SensorResult(skip_reason=newest.holding())
    plan = opened.plan()
    if not opened.publish_due(plan):
        refusal = opened.refusal(plan)
        said = " ".join(sentences(refusal.gates)) if refusal else "what is served is what is whole"
        return dg.SensorResult(skip_reason=said)
    keys = [dg.AssetKey("snapshot"), dg.AssetKey("release")]
    tags = {inflight.LANE: _LANE, "mediaflow/why": "titles changed", **PUBLISH_FIRST}
    request = dg.RunRequest(asset_selection=keys, tags=tags)
    return dg.SensorResult(run_requests=[request])
