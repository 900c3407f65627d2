"""Stages and titles for tests of the plan, and a ledger that knows them."""

from __future__ import annotations

from dataclasses import dataclass

from mediaflow.planning.ledger import DONE, Fact, Ledger
from mediaflow.planning.plan import plan, recipe_of
from mediaflow.planning.stage import Stage, StageGraph, TableSpec

MEDIA = Stage("media", "1")
SUBTITLES = Stage("subtitles", "1")
FRAMES = Stage("frames", "1", ("media",), lane="decode", tables={"shots": TableSpec("shots", {})})
VISUAL = Stage("visual", "1", ("frames",), {"k": 1}, "m1", "gpu", {"visual": TableSpec("rows", {})})
DIALOGUE = Stage("dialogue", "1", ("media", "subtitles"), tables={"dialogue": TableSpec("rows", {})})
STAGES = [DIALOGUE, VISUAL, FRAMES, SUBTITLES, MEDIA]


@dataclass(frozen=True)
class Title:
    title_id: str
    title_no: int
    roots: dict[str, str]


A = Title("a", 1, {"media": "a1", "subtitles": "s1"})
B = Title("b", 2, {"media": "b1", "subtitles": "s1"})


def record(ledger: Ledger, graph: StageGraph, titles: list[Title], state: str = DONE, only: str = "") -> None:
    """Write down that all (or one stage) of these titles is as it should be."""
    frame = plan(graph, titles, ledger).frame
    revision = {(row["title_id"], row["stage"]): row["revision"] for row in frame.iter_rows(named=True)}
    facts = []
    for title in titles:
        for stage in graph:
            if only and stage.name != only:
                continue
            inputs = {name: revision[title.title_id, name] for name in stage.inputs}
            made = recipe_of(stage, title.title_id, {stage.name: title.roots[stage.name]} if stage.root else inputs)
            generation = graph.generations[stage.name]
            of = revision[title.title_id, stage.name]
            facts.append(Fact(title.title_id, stage.name, of, generation, state, "x", recipe=made, reason="broke"))
    ledger.append(facts)
