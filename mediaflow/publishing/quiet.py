"""The cut, worked out for the titles that may differ from what is served; all others are served on as they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from mediaflow.planning.plan import FRESH, Plan, TitleLike
from mediaflow.planning.stage import StageGraph
from mediaflow.publishing import state
from mediaflow.publishing.cut import Cut, serve
from mediaflow.publishing.served import Current, ServedTitles


def cut_of(graph: StageGraph, plan: Plan, titles: Sequence[TitleLike], served: Current) -> Cut:
    """Work out the cut: the same as `serve` gives for all titles.

    Where just the wanted generations are served, a title all of whose artifacts are fresh, and the very ones served,
    stays as it is and has no say in what is served of others: it covers what is served already, and nothing is
    pending of it.
    """
    manifest, before = served.manifest, served.titles
    wanted = {stage.name: graph.generations[stage.name] for stage in graph if stage.tables}
    if manifest is not None and manifest.generations == wanted and not plan.kept and isinstance(before, ServedTitles):
        quiet = _quiet(graph, plan, before)
        moving = set(before).difference(quiet)
        before.fetch(moving)
        others = [title for title in titles if title.title_id not in quiet]
        part = serve(graph, _of(plan, others), others, manifest, before)
        if part.generations == wanted:
            same = quiet & {title.title_id for title in titles}
            known = None
            if manifest.titles and len(same) == len(quiet):
                gone = [(title, before[title]) for title in moving]
                known = state.changed_weight(manifest.titles, gone, part.titles.items())
            whole = before.with_others(same, part.titles)
            return replace(part, titles=whole, same=frozenset(same), known_weight=known)
    return serve(graph, plan, titles, manifest, before)


def _quiet(graph: StageGraph, plan: Plan, served: ServedTitles) -> set[str]:
    """Return the titles of the plan that are served just as it wants them."""
    import polars as pl

    shown = [stage.name for stage in graph if stage.root or stage.tables]
    rows = plan.frame.lazy().filter(pl.col("stage").is_in(shown) & (pl.col("state") == FRESH))
    return state.just_so(served.attempts, rows.select("title_no", "stage", "attempt").collect(), len(shown))


def _of(plan: Plan, titles: Sequence[TitleLike]) -> Plan:
    import polars as pl

    return replace(plan, frame=plan.frame.filter(pl.col("title_id").is_in([title.title_id for title in titles])))
