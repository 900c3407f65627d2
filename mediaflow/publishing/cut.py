"""The cut: which revision of every stage the next snapshot serves, title by title, and which algorithms it serves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from mediaflow.planning.ledger import STOPPED
from mediaflow.planning.plan import FRESH, SETTLED, Plan, TitleLike
from mediaflow.planning.revisions import digest
from mediaflow.planning.stage import StageGraph
from mediaflow.snapshots.manifest import Manifest

if TYPE_CHECKING:
    import polars as pl


class Served(NamedTuple):
    """One artifact that a snapshot serves: its revision, the attempt that names its files, and its rows by part."""

    revision: str
    attempt: str
    rows: Mapping[str, int]


@dataclass(frozen=True)
class Cut:
    """What the next snapshot is to hold.

    Attributes
    ----------
    titles : dict[str, dict[str, Served]]
        By title_id and stage. A title that is not whole stands at its last whole state, or is not here.
    generations : dict[str, str]
        The generation served of each stage that has tables.
    pending : dict[str, tuple[str, ...]]
        By algorithm: titles that are published without its rows.
    """

    titles: dict[str, dict[str, Served]]
    generations: dict[str, str]
    pending: dict[str, tuple[str, ...]]

    def content(self) -> str:
        """Return a hash of all that the cut says: the same for the same answers."""
        titles = {title: {name: one.revision for name, one in of.items()} for title, of in self.titles.items()}
        return digest([titles, self.generations, self.pending])


def serve(
    graph: StageGraph,
    plan: Plan,
    titles: Sequence[TitleLike],
    base: Manifest | None,
    before: Mapping[str, Mapping[str, Any]],
) -> Cut:
    """Work out the cut.

    Parameters
    ----------
    graph, plan, titles
        The stages, what is fresh, and the titles present.
    base : Manifest, optional
        The snapshot served now.
    before : dict
        What that snapshot serves: title_id to stage to `[revision, attempt, rows by part]`.

    Returns
    -------
    Cut
        A stage with tables is served in its wanted generation once that covers the titles, and in the generation
        served before until then.
    """
    states = _states(plan.frame)
    # Plan and titles may be of two looks at the catalogue: what is in one alone waits for the next look.
    ids = [title.title_id for title in titles if title.title_id in states]
    generations = _generations(graph, states, ids, base)
    wanted = {name for name, generation in generations.items() if generation == graph.generations[name]}
    lasting = _lasting(graph, generations, base)
    readers = {stage.name: graph.below(stage.name) for stage in graph if stage.root}
    chosen: dict[str, dict[str, Served]] = {}
    for title_id in ids:
        old = {name: Served(*row) for name, row in before.get(title_id, {}).items() if name in lasting}
        new = _whole(graph, states[title_id], wanted)
        if new is None:
            if old:
                chosen[title_id] = old
            continue
        changed = {name for root, names in readers.items() if _differs(old.get(root), new.get(root)) for name in names}
        kept = {name: one for name, one in old.items() if name not in wanted | changed and not graph[name].root}
        chosen[title_id] = new | kept
    pending = {
        name: tuple(title for title in ids if title in chosen and name not in chosen[title]) for name in generations
    }
    return Cut(chosen, generations, {name: missing for name, missing in pending.items() if missing})


def _lasting(graph: StageGraph, generations: Mapping[str, str], base: Manifest | None) -> set[str]:
    """Return the stages whose artifacts of the snapshot before may be served on: roots, and unchanged generations.

    Rows of another generation never get into a table, so a title that stays at its last whole state while a
    generation switches loses that algorithm's rows.
    """
    served = base.generations if base else {}
    same = {name for name, generation in generations.items() if served.get(name) == generation}
    return same | {stage.name for stage in graph if stage.root}


def _differs(old: Served | None, new: Served | None) -> bool:
    return (old and old.revision) != (new and new.revision)


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


def _generations(graph: StageGraph, states: _States, ids: Sequence[str], base: Manifest | None) -> dict[str, str]:
    """Return the generation to serve of each stage that has tables: the wanted one where it covers the titles.

    What has stopped half way covers nothing, nor does what waits for it; a title that was given up is covered.
    """
    served = base.generations if base else {}
    halted: set[str] = set()
    found = {}
    for stage in graph:
        here = {states[title][stage.name][0] for title in ids}
        if STOPPED in here:
            halted |= {stage.name} | graph.below(stage.name)
        if not stage.tables:
            continue
        covered = FRESH in here and here <= set(SETTLED) and stage.name not in halted
        if covered or served.get(stage.name) == graph.generations[stage.name]:
            found[stage.name] = graph.generations[stage.name]
        elif stage.name in served:
            found[stage.name] = served[stage.name]
    return found


def _whole(graph: StageGraph, states: Mapping[str, tuple[str, Served]], wanted: set[str]) -> dict[str, Served] | None:
    """Return the title's new state if it is whole: all that is served of it finished or given up for good."""
    if any(states[stage.name][0] != FRESH for stage in graph if stage.essential):
        return None
    needed = [stage.name for stage in graph if stage.root or stage.name in wanted]
    if any(states[name][0] not in SETTLED for name in needed):
        return None
    return {name: states[name][1] for name in needed if states[name][0] == FRESH}
