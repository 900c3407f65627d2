"""The cut: which revision of every stage the next snapshot serves, title by title, and which algorithms it serves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from mediaflow.planning.kept import describe
from mediaflow.planning.plan import FRESH, SETTLED, Plan, TitleLike
from mediaflow.planning.revisions import digest
from mediaflow.planning.stage import Stage, StageGraph
from mediaflow.publishing.state import Served, changed_weight
from mediaflow.snapshots.manifest import Manifest

if TYPE_CHECKING:
    import polars as pl

_SHOTS = "shots"


@dataclass(frozen=True)
class Filled:
    """A generation of a stage whose tables a snapshot holds.

    Attributes
    ----------
    key : str
        Under which its artifacts stand in `Cut.titles`: the stage's name, or `paired` with the generation where
        these are the shots that a kept algorithm was built on, and others are served.
    stage : Stage
        What it is: as it is wanted, or as it was.
    generation : str
        The generation.
    """

    key: str
    stage: Stage
    generation: str


@dataclass(frozen=True)
class Cut:
    """What the next snapshot is to hold.

    Attributes
    ----------
    titles : Mapping[str, Mapping[str, Served]]
        By title_id and stage. A title that is not whole stands at its last whole state, or is not here.
    generations : dict[str, str]
        The generation served of each stage that has tables.
    pending : dict[str, tuple[str, ...]]
        By algorithm: titles that are published without its rows.
    filled : tuple of Filled
        The stages of all tables of generations.
    stages : dict[str, dict]
        By generation: what the served stages, and all that they read, are.
    same : frozenset of str
        Titles that are known to be served just so already.
    known_weight : str, optional
        `weight`, where it was worked out already.
    """

    titles: Mapping[str, Mapping[str, Served]]
    generations: dict[str, str]
    pending: dict[str, tuple[str, ...]]
    filled: tuple[Filled, ...] = ()
    stages: dict[str, dict[str, Any]] = field(default_factory=dict)
    same: frozenset[str] = field(default=frozenset(), compare=False)
    known_weight: str | None = field(default=None, compare=False)

    @cached_property
    def weight(self) -> str:
        """The sum of hashes of the titles with their revisions (hex)."""
        return changed_weight("", (), self.titles.items()) if self.known_weight is None else self.known_weight

    @cached_property
    def content(self) -> str:
        """A hash of all that the cut says: the same for the same answers."""
        return digest([self.weight, self.generations, self.pending])


def paired(stage: str, generation: str) -> str:
    """Return under which name an artifact stands that is served only for what was built on it."""
    return f"{stage}:{generation[:16]}"


def serve(
    graph: StageGraph,
    plan: Plan,
    titles: Sequence[TitleLike],
    base: Manifest | None,
    before: Mapping[str, Mapping[str, Served]],
) -> Cut:
    """Work out the cut.

    Parameters
    ----------
    graph, plan, titles
        The stages, what is fresh, and the titles present.
    base : Manifest, optional
        The snapshot served now.
    before : Mapping
        What that snapshot serves, by title_id and stage.

    Returns
    -------
    Cut
        A stage with tables is served in its wanted generation once that covers the titles, and in the generation
        served before until then: with the rows of new and changed titles, where those could be computed.
    """
    states = _states(plan.frame)
    # Plan and titles may be of two looks at the catalogue: what is in one alone waits for the next look.
    ids = [title.title_id for title in titles if title.title_id in states]
    generations = _generations(graph, plan, base)
    lines = _lines(graph, plan, generations)
    sides = [states, *(_states(kept.frame) for kept in plan.kept)]
    lasting = _lasting(graph, generations, lines, base)
    blind = [line.filled.key for line in lines if line.side is None]
    chosen: dict[str, Mapping[str, Served]] = {}
    for title_id in ids:
        rows = before.get(title_id, {})
        old = {name: rows[was] for name, was in lasting.items() if was in rows}
        new = _whole(graph, lines, [side.get(title_id, {}) for side in sides])
        if new is None:
            if old:
                chosen[title_id] = _as_it_was(graph, plan, title_id, generations, old) | old
            continue
        chosen[title_id] = new | _carried(graph, blind, old, new)
    pending = {
        name: tuple(title for title in ids if title in chosen and name not in chosen[title]) for name in generations
    }
    return Cut(
        chosen,
        generations,
        {name: missing for name, missing in pending.items() if missing},
        tuple(line.filled for line in lines),
        _described(graph, plan, lines),
    )


@dataclass(frozen=True)
class _Line:
    """A generation that is served, and which side of the plan says what there is of it: 0 the wanted one, 1 … kept.

    None: the manifest before does not say how it was made.
    """

    filled: Filled
    side: int | None


class _Counts(Mapping[str, int]):
    """Rows by part, read from a fact's JSON when they are asked for: few are, where few titles have changed."""

    __slots__ = ("_facts", "_rows")

    def __init__(self, facts: str | None) -> None:
        self._facts = facts
        self._rows: dict[str, int] | None = None

    def __getitem__(self, part: str) -> int:
        return self._read()[part]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read())

    def __len__(self) -> int:
        return len(self._read())

    def _read(self) -> dict[str, int]:
        if self._rows is None:
            self._rows = dict(json.loads(self._facts).get("rows", {})) if self._facts else {}
        return self._rows


