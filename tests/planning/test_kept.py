"""The served stages: put together from what the manifest says, with their parameters, models and columns of then."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from mediaflow.planning.kept import ServedStages, describe, identity, served_stages
from mediaflow.planning.ledger import QUARANTINED, STOPPED, Fact, Ledger
from mediaflow.planning.plan import Plan, plan
from mediaflow.planning.stage import OWN_COLUMNS, Stage, StageGraph, TableSpec
from tests.planning.world import DIALOGUE, FRAMES, STAGES, VISUAL, A, B, record

COLUMNS = {
    "start_ms": pl.Int64,
    "text": pl.String,
    "vector": pl.Array(pl.Float16, 4),
    "words": pl.List(pl.String),
    "box": pl.Struct({"x": pl.Float32, "of": pl.List(pl.Int8)}),
    "seen": pl.Boolean,
    "jpeg": pl.Binary,
}
GRAPH = StageGraph(STAGES)
FACES = Stage("faces", "1", ("visual",), tables={"faces": TableSpec("rows", {})})


def changed(*stages: Stage, of: StageGraph = GRAPH) -> StageGraph:
    """Return the stages with some of them changed."""
    new = {stage.name: stage for stage in stages}
    return StageGraph([new.pop(one.name, one) for one in of] + list(new.values()))


def serving(served: StageGraph, wanted: StageGraph) -> ServedStages:
    """Return what is known of `served`, after it has been in a manifest."""
    tables = {stage.name: served.generations[stage.name] for stage in served if stage.tables}
    return served_stages(wanted, tables, json.loads(json.dumps(describe(served, tables), sort_keys=True)))


def planned(served: StageGraph, wanted: StageGraph, ledger: Ledger, *titles: Any) -> Plan:
    return plan(wanted, list(titles), ledger, served=serving(served, wanted))


def stale(found: Plan) -> list[tuple[str, str, str]]:
    return [row for kept in found.kept for row in kept.stale().select("title_id", "stage", "reason").rows()]


def test_the_stages_come_back_as_they_were() -> None:
    was = changed(replace(VISUAL, tables={"visual": TableSpec("rows", COLUMNS, "text")}))
    wanted = changed(replace(VISUAL, model="m2", parameters={"k": 9}), of=was)
    (graph,) = serving(was, wanted).graphs
    stage = graph["visual"]
    assert dict(graph.generations) == {name: was.generations[name] for name in ("media", "frames", "visual")}
    assert (stage.model, dict(stage.parameters), stage.broken, stage.lane) == ("m1", {"k": 1}, "", "gpu")
    spec = stage.tables["visual"]
    assert (dict(spec.columns), spec.part, spec.text) == (COLUMNS, "rows", "text")
    assert pl.DataFrame(schema=dict(spec.columns)).schema == pl.DataFrame(schema=COLUMNS).schema
    assert serving(was, was).graphs == ()


@pytest.mark.parametrize(
    "now",
    [
        replace(VISUAL, code_version="2"),
        replace(VISUAL, inputs=("media", "frames")),
        replace(VISUAL, parameters={"k": 1, "new": 2}),
        replace(VISUAL, code_version="", model=None, parameters={}, broken="it does not import"),
    ],
    ids=["version", "inputs", "names of parameters", "does not import"],
)
def test_what_is_declared_otherwise_now_is_computed_no_more(ledger: Ledger, now: Stage) -> None:
    record(ledger, GRAPH, [A])
    found = planned(GRAPH, changed(now), ledger, A, B)
    (kept,) = found.kept
    assert "Version '1' of visual, which is served, is there no more" in kept.stopped["visual"]
    assert stale(found) == []
    states = {(row["title_id"], row["stage"]): row["state"] for row in kept.frame.iter_rows(named=True)}
    assert (states["a", "visual"], states["b", "visual"]) == ("fresh", "stopped")


def test_columns_that_are_declared_otherwise_are_other_code() -> None:
    was = changed(replace(VISUAL, parameters={OWN_COLUMNS: {"mean": "Float32"}}))
    (graph,) = serving(was, changed(replace(VISUAL, parameters={OWN_COLUMNS: {"mean": "Float64"}}))).graphs
    assert "is there no more" in graph["visual"].broken


def test_a_model_that_is_missing_now_does_not_stop_what_is_served(ledger: Ledger) -> None:
    record(ledger, GRAPH, [A])
    found = planned(GRAPH, changed(replace(VISUAL, model=None, broken="no weights")), ledger, A, B)
    assert [row for row in stale(found) if row[1] == "visual"] == [("b", "visual", "never built")]
    assert found.kept[0].own == ("visual",), "its inputs are those that are wanted anyway"


def test_only_what_is_new_or_changed_is_stale_and_says_why(ledger: Ledger) -> None:
    record(ledger, GRAPH, [A, B])
    wanted = changed(replace(VISUAL, model="m2"))
    assert stale(planned(GRAPH, wanted, ledger, A, B)) == []
    other = replace(A, roots=A.roots | {"media": "a2"})
    record(ledger, wanted, [other])
    assert stale(planned(GRAPH, wanted, ledger, other, B)) == [("a", "visual", "input:frames")]
    back = planned(wanted, GRAPH, ledger, other, B)
    assert back.reasons() == {"input:frames": 1}, "compared with what it was made of in that generation"


def test_nothing_is_kept_once_the_wanted_generation_covers_the_titles(ledger: Ledger) -> None:
    record(ledger, GRAPH, [A, B])
    wanted = changed(replace(VISUAL, model="m2"), replace(DIALOGUE, parameters={"k": 1}))
    record(ledger, wanted, [A])
    (both,) = planned(GRAPH, wanted, ledger, A, B).kept
    assert set(both.own) == {"visual", "dialogue"}
    record(ledger, wanted, [B], QUARANTINED, only="visual")
    found = planned(GRAPH, wanted, ledger, A, B)
    assert found.covered == {"media", "subtitles", "frames", "visual"}
    assert [kept.own for kept in found.kept] == [("dialogue",)]
    record(ledger, wanted, [B], only="dialogue")
    assert planned(GRAPH, wanted, ledger, A, B).kept == ()


def test_other_frames_are_kept_with_what_was_built_on_them(ledger: Ledger) -> None:
    was = changed(replace(FRAMES, parameters={"width": 1}))
    record(ledger, was, [A])
    wanted = changed(replace(FRAMES, parameters={"width": 2}))
    assert stale(planned(was, wanted, ledger, A, B)) == [("b", name, "never built") for name in ("frames", "visual")]


def test_generations_of_two_times_are_two_graphs(ledger: Ledger) -> None:
    was = changed(FACES)
    between = changed(replace(VISUAL, model="m2"), of=was)
    wanted = changed(replace(VISUAL, model="m3"), of=was)
    tables = {name: was.generations[name] for name in ("frames", "faces")} | {"visual": between.generations["visual"]}
    said = describe(was, ["faces"]) | describe(between, ["visual"])
    found = served_stages(wanted, tables, said)
    assert sorted(graph["visual"].model or "" for graph in found.graphs) == ["m1", "m2"]
    assert len({identity(graph) for graph in found.graphs}) == 2
    kept = plan(wanted, [A], ledger, served=found).kept
    assert {one.own for one in kept} == {("visual",), ("visual", "faces")}


def test_what_a_manifest_does_not_describe_is_in_no_graph() -> None:
    wanted = changed(replace(VISUAL, model="m2"))
    tables = {"visual": GRAPH.generations["visual"]}
    assert served_stages(wanted, tables, {}).graphs == ()
    said = describe(GRAPH, ["visual"])
    del said[GRAPH.generations["frames"]]
    assert served_stages(wanted, tables, said).graphs == ()


def test_a_plan_names_the_artifacts_of_what_is_wanted_and_of_what_is_kept(ledger: Ledger) -> None:
    record(ledger, GRAPH, [A])
    wanted = changed(replace(VISUAL, model="m2"))
    record(ledger, wanted, [A], only="visual")
    record(ledger, GRAPH, [B], only="media")
    named = planned(GRAPH, wanted, ledger, A, B).named()
    assert Counter(named.select("title_id", "stage").iter_rows()) == {
        ("a", "media"): 1,
        ("a", "subtitles"): 1,
        ("a", "frames"): 1,
        ("a", "dialogue"): 1,
        ("a", "visual"): 2,
        ("b", "media"): 1,
    }
    record(ledger, wanted, [B])
    assert named.height == 7 and planned(GRAPH, wanted, ledger, A, B).named().height == 10


def test_a_kept_stage_that_stops_stops_alone(ledger: Ledger) -> None:
    record(ledger, GRAPH, [A])
    generation = GRAPH.generations["visual"]
    ledger.append([Fact("", "visual", generation, generation, STOPPED, reason="its weights are gone")])
    found = planned(GRAPH, changed(replace(VISUAL, model="m2")), ledger, A, B)
    assert found.stopped == {}
    assert found.kept[0].stopped == {"visual": "its weights are gone"}
    assert stale(found) == []
