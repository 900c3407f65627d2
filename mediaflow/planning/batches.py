"""Turns a plan into batches of work: which titles, which stages, in which lane, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from mediaflow.planning.ledger import FAILED
from mediaflow.planning.plan import FRESH, STALE, Plan
from mediaflow.planning.stage import LANES, StageGraph

_FIRST_TIME = "never built"


@dataclass(frozen=True)
class Batch:
    """Titles that need the same stages of one lane; `why` gives the reason by title."""

    lane: str
    stages: tuple[str, ...]
    titles: tuple[str, ...]
    why: Mapping[str, str]

    def reasons(self) -> str:
        """Return how many titles for which reason, most frequent first."""
        return ", ".join(f"{reason}: {count}" for reason, count in Counter(self.why.values()).most_common())


def batches(
    graph: StageGraph, plan: Plan, *, now_ms: int, busy: Collection[str] = (), sizes: Mapping[str, int]
) -> list[Batch]:
    """Return what can be computed now: changed titles first, then first fills; lanes in the order of data.

    Parameters
    ----------
    graph, plan
        The stages, and what is stale.
    now_ms : int
        Failed artifacts whose next try is later than this are left out.
    busy : collection of str
        Titles that are being worked on.
    sizes : Mapping[str, int]
        Most titles in a batch, by lane.
    """
    stale = [
        row
        for row in plan.stale().iter_rows(named=True)
        if row["due_ms"] <= now_ms and row["title_id"] not in set(busy)
    ]
    concerned = {row["title_id"] for row in stale}
    fresh = _fresh(plan, concerned)
    found: list[Batch] = []
    for lane in LANES:
        groups: dict[tuple[bool, tuple[str, ...]], dict[str, str]] = {}
        for title_id, rows in _by_title(graph, stale, lane).items():
            stages: list[str] = []
            for row in rows:
                if all((title_id, name) in fresh or name in stages for name in graph[row["stage"]].inputs):
                    stages.append(row["stage"])
            if stages:
                why = next(_why(row) for row in rows if row["stage"] == stages[0])
                groups.setdefault((why == _FIRST_TIME, tuple(stages)), {})[title_id] = why
        for (_, chosen), titles in sorted(groups.items(), key=lambda group: group[0]):
            ids = list(titles)
            for at in range(0, len(ids), sizes[lane]):
                part = tuple(ids[at : at + sizes[lane]])
                found.append(Batch(lane, chosen, part, {title: titles[title] for title in part}))
    return found


def _why(row: Mapping[str, Any]) -> str:
    return "retry" if row["state"] == FAILED else str(row["reason"])


def _fresh(plan: Plan, titles: set[str]) -> set[tuple[str, str]]:
    import polars as pl

    rows = plan.frame.filter((pl.col("state") == FRESH) & pl.col("title_id").is_in(list(titles)))
    return set(rows.select("title_id", "stage").iter_rows())


def _by_title(graph: StageGraph, stale: list[dict[str, Any]], lane: str) -> dict[str, list[dict[str, Any]]]:
    """Return the stale rows of a lane by title; rows come in the graph's order of stages."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in stale:
        if graph[row["stage"]].lane == lane and row["state"] in (STALE, FAILED):
            found.setdefault(row["title_id"], []).append(row)
    return found
