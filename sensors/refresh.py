"""Turns the plan into runs: batches of titles that need the same stages, a bounded number in flight in each lane."""

import time
from collections import Counter

import dagster as dg

from mediaflow.planning.batches import batches
from resources import code
from resources.library import LibraryResource
from sensors import inflight, versions
from sensors.pace import OFTEN_S
from sensors.requests import titles_run

# Runs in flight: one that works, one that waits for its turn.
_IN_FLIGHT = {"light": 2, "decode": 2, "gpu": 2}
_FILMS_PER_WORKER = 4


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
    titles = opened.settings.batch_titles
    sizes = {"light": titles, "gpu": titles, "decode": min(titles, _FILMS_PER_WORKER * opened.decode_workers)}
    found = batches(opened.graph(), plan, now_ms=time.time_ns() // 1_000_000, busy=flying.titles, sizes=sizes)
    requests, lanes = [], Counter(flying.lanes)
    for batch in found:
        if lanes[batch.lane] < _IN_FLIGHT[batch.lane] and known.issuperset(batch.titles):
            lanes[batch.lane] += 1
            requests.append(titles_run(batch.stages, batch.titles, batch.lane, batch.reasons()))
    versions.check(context.instance, opened)
    message = _message(plan.reasons())
    # A tick that asks for runs has no other place for it; Dagster shows a sensor's cursor beside its ticks.
    return dg.SensorResult(run_requests=requests, skip_reason=None if requests else message, cursor=message)


def _message(reasons: dict[str, int]) -> str:
    if not reasons:
        return "everything is fresh"
    counts = ", ".join(f"{reason}: {count}" for reason, count in reasons.items())
    return f"{sum(reasons.values())} artifacts are stale ({counts})"
