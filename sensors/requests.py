"""How a batch of titles becomes a run."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from sensors.inflight import LANE


def titles_run(
    stages: Sequence[str], titles: Sequence[str], lane: str, why: str, *, record: bool = False
) -> dg.RunRequest:
    """Return the request of a run of some stages over some titles, which need not be neighbours.

    The tag of one title is there because Dagster asks for a partition; the deferred events keep it from planning
    events for that title alone. Each title's own events are logged by the run.
    """
    config = {"titles": list(titles), **({"record": True} if record else {})}
    return dg.RunRequest(
        asset_selection=[dg.AssetKey(stage) for stage in stages],
        run_config={"resources": {"batch": {"config": config}}},
        tags={
            "dagster/partition": titles[0],
            "dagster/defer_asset_events": "true",
            LANE: lane,
            "mediaflow/titles": str(len(titles)),
            "mediaflow/why": why[:200],
        },
    )
