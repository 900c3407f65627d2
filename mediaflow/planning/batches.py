"""Turns a plan into batches of work: which titles, which stages, in which lane, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mediaflow.planning.ledger import FAILED
from mediaflow.planning.plan import CHANGED, FRESH, RANKS, STALE, Plan
from mediaflow.planning.stage import LANES, StageGraph

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Batch:
    """Titles that need the same stages of one lane.

    Attributes
    ----------
    lane, stages, titles : str, tuple of str, tuple of str
        What is to be computed.
    why : Mapping[str, str]
        The reason by title.
    rank : int
        How soon it is computed; see `mediaflow.planning.plan.RANKS`.
    kept : str
        Names the served stages that it keeps up to date; empty: it is for those that are wanted.
    """

    lane: str
    stages: tuple[str, ...]
    titles: tuple[str, ...]
    why: Mapping[str, str]
    rank: int
    kept: str = ""

    def reasons(self) -> str:
        """Return how many titles for which reason, most frequent first."""
        return ", ".join(f"{reason}: {count}" for reason, count in Counter(self.why.values()).most_common())


@dataclass(frozen=True)
class Sizes:
    """How large batches are: so many titles at most, and fewer where they take longer than a batch is meant to.

    Attributes
    ----------
    most : Mapping[str, int]
        Most titles, by lane.
    seconds : float
        How long a batch is meant to take.
    costs : Mapping[str, float]
        By stage: seconds a title, where that is known.
    at_once : Mapping[str, int]
        How many titles are worked on side by side, by lane, where that is more than one.
    """

    most: Mapping[str, int]
    seconds: float = 60.0
    costs: Mapping[str, float] = field(default_factory=dict)
    at_once: Mapping[str, int] = field(default_factory=dict)

    def titles(self, lane: str, stages: tuple[str, ...]) -> int:
        """Return how many titles a batch of these stages has."""
        cost, side_by_side = sum(self.costs.get(name, 0.0) for name in stages), self.at_once.get(lane, 1)
        if not cost:
            return self.most[lane]
        return max(1, min(self.most[lane], max(side_by_side, int(self.seconds * side_by_side / cost))))


@dataclass(frozen=True)
class _Side:
    """The stages as they are wanted, or some that are kept."""

    kept: str
    graph: StageGraph
    own: Collection[str]
    frame: pl.DataFrame


def batches(
    graph: StageGraph,
    plan: Plan,
    *,
    now_ms: int,
    sizes: Sizes,
    busy: Collection[str] = (),
    room: Mapping[tuple[str, bool], int] | None = None,
) -> list[Batch]:
    """Return what can be computed now: changed titles, then new ones, then what fills up; no title is in two of them.

    Parameters
    ----------
    graph, plan
        The stages, and what is stale.
    now_ms : int
        Failed artifacts whose next try is later than this are left out.
    sizes : Sizes
        How large batches are.
    busy : collection of str
        Titles that are being worked on.
    room : Mapping, optional
        How many batches there may be of each lane, those of changed titles (True) and all others (False) apart;
        without it, all that there are.
    """
    sides = [_Side(kept.id, kept.graph, kept.own, kept.frame) for kept in plan.kept]
    sides.append(_Side("", graph, graph.names, plan.frame))
    open_ = [(side, rows) for side in sides if (rows := _open(side, now_ms, busy)) is not None]
    taken: set[str] = set()
    left = Counter(room) if room is not None else None
    found: list[Batch] = []
    for rank in RANKS:
        for lane in LANES:
            key = (lane, rank == CHANGED)
            for side, rows in open_:
                for stages, why in _groups(side.graph, rows, lane, rank):
                    for part in _parts(why, taken, sizes.titles(lane, stages)):
                        if left is not None and left[key] <= 0:
                            break
                        if left is not None:
                            left[key] -= 1
                        taken.update(part)
                        found.append(Batch(lane, stages, tuple(part), part, rank, side.kept))
    return found


def _open(side: _Side, now_ms: int, busy: Collection[str]) -> dict[str, pl.DataFrame] | None:
    """Return by stage, for the same titles in the same order: title_id, `fresh`, `rank` where it is open, `why`.

    None where nothing is to be done.
    """
    import polars as pl

    own = pl.col("stage").is_in(list(side.own)) & pl.col("state").is_in([STALE, FAILED])
    free = ~pl.col("title_id").is_in(list(busy))
    due = own & free & (pl.col("due_ms") <= now_ms)
    if side.frame.filter(due).is_empty():
        return None
    rows = side.frame.select(
        "title_id",
        (pl.col("state") == FRESH).alias("fresh"),
        pl.when(due).then("rank").alias("rank"),
        pl.when(pl.col("state") == FAILED).then(pl.lit("retry")).otherwise("reason").alias("why"),
    )
    titles = len(rows) // len(side.graph.names)
    return {name: rows.slice(number * titles, titles) for number, name in enumerate(side.graph.names)}


def _groups(
    graph: StageGraph, rows: Mapping[str, pl.DataFrame], lane: str, rank: int
) -> Iterator[tuple[tuple[str, ...], dict[str, str]]]:
    """Yield the stages of a lane that some titles need and can have now, and those titles with the reason of each."""
    import polars as pl

    chosen: dict[str, pl.Series] = {}
    for stage in graph:
        wanted = (rows[stage.name]["rank"] == rank).fill_null(False)
        if stage.lane != lane or not wanted.any():
            continue
        for name in stage.inputs:
            wanted &= rows[name]["fresh"] | chosen[name] if name in chosen else rows[name]["fresh"]
        if wanted.any():
            chosen[stage.name] = wanted
    if not chosen:
        return
    names = list(chosen)
    why = pl.coalesce(pl.when(name).then(pl.lit(rows[name]["why"])) for name in names).alias("said of it")
    titles = next(iter(rows.values()))["title_id"].alias("a title")
    found = pl.DataFrame([chosen[name].alias(name) for name in names]).with_columns(titles, why)
    groups = found.filter(pl.any_horizontal(names)).group_by(names, maintain_order=True).agg("a title", "said of it")
    for row in groups.iter_rows():
        stages = tuple(name for name, needs in zip(names, row[: len(names)], strict=True) if needs)
        yield stages, dict(zip(row[-2], row[-1], strict=True))


def _parts(why: Mapping[str, str], taken: Collection[str], size: int) -> Iterator[dict[str, str]]:
    """Cut titles that are not taken yet into batches."""
    part: dict[str, str] = {}
    for title, reason in why.items():
        if title in taken:
            continue
        part[title] = reason
        if len(part) == size:
            yield part
            part = {}
    if part:
        yield part
