"""The publisher: one epoch from a look at the log to a numbered release; a crash anywhere leaves the last one served.

No safety rests on a lease or a clock. It rests on two logs whose every entry is put if absent: the releases, and the
versions of each table. Recovery is the ordinary run: it looks what is there and goes on from that.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from mediaflow.planning.plan import Plan
from mediaflow.planning.stage import Stage, StageGraph
from mediaflow.publishing.committer import Committer, Overtaken, Target
from mediaflow.publishing.cut import Cut
from mediaflow.publishing.doorman import PREPARE_MS, Doorman
from mediaflow.publishing.epochs import Epochs
from mediaflow.publishing.gates.gate import Titles
from mediaflow.publishing.gates.judge import Gates, Refused
from mediaflow.publishing.quiet import cut_of
from mediaflow.publishing.refusals import REFUSED, Refusal, standing
from mediaflow.publishing.rows import people_table, titles_table
from mediaflow.publishing.served import Current, ServedMemory
from mediaflow.publishing.targets import Moves, Targets
from mediaflow.snapshots.manifest import AlgorithmPart, Manifest, TablePart
from mediaflow.snapshots.reader import Releases
from mediaflow.snapshots.release import Release, now_ms
from mediaflow.storage import layout, steps
from mediaflow.storage.objects import ObjectStore
from mediaflow.storage.tables import Table
from mediaflow.storage.upkeep import Upkeep

if TYPE_CHECKING:
    import lance


@dataclass(frozen=True)
class Present:
    """A title of the library as the publisher needs it."""

    title_id: str
    title_no: int
    roots: Mapping[str, str]


@dataclass(frozen=True)
class Publication:
    """What came of a publish: `released`, `nothing new`, `held`, `busy` (another is at it), `overtaken` or `refused`.

    `gates` holds what the gates said, where they were asked; of what was refused it says why.
    """

    outcome: str
    release: int = 0
    manifest: Manifest | None = None
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    gates: tuple[Mapping[str, Any], ...] = ()


class _Brought(NamedTuple):
    """A table, and the version of it that holds what a cut says, opened."""

    table: Table
    part: TablePart
    dataset: lance.LanceDataset


class Publisher:
    """Makes snapshots and releases.

    Parameters
    ----------
    store : ObjectStore
        The one store.
    graph : StageGraph
        The stages, with their generations and tables.
    encoders : Mapping[str, str]
        Model identity to declared name.
    shapes : Mapping[str, str]
        By algorithm: what its rows are.
    upkeep : Upkeep, optional
        When tables are compacted and indexed.
    memory : ServedMemory, optional
        Of a process that lives on: what the snapshot serves is not read at every look.
    prepare_ms : int
        How long engines may take to open a snapshot before it is released.
    gates : Gates, optional
        What a snapshot must pass before it is released.
    """

    def __init__(
        self,
        store: ObjectStore,
        graph: StageGraph,
        encoders: Mapping[str, str],
        shapes: Mapping[str, str],
        *,
        upkeep: Upkeep | None = None,
        memory: ServedMemory | None = None,
        prepare_ms: int = PREPARE_MS,
        gates: Gates | None = None,
    ) -> None:
        self._store = store
        self._graph = graph
        self._encoders = encoders
        self._shapes = shapes
        self._upkeep = upkeep or Upkeep()
        self._memory = memory or ServedMemory()
        self._prepare_ms = prepare_ms
        self._gates = gates
        self._releases = Releases(store)
        self._epochs = Epochs(store)

    def due(self, plan: Plan, titles: Sequence[Present]) -> bool:
        """Say whether a publish would change what is served.

        While releases are held none would, nor would one of what the gates have just refused.
        """
        served = self._current()
        if served.held:
            return False
        cut = self._cut(plan, titles, served)
        return (
            self._changes(cut, served, Moves.between(served, cut)) and self._refusal(cut, served, len(titles)) is None
        )

    def refusal(self, plan: Plan, titles: Sequence[Present]) -> Refusal | None:
        """Return what the gates refused last, as long as something else than what is served is whole."""
        newest = self._releases.newest()
        last = standing(self._store, newest.snapshot if newest else "")
        if last is None:
            return None
        served = self._current()
        cut = self._cut(plan, titles, served)
        return last if self._changes(cut, served, Moves.between(served, cut)) else None

    def publish(
        self, look: Callable[[], tuple[Plan, Sequence[Present]]], override: Mapping[str, str] | None = None
    ) -> Publication:
        """Bring the tables to the cut and release it, if that changes what is served.

        Parameters
        ----------
        look : callable
            Gives the plan and the titles; called once the epoch is taken, so that no publisher serves what it saw
            before another one's release.
        override : Mapping[str, str], optional
            By gate: why it may fail this once.
        """
        epoch = self._epochs.begin()
        if not epoch:
            return Publication("busy")
        outcome, said = "failed", None
        try:
            publication = self._publish(epoch, look, override or {})
            outcome = publication.outcome
            return publication
        except Overtaken:
            outcome = "overtaken"
            return Publication("overtaken")
        except Refused as error:
            outcome, said = REFUSED, error.refusal.to_json()
            return Publication(REFUSED, self._releases.tip(), gates=tuple(error.refusal.gates))
        finally:
            self._epochs.end(epoch, outcome, said)

    def _publish(
        self, epoch: int, look: Callable[[], tuple[Plan, Sequence[Present]]], override: Mapping[str, str]
    ) -> Publication:
        served = self._current()
        if served.held:
            return Publication("held", served.number, served.manifest)
        if served.epoch > epoch:
            raise Overtaken(f"Epoch {served.epoch} has released already; epoch {epoch} ends.", epoch=epoch)
        plan, present = look()
        cut = self._cut(plan, present, served)
        moves = Moves.between(served, cut)
        if not self._changes(cut, served, moves):
            return Publication("nothing new", served.number, served.manifest)
        targets = Targets(self._store, cut, present, served, moves)
        tables = self._tables(Committer(self._store, epoch, self._upkeep), cut, targets, served)
        parts = {name: one.part for name, one in tables.items()}
        manifest = self._manifest(epoch, served, cut, parts, present)
        steps.reached("publish: before tag")
        self._tag(manifest, tables)
        manifest = self._judge(manifest, served, cut, moves, present, override)
        steps.reached("publish: before manifest")
        self._store.put_if_absent(layout.snapshot(manifest.id), manifest.to_json())
        number = served.number + 1
        if not Doorman(self._store, self._prepare_ms).release(Release(number, manifest.id, epoch)):
            raise Overtaken(f"Release {number} was made by another publisher or a rollback.", epoch=epoch)
        gates = tuple(manifest.gates)
        return Publication("released", number, manifest, moves.added, moves.changed, moves.removed, gates)

    def _current(self) -> Current:
        return self._memory.read(self._store, self._releases)

    def _cut(self, plan: Plan, titles: Sequence[Present], served: Current) -> Cut:
        return cut_of(self._graph, plan, titles, served)

    def _changes(self, cut: Cut, served: Current, moves: Moves) -> bool:
        """Say whether a cut differs from what is served, or can say more of it; the first release needs a title."""
        if served.manifest is None:
            return bool(cut.titles)
        if moves.added or moves.changed or moves.removed or (cut.stages and not served.manifest.stages):
            return True
        return cut.content != served.manifest.content

    def _tables(self, committer: Committer, cut: Cut, targets: Targets, served: Current) -> dict[str, _Brought]:
        """Bring all tables to the cut; return by name the version of each that holds it, opened."""
        wanted: list[tuple[Table, Target]] = []
        for filled in cut.filled:
            for prefix, spec in filled.stage.tables.items():
                name = layout.generation_table(prefix, filled.generation)
                table = Table(self._store, name, spec.columns, spec.text)
                wanted.append((table, targets.of_table(filled, name, spec)))
        wanted += [(people_table(self._store), targets.people()), (titles_table(self._store), targets.titles())]
        base = served.manifest.tables if served.manifest else {}
        return {
            table.name: _Brought(table, *committer.bring(table, target, base.get(table.name)))
            for table, target in wanted
        }

    def _manifest(
        self, epoch: int, served: Current, cut: Cut, tables: dict[str, TablePart], present: Sequence[Present]
    ) -> Manifest:
        snapshot = f"{epoch:020d}-{secrets.token_hex(4)}"
        number = {title.title_id: title.title_no for title in present}
        old = served.manifest.algorithms if served.manifest else {}
        shots = cut.generations.get("frames")
        algorithms = {}
        for stage in self._graph:
            if stage.name not in self._shapes or stage.name not in cut.generations:
                continue
            pending = tuple(sorted(number[title] for title in cut.pending.get(stage.name, ())))
            if cut.generations[stage.name] == self._graph.generations[stage.name]:
                algorithms[stage.name] = self._part(stage, cut, shots, pending)
            else:
                algorithms[stage.name] = replace(old[stage.name], pending=pending)
        # Of a generation of which the manifest before does not say how it was made, the shots stay as they are.
        for part in algorithms.values():
            if part.shots and part.shots not in tables and served.manifest:
                tables[part.shots] = served.manifest.tables[part.shots]
        names = {**(served.manifest.encoders if served.manifest else {}), **self._encoders}
        used = {part.model for part in algorithms.values() if part.model}
        return Manifest(
            id=snapshot,
            epoch=epoch,
            base_release=served.number,
            created_ms=now_ms(),
            tables={name: replace(part, tag=f"s-{snapshot}") for name, part in tables.items()},
            algorithms=algorithms,
            generations=cut.generations,
            stages=cut.stages,
            content=cut.content,
            titles=cut.weight,
            encoders={identity: names.get(identity, "") for identity in sorted(used)},
            shots=layout.generation_table("shots", shots) if shots else None,
            thumbnails=layout.generation_table("thumbnails", shots) if shots else None,
            checks={"titles": len(cut.titles), "rows": {name: part.rows for name, part in tables.items()}},
        )

    def _part(self, stage: Stage, cut: Cut, shots: str | None, pending: tuple[int, ...]) -> AlgorithmPart:
        spec = stage.tables[stage.name]
        return AlgorithmPart(
            generation=cut.generations[stage.name],
            table=layout.generation_table(stage.name, cut.generations[stage.name]),
            shape=self._shapes[stage.name],
            version=stage.code_version,
            owner=stage.owner,
            description=stage.description,
            fields={name: str(kind) for name, kind in spec.columns.items()},
            model=stage.model,
            shots=layout.generation_table("shots", shots) if shots and "frames" in stage.inputs else None,
            pending=pending,
        )

    def _judge(
        self,
        manifest: Manifest,
        served: Current,
        cut: Cut,
        moves: Moves,
        present: Sequence[Present],
        override: Mapping[str, str],
    ) -> Manifest:
        """Return the manifest with what the gates said; `Refused` where one of them failed."""
        if self._gates is None:
            return manifest
        numbers = {title.title_id: title.title_no for title in present}
        titles = Titles(numbers, served.titles.keys(), cut.titles.keys(), moves.changed)
        return self._gates.passed(manifest, served.manifest, titles, override)

    def _refusal(self, cut: Cut, served: Current, titles: int) -> Refusal | None:
        """Return the refusal of just this cut, by the same limits and beside the same snapshot."""
        if self._gates is None:
            return None
        last = standing(self._store, served.manifest.id if served.manifest else "")
        tried = last is not None and (last.content, last.key) == (cut.content, self._gates.key(titles))
        return last if tried else None

    def _tag(self, manifest: Manifest, tables: Mapping[str, _Brought]) -> None:
        """Tag every table of the snapshot, then open it by that tag: nothing protects between the check and the tag."""
        for part in manifest.tables.values():
            one = tables.get(part.name)
            table = one.table if one else Table(self._store, part.name, {})
            dataset = one.dataset if one else table.open(part.version)
            dataset.tags.create(part.tag, part.version)
            table.open(part.tag)