_States = dict[str, dict[str, tuple[str, Served]]]


def _states(frame: pl.DataFrame) -> _States:
    found: _States = {}
    columns = frame.select("title_id", "stage", "state", "revision", "attempt", "facts")
    for title_id, stage, state, revision, attempt, facts in columns.iter_rows():
        found.setdefault(title_id, {})[stage] = (state, Served(revision, attempt, _Counts(facts)))
    return found


def _generations(graph: StageGraph, plan: Plan, base: Manifest | None) -> dict[str, str]:
    """Return the generation to serve of each stage that has tables: the wanted one where it covers the titles."""
    served = base.generations if base else {}
    found = {}
    for stage in graph:
        if not stage.tables:
            continue
        if stage.name in plan.covered:
            found[stage.name] = graph.generations[stage.name]
        elif stage.name in served:
            found[stage.name] = served[stage.name]
    return found


def _lines(graph: StageGraph, plan: Plan, generations: Mapping[str, str]) -> list[_Line]:
    """Return the generations that are served, and the shots that kept algorithms were built on, with their sides."""
    graphs = [graph, *(kept.graph for kept in plan.kept)]
    found: dict[str, _Line] = {}
    for name, generation in generations.items():
        side = next((no for no, one in enumerate(graphs) if one.generations.get(name) == generation), None)
        found[name] = _Line(Filled(name, graphs[side or 0][name], generation), side)
        if side is None:
            continue
        for given in graphs[side][name].inputs:
            of, stage = graphs[side].generations[given], graphs[side][given]
            if _SHOTS in stage.tables and generations.get(given) != of:
                shots = replace(stage, tables={_SHOTS: stage.tables[_SHOTS]})
                found[paired(given, of)] = _Line(Filled(paired(given, of), shots, of), side)
    return list(found.values())


def _lasting(
    graph: StageGraph, generations: Mapping[str, str], lines: Iterable[_Line], base: Manifest | None
) -> dict[str, str]:
    """Return by what is served: under which name the snapshot before has it; roots, and unchanged generations.

    Rows of another generation never get into a table. A title that stays at its last whole state while a generation
    switches has what there is of that state in the new one (`_as_it_was`).
    """
    served = base.generations if base else {}
    found = {stage.name: stage.name for stage in graph if stage.root}
    found |= {name: name for name, generation in generations.items() if served.get(name) == generation}
    for line in lines:
        name, generation = line.filled.stage.name, line.filled.generation
        found[line.filled.key] = name if served.get(name) == generation else paired(name, generation)
    return found


def _as_it_was(
    graph: StageGraph, plan: Plan, title_id: str, generations: Mapping[str, str], old: Mapping[str, Served]
) -> dict[str, Served]:
    """Return what there is of a title as it was, of generations that are served from now on."""
    if plan.look is None or all(name in old for name in generations):
        return {}
    was = {stage.name: old[stage.name].revision for stage in graph if stage.root and stage.name in old}
    found = {}
    for stage in graph:
        if not stage.root and all(name in was for name in stage.inputs):
            was[stage.name] = stage.revision(title_id, [was[name] for name in stage.inputs])
        if stage.name in was and generations.get(stage.name) == graph.generations[stage.name]:
            made = plan.look.made(title_id, stage.name, was[stage.name])
            if made is not None:
                found[stage.name] = Served(was[stage.name], made[0], made[1].get("rows", {}))
    return found


def _whole(
    graph: StageGraph, lines: Sequence[_Line], sides: Sequence[Mapping[str, tuple[str, Served]]]
) -> dict[str, Served] | None:
    """Return the title's new state if it is whole: all that is served of it finished or given up for good."""
    wanted = sides[0]
    if any(wanted[stage.name][0] != FRESH for stage in graph if stage.essential):
        return None
    found = {stage.name: wanted[stage.name] for stage in graph if stage.root}
    for line in lines:
        if line.side is not None:
            found[line.filled.key] = sides[line.side][line.filled.stage.name]
    if any(state not in SETTLED for state, _ in found.values()):
        return None
    return {name: one for name, (state, one) in found.items() if state == FRESH}


def _carried(
    graph: StageGraph, blind: Sequence[str], old: Mapping[str, Served], new: Mapping[str, Served]
) -> dict[str, Served]:
    """Return what goes on to be served of generations of which nothing is known: that of titles that did not change."""
    roots = [stage.name for stage in graph if stage.root]
    if any((name in old) != (name in new) or (name in old and old[name] != new[name]) for name in roots):
        return {}
    return {name: old[name] for name in blind if name in old}


def _described(graph: StageGraph, plan: Plan, lines: Sequence[_Line]) -> dict[str, dict[str, Any]]:
    graphs = [graph, *(kept.graph for kept in plan.kept)]
    found: dict[str, dict[str, Any]] = {}
    for side, one in enumerate(graphs):
        found |= describe(one, [line.filled.stage.name for line in lines if line.side == side])
    return found
