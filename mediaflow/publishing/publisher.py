"""The publisher: one epoch from a look at the log to a numbered release; a crash anywhere leaves the last one served.

No safety rests on a lease or a clock. It rests on two logs whose every entry is put if absent: the releases, and the
versions of each table. Recovery is the ordinary run: it looks what is there and goes on from that.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from mediaflow.planning.plan import Plan
from mediaflow.planning.stage import Stage, StageGraph
from mediaflow.publishing.committer import Committer, Overtaken
from mediaflow.publishing.cut import Cut
from mediaflow.publishing.epochs import Epochs
from mediaflow.publishing.quiet import cut_of
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


@dataclass(frozen=True)
class Present:
    """A title of the library as the publisher needs it."""

    title_id: str
    title_no: int
    roots: Mapping[str, str]


@dataclass(frozen=True)
class Publication:
    """What came of a publish: `released`, `nothing new`, `held`, `busy` (another is at it) or `overtaken`."""

    outcome: str
    release: int = 0
    manifest: Manifest | None = None
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


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
    """

    def __init__(
        self,
        store: ObjectStore,
        graph: StageGraph,
        encoders: Mapping[str, str],
        shapes: Mapping[str, str],
        upkeep: Upkeep | None = None,
        memory: ServedMemory | None = None,
    ) -> None:
        self._store = store
        self._graph = graph
        self._encoders = encoders
        self._shapes = shapes
        self._upkeep = upkeep or Upkeep()
        self._memory = memory or ServedMemory()
        self._releases = Releases(store)
        self._epochs = Epochs(store)

    def due(self, plan: Plan, titles: Sequence[Present]) -> bool:
        """Say whether a publish would change what is served; while releases are held, none would."""
        served = self._current()
        if served.held:
            return False
        cut = self._cut(plan, titles, served)
        return self._changes(cut, served, Moves.between(served, cut))

    def publish(self, look: Callable[[], tuple[Plan, Sequence[Present]]]) -> Publication:
        """Bring the tables to the cut and release it, if that changes what is served.

        Parameters
        ----------
        look : callable
            Gives the plan and the titles; called once the epoch is taken, so that no publisher serves what it saw
            before another one's release.
        """
        epoch = self._epochs.begin()
        if not epoch:
            return Publication("busy")
        outcome = "failed"
        try:
            publication = self._publish(epoch, look)
            outcome = publication.outcome
            return publication
        except Overtaken:
            outcome = "overtaken"
            return Publication("overtaken")
        finally:
            self._epochs.end(epoch, outcome)

    def _publish(self, epoch: int, look: Callable[[], tuple[Plan, Sequence[Present]]]) -> Publication:
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
        manifest = self._manifest(epoch, served, cut, tables, present)
        steps.reached("publish: before tag")
        self._tag(manifest)
        steps.reached("publish: before manifest")
        self._store.put_if_absent(layout.snapshot(manifest.id), manifest.to_json())
        number = served.number + 1
        steps.reached("publish: before release")
        if not self._releases.add(Release(number, manifest.id, epoch, at_ms=now_ms())):
            raise Overtaken(f"Release {number} was made by another publisher or a rollback.", epoch=epoch)
        return Publication("released", number, manifest, moves.added, moves.changed, moves.removed)

    def _current(self) -> Current:
        return self._memory.read(self._store, self._releases)

    def _cut(self, plan: Plan, titles: Sequence[Present], served: Current) -> Cut:
        return cut_of(self._graph, plan, titles, served)

    def _changes(self, cut: Cut, served: Current, moves: Moves) -> bool:
        """Say whether a cut differs from what is served; the first release needs a title."""
        if served.manifest is None:
            return bool(cut.titles)
        return bool(moves.added or moves.changed or moves.removed) or cut.content() != served.manifest.content

    def _tables(self, committer: Committer, cut: Cut, targets: Targets, served: Current) -> dict[str, TablePart]:
        base = served.manifest.tables if served.manifest else {}
        parts: dict[str, TablePart] = {}
        for stage in self._graph:
            if stage.name not in cut.generations:
                continue
            for prefix, spec in stage.tables.items():
                generation = cut.generations[stage.name]
                name = layout.generation_table(prefix, generation)
                table = Table(self._store, name, spec.columns, spec.text)
                target = targets.of_table(stage.name, generation, name, spec)
                parts[name] = committer.bring(table, target, base.get(name))
        parts["people"] = committer.bring(people_table(self._store), targets.people(), base.get("people"))
        parts["titles"] = committer.bring(titles_table(self._store), targets.titles(), base.get("titles"))
        return parts

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
            content=cut.content(),
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

    def _tag(self, manifest: Manifest) -> None:
        """Tag every table of the snapshot, then open it by that tag: nothing protects between the check and the tag."""
        for part in manifest.tables.values():
            table = Table(self._store, part.name, {})
            table.open(part.version).tags.create(part.tag, part.version)
            table.open(part.tag)
