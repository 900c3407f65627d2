"""What the plans of now want: the attempts that they name, the tables that they fill."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mediaflow.planning.plan import FRESH
from mediaflow.planning.stage import StageGraph
from mediaflow.storage import layout

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Wanted:
    """What is wanted although no snapshot may name it.

    Attributes
    ----------
    frames : sequence of polars.DataFrame
        Frames of plans: what they call fresh is kept.
    tables : frozenset of str
        Names of tables that are being filled, or may be.
    stages : frozenset of str
        Stages of which nobody can say now what they want, as their model or their file cannot be had: all is kept.
    given : frozenset of str
        Attempts that hold what was imported.
    """

    frames: Sequence[pl.DataFrame]
    tables: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    given: frozenset[str] = frozenset()

    def attempts(self) -> set[str]:
        """Return the names of all attempts that the plans read from."""
        import polars as pl

        fresh = [frame.filter(pl.col("state") == FRESH)["attempt"] for frame in self.frames]
        return {*self.given, *(pl.concat(fresh) if fresh else ())}

    def keeps(self, table: str) -> bool:
        """Say whether a table may still be filled."""
        return table in self.tables or table.rpartition("-")[0] in self.stages


def wanted(plans: Iterable[tuple[StageGraph, pl.DataFrame]], given: Iterable[str] = ()) -> Wanted:
    """Return what some frames of plans want, each with the stages that it is about, beside what was imported."""
    frames, tables, unknown = [], set(), set()
    for graph, frame in plans:
        frames.append(frame)
        for stage in graph:
            names = {layout.generation_table(prefix, graph.generations[stage.name]) for prefix in stage.tables}
            tables |= names
            if stage.broken:
                unknown |= {stage.name} | graph.below(stage.name)
        unknown |= {prefix for stage in graph if stage.name in unknown for prefix in stage.tables}
    return Wanted(frames, frozenset(tables), frozenset(unknown), frozenset(given))
