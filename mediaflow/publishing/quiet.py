"""The cut, worked out for the titles that may differ from what is served; all others are served on as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mediaflow.planning.plan import FRESH, Plan, TitleLike
from mediaflow.planning.stage import StageGraph
from mediaflow.publishing.cut import Cut, serve
from mediaflow.publishing.served import Current


def cut_of(graph: StageGraph, plan: Plan, titles: Sequence[TitleLike], served: Current) -> Cut:
    """Work out the cut: the same as `serve` gives for all titles.

    Where just the wanted generations are served, a title all of whose artifacts are fresh, and the very ones served,
    stays as it is and has no say in what is served of others: it covers what is served already, and nothing is
    pending of it.
    """
    manifest = served.manifest
    wanted = {stage.name: graph.generations[stage.name] for stage in graph if stage.tables}
    if manifest is not None and manifest.generations == wanted and not plan.kept:
        quiet = _quiet(graph, plan, served)
        others = [title for title in titles if title.title_id not in quiet]
        part = serve(graph, _without(plan, quiet), others, manifest, served.titles)
        if part.generations == wanted:
            same = {one.title_id: served.titles[one.title_id] for one in titles if one.title_id in quiet}
            return replace(part, titles={**same, **part.titles})
    return serve(graph, plan, titles, manifest, served.titles)


def _quiet(graph: StageGraph, plan: Plan, served: Current) -> set[str]:
    """Return the titles of the plan that are served just as it wants them."""
    import polars as pl

    shown = [stage.name for stage in graph if stage.root or stage.tables]
    rows = plan.frame.lazy().filter(pl.col("stage").is_in(shown))
    fresh = rows.filter(pl.col("state") == FRESH).select("title_id", "stage", "revision", "attempt").collect()
    same = dict.fromkeys(served.titles, 0)
    for title_id, stage, revision, attempt in fresh.iter_rows():
        one = served.titles.get(title_id, {}).get(stage)
        if one is not None and one.attempt == attempt and one.revision == revision:
            same[title_id] += 1
    return {title for title, count in same.items() if count == len(shown) == len(served.titles[title])}


def _without(plan: Plan, titles: set[str]) -> Plan:
    import polars as pl

    return replace(plan, frame=plan.frame.filter(~pl.col("title_id").is_in(titles)))
