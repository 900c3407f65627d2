"""Turns the plan into runs: batches of titles that need the same stages, a bounded number in flight in each lane."""

import time

import dagster as dg

from mediaflow.planning.batches import batches
from mediaflow.planning.plan import Plan
from mediaflow.planning.stage import LANES
from resources import code
from resources.library import LibraryResource
from sensors import inflight, versions
from sensors.pace import OFTEN_S
from sensors.requests import titles_run

# Runs in flight in a lane: one that works, one that waits for its turn. Changed titles have as many of their own,
# which Dagster takes first, so that they wait for one batch of a fill at most.
_IN_FLIGHT = 2


@dg.sensor(
    target=dg.AssetSelection.all(),
    minimum_interval_seconds=OFTEN_S,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Computes what the plan says is stale, and nothing else.",
)
def refresh(context: dg.SensorEvaluationContext, library: LibraryResource) -> dg.SensorResult:
    """Request runs for what is stale and not yet in flight."""
    if not library.own_process and code.stamp() != code.loaded():
        return dg.SensorResult(skip_reason=code.CHANGED)
    opened = library.get()
    plan = opened.plan()
    flying = inflight.look(context.instance)
    known = set(context.instance.get_dynamic_partitions("titles"))
    found = batches(
        opened.graph(),
        plan,
        now_ms=time.time_ns() // 1_000_000,
        sizes=opened.sizes(),
        busy=flying.titles | opened.claimed() | ({title.title_id for title in opened.titles()} - known),
        room=_room(flying),
    )
    requests = [
        titles_run(batch.stages, batch.titles, batch.lane, batch.reasons(), rank=batch.rank, kept=batch.kept)
        for batch in found
    ]
    versions.check(context.instance, opened)
    message = _message(plan)
    # A tick that asks for runs has no other place for it; Dagster shows a sensor's cursor beside its ticks.
    return dg.SensorResult(run_requests=requests, skip_reason=None if requests else message, cursor=message)


def _room(flying: inflight.InFlight) -> dict[tuple[str, bool], int]:
    """Return how many more runs there may be of each lane, of changed titles (True) and of all others (False)."""
    return {
        (lane, changed): _IN_FLIGHT - (flying.changed[lane] if changed else flying.lanes[lane] - flying.changed[lane])
        for lane in LANES
        for changed in (True, False)
    }


def _message(plan: Plan) -> str:
    reasons = plan.reasons()
    if kept := sum(len(one.stale()) for one in plan.kept):
        reasons["of what is served meanwhile"] = kept
    if not reasons:
        return "everything is fresh"
    counts = ", ".join(f"{reason}: {count}" for reason, count in reasons.items())
    return f"{sum(reasons.values())} artifacts are stale ({counts})"
