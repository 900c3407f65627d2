"""How batches become runs: what is taken first, and how many there may be of each lane."""

from __future__ import annotations

from collections import Counter

import dagster as dg

from mediaflow.planning.plan import CHANGED, FILL, NEW
from sensors.inflight import look
from sensors.refresh import _room
from sensors.requests import PUBLISH_FIRST, titles_run

PRIORITY = "dagster/priority"


def test_changed_titles_are_taken_before_new_ones_and_those_before_what_fills_up_and_a_publish_before_all() -> None:
    runs = [titles_run(["media"], ["a"], "light", "why", rank=rank) for rank in (CHANGED, NEW, FILL)]
    order = [int(PUBLISH_FIRST[PRIORITY]), *(int(run.tags[PRIORITY]) for run in runs)]
    assert order == sorted(order, reverse=True) and len(set(order)) == 4


def test_a_fill_in_flight_leaves_room_for_changed_titles_and_the_other_way_round() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        assert set(_room(look(instance)).values()) == {2}
        for number, rank in enumerate((FILL, FILL, CHANGED)):
            request = titles_run(["media"], [f"t{number}"], "light", "why", rank=rank, kept="k")
            instance.add_run(
                dg.DagsterRun(
                    "job",
                    run_id=f"00000000-0000-0000-0000-00000000000{number}",
                    tags=request.tags,
                    run_config=dict(request.run_config),
                    status=dg.DagsterRunStatus.STARTED,
                )
            )
        flying = look(instance)
        assert (flying.lanes, flying.changed) == (Counter(light=3), Counter(light=1))
        assert flying.titles == {"t0", "t1", "t2"}
        room = _room(flying)
        assert (room["light", False], room["light", True], room["gpu", False]) == (0, 1, 2)
