"""The plan: what is stale and why, what is given up, and what does not wait for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mediaflow.errors import UsageError
from mediaflow.planning.ledger import FAILED, QUARANTINED, RETRY, STOPPED, Fact, Ledger
from mediaflow.planning.plan import Plan, Retries, plan
from mediaflow.planning.stage import Stage, StageGraph
from tests.planning.world import FRAMES, STAGES, VISUAL, A, B, record


def states(found: Plan) -> dict[tuple[str, str], str]:
    return {(row["title_id"], row["stage"]): row["state"] for row in found.frame.iter_rows(named=True)}


def reasons(found: Plan) -> dict[tuple[str, str], str]:
    return {(row["title_id"], row["stage"]): row["reason"] for row in found.stale().iter_rows(named=True)}


def of_media(found: Plan) -> dict[str, Any]:
    return next(row for row in found.frame.iter_rows(named=True) if row["stage"] == "media")


def test_an_empty_ledger_has_never_built_anything(ledger: Ledger) -> None:
    found = plan(StageGraph(STAGES), [A, B], ledger)
    assert set(reasons(found).values()) == {"never built"}
    assert len(found.stale()) == 10


def test_what_is_recorded_is_fresh_and_stays_so(ledger: Ledger) -> None:
    graph = StageGraph(STAGES)
    record(ledger, graph, [A, B])
    assert plan(graph, [A, B], ledger).stale().is_empty()
    assert plan(StageGraph(list(reversed(STAGES))), [B, A], ledger).stale().is_empty()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"media": "a2"},
            {"media": "media", "frames": "input:media", "visual": "input:frames", "dialogue": "input:media"},
        ),
        ({"subtitles": "s2"}, {"subtitles": "subtitles", "dialogue": "input:subtitles"}),
    ],
)
def test_a_changed_root_costs_what_reads_it(ledger: Ledger, change: dict[str, str], expected: dict[str, str]) -> None:
    graph = StageGraph(STAGES)
    record(ledger, graph, [A, B])
    changed = replace(A, roots=A.roots | change)
    assert reasons(plan(graph, [changed, B], ledger)) == {("a", stage): why for stage, why in expected.items()}


@pytest.mark.parametrize(
    ("stage", "expected"),
    [
        (replace(VISUAL, code_version="2"), {"visual": "code"}),
        (replace(VISUAL, parameters={"k": 2}), {"visual": "parameters"}),
        (replace(VISUAL, model="m2"), {"visual": "model"}),
        (replace(FRAMES, code_version="2"), {"frames": "code", "visual": "input:frames"}),
    ],
)
def test_a_changed_stage_costs_itself_and_what_reads_it(ledger: Ledger, stage: Stage, expected: dict[str, str]) -> None:
    record(ledger, StageGraph(STAGES), [A])
    changed = StageGraph([stage if old.name == stage.name else old for old in STAGES])
    assert reasons(plan(changed, [A], ledger)) == {("a", name): why for name, why in expected.items()}
    assert plan(StageGraph(STAGES), [A], ledger).stale().is_empty(), "going back costs nothing"


def test_a_quarantined_title_blocks_what_reads_it_and_no_other(ledger: Ledger) -> None:
    graph = StageGraph(STAGES)
    record(ledger, graph, [A], QUARANTINED, only="frames")
    found = states(plan(graph, [A, B], ledger))
    assert found["a", "frames"] == "quarantined"
    assert found["a", "visual"] == "blocked"
    assert found["a", "dialogue"] == found["b", "visual"] == "stale"
    other = replace(A, roots=A.roots | {"media": "a2"})
    assert states(plan(graph, [other], ledger))["a", "frames"] == "stale", "other bytes are a new try"


def test_a_stopped_stage_stops_alone(ledger: Ledger) -> None:
    graph = StageGraph(STAGES)
    generation = graph.generations["visual"]
    ledger.append([Fact("", "visual", generation, generation, STOPPED, reason="weights are missing")])
    found = plan(graph, [A], ledger)
    assert states(found)["a", "visual"] == "stopped"
    assert found.stopped == {"visual": "weights are missing"}
    assert states(found)["a", "dialogue"] == "stale"
    assert ("a", "visual") not in reasons(found)


def test_failures_wait_longer_each_time_and_a_retry_begins_anew(ledger: Ledger) -> None:
    graph = StageGraph(STAGES)
    waits = Retries((5.0, 60.0))
    seen = []
    for _ in range(2):
        record(ledger, graph, [A], FAILED, only="media")
        row = next(
            row for row in plan(graph, [A], ledger, waits).frame.iter_rows(named=True) if row["stage"] == "media"
        )
        at = ledger.facts()["at_ms"][-1]
        seen.append((row["state"], row["attempts"], row["due_ms"] - at))
    assert seen == [("failed", 1, 5_000), ("failed", 2, 60_000)]
    record(ledger, graph, [A], RETRY, only="media")
    row = of_media(plan(graph, [A], ledger, waits))
    assert (row["state"], row["attempts"], row["reason"]) == ("stale", 0, "never built")


def test_reasons_are_counted_and_what_failed_is_a_retry(ledger: Ledger) -> None:
    graph = StageGraph(STAGES)
    record(ledger, graph, [B])
    record(ledger, graph, [A], FAILED, only="media")
    changed = replace(B, roots=B.roots | {"subtitles": "s2"})
    found = plan(graph, [A, changed], ledger).reasons()
    assert list(found.items()) == [("never built", 4), ("input:subtitles", 1), ("retry", 1), ("subtitles", 1)]


def test_generations_follow_what_they_read() -> None:
    base = StageGraph(STAGES).generations
    other = StageGraph([replace(s, code_version="2") if s.name == "frames" else s for s in STAGES]).generations
    assert {name for name in base if base[name] != other[name]} == {"frames", "visual"}


def test_circles_and_missing_inputs_are_a_sentence() -> None:
    with pytest.raises(UsageError, match="wait for each other"):
        StageGraph([Stage("a", "1", ("b",)), Stage("b", "1", ("a",))])
    with pytest.raises(UsageError, match="not there"):
        StageGraph([Stage("a", "1", ("nowhere",))])
    with pytest.raises(UsageError, match="More than one stage"):
        StageGraph([Stage("a", "1"), Stage("a", "2")])


def test_no_titles_is_an_empty_plan(ledger: Ledger) -> None:
    assert plan(StageGraph(STAGES), [], ledger).frame.is_empty()
