"""How a batch of titles becomes a run."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from mediaflow.planning.plan import FILL
from sensors.inflight import LANE, RANK

# Dagster takes the run with the highest number first; what is not said is 0.
_PRIORITY = "dagster/priority"
PUBLISH_FIRST = {_PRIORITY: str(FILL + 1)}


def titles_run(
    stages: Sequence[str],
    titles: Sequence[str],
    lane: str,
    why: str,
    *,
    record: bool = False,
    rank: int = FILL,
    kept: str = "",
) -> dg.RunRequest:
    """Return the request of a run of some stages over some titles, which need not be neighbours.

    `rank` and `kept` are those of a batch.

    The tag of one title is there because Dagster asks for a partition; the deferred events keep it from planning
    events for that title alone. Each title's own events are logged by the run.
    """
    config = {"titles": list(titles), **({"record": True} if record else {}), **({"kept": kept} if kept else {})}
    return dg.RunRequest(
        asset_selection=[dg.AssetKey(stage) for stage in stages],
        run_config={"resources": {"batch": {"config": config}}},
        tags={
            "dagster/partition": titles[0],
            "dagster/defer_asset_events": "true",
            LANE: lane,
            RANK: str(rank),
            _PRIORITY: str(FILL - rank),
            "mediaflow/titles": str(len(titles)),
            "mediaflow/why": why[:200],
        },
    )
