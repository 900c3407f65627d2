"""Batches: what comes first, how large they are, and that no title is in two of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mediaflow.planning.batches import Batch, Sizes, batches
from mediaflow.planning.kept import describe, served_stages
from mediaflow.planning.ledger import FAILED, Ledger
from mediaflow.planning.plan import CHANGED, FILL, NEW, Plan, plan
from mediaflow.planning.stage import StageGraph
from tests.planning.world import STAGES, VISUAL, A, B, Title, record

GRAPH = StageGraph(STAGES)
SIZES = Sizes({"light": 50, "decode": 4, "gpu": 50})
MANY = [Title(f"t{number:03}", number, {"media": f"m{number}", "subtitles": "s"}) for number in range(3, 203)]


def served(graph: StageGraph, wanted: StageGraph, ledger: Ledger, titles: list[Title]) -> Plan:
    """Return the plan of what is wanted while all of `graph` is served."""
    tables = {name: generation for name, generation in graph.generations.items() if graph[name].tables}
    return plan(wanted, titles, ledger, served=served_stages(wanted, tables, describe(graph, tables)))


def found(plan: Plan, graph: StageGraph = GRAPH, **how: object) -> list[Batch]:
    return batches(graph, plan, **{"now_ms": 0, "sizes": SIZES, **how})  # type: ignore[arg-type]


def shown(found: list[Batch]) -> list[tuple[str, tuple[str, ...], int, int]]:
    return [(batch.lane, batch.stages, len(batch.titles), batch.rank) for batch in found]


def test_what_can_be_computed_in_one_lane_is_one_batch_and_the_rest_waits_for_it(ledger: Ledger) -> None:
    first = found(plan(GRAPH, [A, B], ledger))
    assert shown(first) == [("light", ("subtitles", "media", "dialogue"), 2, NEW)]
    record(ledger, GRAPH, [A, B], only="media")
    record(ledger, GRAPH, [A, B], only="subtitles")
    record(ledger, GRAPH, [A], only="dialogue")
    second = found(plan(GRAPH, [A, B], ledger))
    assert [(batch.lane, batch.titles) for batch in second] == [("light", ("b",)), ("decode", ("a",))]
    assert second[0].why == {"b": "never built"}


def test_a_changed_title_goes_before_a_first_fill_of_many_and_has_room_of_its_own(ledger: Ledger) -> None:
    record(ledger, GRAPH, [A])
    changed = replace(A, roots=A.roots | {"subtitles": "s2"})
    of_all = found(plan(GRAPH, [*MANY, changed], ledger))
    assert shown(of_all)[0] == ("light", ("subtitles", "dialogue"), 1, CHANGED)
    assert {batch.rank for batch in of_all[1:]} == {NEW}
    full = {("light", False): 0, ("light", True): 1}
    assert [batch.titles for batch in found(plan(GRAPH, [*MANY, changed], ledger), room=full)] == [("a",)]
    one = {("light", False): 1}
    assert [len(batch.titles) for batch in found(plan(GRAPH, [*MANY, changed], ledger), room=one)] == [50]


def test_no_title_is_in_two_batches_and_busy_ones_are_in_none(ledger: Ledger) -> None:
    record(ledger, GRAPH, [*MANY, A], only="media")
    of_all = found(plan(GRAPH, [*MANY, A], ledger), busy={"a", "t005"})
    titles = [title for batch in of_all for title in batch.titles]
    assert len(titles) == len(set(titles)) == 199
    assert not {"a", "t005"} & set(titles)


def test_where_a_lane_is_full_its_titles_are_free_for_others(ledger: Ledger) -> None:
    record(ledger, GRAPH, [A], only="media")
    room = {("light", False): 0, ("decode", False): 1}
    assert shown(found(plan(GRAPH, [A], ledger), room=room)) == [("decode", ("frames",), 1, NEW)]


def test_what_fills_up_comes_last_and_the_served_generation_is_kept_up_to_date_before(ledger: Ledger) -> None:
    record(ledger, GRAPH, [A, B, *MANY])
    wanted = StageGraph([replace(VISUAL, model="m2") if one is VISUAL else one for one in STAGES])
    changed = replace(A, roots=A.roots | {"media": "a2"})
    new = Title("new", 999, {"media": "n", "subtitles": "s"})
    titles = [*MANY, B, changed, new]
    record(ledger, wanted, [changed, new], only="media")
    record(ledger, wanted, [changed, new], only="frames")
    record(ledger, wanted, [changed, new], only="subtitles")
    record(ledger, wanted, [changed, new], only="dialogue")
    of_all = found(served(GRAPH, wanted, ledger, titles), wanted)
    assert [(batch.titles[0], batch.rank, bool(batch.kept)) for batch in of_all[:2]] == [
        ("a", CHANGED, True),
        ("new", NEW, True),
    ]
    assert {(batch.lane, batch.rank, batch.kept) for batch in of_all[2:]} == {("gpu", FILL, "")}
    assert sum(len(batch.titles) for batch in of_all[2:]) == 201, "of a title that is kept up to date the rest waits"
    assert of_all[0].why == {"a": "input:frames"}
    assert found(served(GRAPH, GRAPH, ledger, [B]), GRAPH) == []


@pytest.mark.parametrize(
    ("seconds", "at_once", "expected"),
    [(0.0, 1, 50), (0.001, 1, 50), (3.0, 1, 20), (3.0, 2, 40), (600.0, 1, 1), (600.0, 2, 2)],
)
def test_batches_are_smaller_where_titles_take_long(seconds: float, at_once: int, expected: int) -> None:
    sizes = Sizes({"light": 50}, 60.0, {"dialogue": seconds / 2, "media": seconds / 2}, {"light": at_once})
    assert sizes.titles("light", ("media", "dialogue")) == expected


def test_failures_wait_for_their_time_and_say_that_they_are_tried_again(ledger: Ledger) -> None:
    record(ledger, GRAPH, [A], FAILED, only="media")
    now = ledger.facts()["at_ms"][-1]
    assert [batch.stages for batch in found(plan(GRAPH, [A], ledger), now_ms=now)] == [("subtitles",)]
    (later,) = found(plan(GRAPH, [A], ledger), now_ms=now + 5_000)
    assert later.stages == ("subtitles", "media", "dialogue")
    assert later.why == {"a": "never built"}
