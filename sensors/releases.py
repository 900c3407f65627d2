"""Mirrors the release log in the history of the asset `release`: a rollback from the command line shows there too."""

import dagster as dg

from assets.releases import unrecorded
from resources.library import LibraryResource
from sensors import inflight
from sensors.pace import SELDOM_S


@dg.sensor(
    target=dg.AssetSelection.assets("snapshot", "release"),
    minimum_interval_seconds=SELDOM_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Shows each publish, rollback and resume as a materialization of the release.",
)
def releases(context: dg.SensorEvaluationContext, library: LibraryResource) -> dg.SensorResult:
    """Report the releases that the event log does not know."""
    flying = inflight.look(context.instance).lanes
    # A run that publishes tells of its own release; one that people started has no lane.
    if flying["publish"] or flying["other"]:
        return dg.SensorResult(skip_reason="a publish is still writing its own events")
    events = unrecorded(context.instance, library.get())
    return dg.SensorResult(asset_events=events, skip_reason=None if events else "the event log knows every release")
