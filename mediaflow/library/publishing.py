"""What a library publishes, keeps, and takes out of everything."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from mediaflow.library.opened import Opened, Pictures
from mediaflow.planning.plan import Plan
from mediaflow.planning.stage import StageGraph
from mediaflow.snapshots.release import Release

if TYPE_CHECKING:
    from mediaflow.publishing.collector.tally import Collected
    from mediaflow.publishing.erase.erase import Erasure
    from mediaflow.publishing.gates.judge import Gates
    from mediaflow.publishing.publisher import Present, Publication, Publisher
    from mediaflow.publishing.refusals import Refusal
    from mediaflow.publishing.verify.verify import Verified
    from mediaflow.snapshots.leases import Lease
    from mediaflow.snapshots.pins import Pin


class Publishing(Opened):
    """Publishes, goes back, keeps and collects."""

    def publish_due(self, plan: Plan) -> bool:
        """Say whether a publish would change what is served, and is not what the gates have just refused."""
        return self._publisher(self.graph()).due(plan, self._present())

    def publish(self, override: Mapping[str, str] | None = None) -> Publication:
        """Publish what is whole, if that changes what is served and passes the gates.

        Parameters
        ----------
        override : Mapping[str, str], optional
            By gate: why it may fail this once; `UsageError` for a gate that does not exist.
        """
        from mediaflow.publishing.gates.judge import check_override

        check_override(override or {})
        graph = self.graph()
        return self._publisher(graph).publish(lambda: (self._plan(graph), self._present()), override)

    def refusal(self, plan: Plan) -> Refusal | None:
        """Return what the gates refused last, None where what is served is what is whole."""
        return self._publisher(self.graph()).refusal(plan, self._present())

    def rollback(self, snapshot: str | None, reason: str) -> Release:
        """Serve an earlier snapshot and hold it; see `mediaflow.publishing.rollback`."""
        from mediaflow.publishing.rollback import rollback

        return rollback(self.store, snapshot, reason, self._prepare_ms)

    def resume(self) -> Release:
        """Let publishes go on from what is served; `NotHeld` where they do already."""
        from mediaflow.publishing.rollback import resume

        return resume(self.store, self._prepare_ms)

    def pin(self, snapshot: str | None, why: str, ttl_ms: int) -> Pin:
        """Keep a snapshot, or the current one, for a time, whatever is published and collected meanwhile."""
        from mediaflow.snapshots.pins import keep, this_person

        return keep(self.store, snapshot, ttl_ms, this_person(), why)

    def unpin(self, wanted: str) -> list[Lease]:
        """Take away the pin of that id, or all that people have put on the snapshot of that id."""
        from mediaflow.snapshots.pins import release

        return release(self.store, wanted)

    def collect(self, dry_run: bool = False, retire: Collection[str] = ()) -> Collected:
        """Delete what no snapshot that is kept, no reader and no plan needs, or only say what that is.

        What is to `retire` goes whoever needs it, unless it is current.
        """
        from mediaflow.publishing.collector.collector import Collector
        from mediaflow.publishing.collector.wanted import Wanted, wanted

        def look() -> Wanted:
            graph = self.graph()
            found = self._plan(graph)
            plans = [(graph, found.frame), *((kept.graph, kept.frame) for kept in found.kept)]
            return wanted(plans, self.imports.attempts())

        return Collector(
            self.store, self.ledger, self.settings.keep_snapshots, look, self.cache, retire, self.models.retired
        ).collect(dry_run)

    def erasure(self, title: str) -> Erasure:
        """Return what erasing a title is about, by id or name; `UsageError` while its files are in the library."""
        from mediaflow.publishing.erase.find import find

        return find(self.store, self.catalog, self.root, title)

    def erase(self, title: str) -> Collected:
        """Take a title out of everything, for good; see `mediaflow.publishing.erase`."""
        from mediaflow.publishing.erase.erase import Eraser

        erasure = self.erasure(title)
        with self._lock:
            self._gateway = None
        eraser = Eraser(
            self.store,
            self.ledger,
            lambda: self.catalog,
            self.cache,
            self.publish,
            lambda snapshots: self.collect(retire=snapshots),
        )
        return eraser.erase(erasure)

    def verify(self, snapshot: str | None = None) -> Verified:
        """Read all that a snapshot names, or all that are kept; see `mediaflow.publishing.verify`."""
        from mediaflow.publishing.verify.verify import verify

        return verify(self.store, snapshot)

    def _publisher(self, graph: StageGraph) -> Publisher:
        from mediaflow.publishing.publisher import Publisher
        from mediaflow.storage.upkeep import Upkeep

        models = {name: model for name, model in self.declared().known().items() if not isinstance(model, str)}
        names = self.model_names()
        encoders = {model.identity: names[algorithm] for algorithm, model in models.items()}
        shapes = {one.name: one.algorithm.shape.value if one.algorithm else "" for one in self.algorithms}
        upkeep = Upkeep(
            self.settings.compact_fragments,
            self.settings.compact_deleted_share,
            self.settings.index_lag_share,
            self.settings.vector_index_rows,
        )
        return Publisher(
            self.store,
            graph,
            encoders,
            shapes,
            upkeep=upkeep,
            memory=self._served_memory,
            prepare_ms=self._prepare_ms,
            gates=self._gates(),
        )

    @property
    def _prepare_ms(self) -> int:
        return round(self.settings.prepare_s * 1000)

    def _gates(self) -> Gates:
        from mediaflow.publishing.gates.gate import Limits
        from mediaflow.publishing.gates.judge import Gates
        from mediaflow.publishing.gates.texts import RememberedTexts

        said = {name: getattr(self.settings, f"gate_{name}") for name in vars(Limits()) if name != "golden"}
        encoders = RememberedTexts(self.models, self.cache / "texts")
        return Gates(self.store, Limits(**said, golden=self.settings.golden), encoders, Pictures(self))

    def _present(self) -> list[Present]:
        from mediaflow.publishing.publisher import Present

        return [Present(one.title_id, one.title_no, one.roots) for one in self.titles()]
