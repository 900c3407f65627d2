"""One run of the collector: an epoch, the steps in their order, and what was freed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from mediaflow.errors import SystemFault
from mediaflow.planning.ledger import Ledger
from mediaflow.publishing.collector import artifacts, rest
from mediaflow.publishing.collector.choice import clock_ms, snapshots
from mediaflow.publishing.collector.condemn import condemn, delete, fence, judge
from mediaflow.publishing.collector.tables import Tables
from mediaflow.publishing.collector.tally import BUSY, COLLECTED, EMPTY, FAILED, OVERTAKEN, Collected, Tally
from mediaflow.publishing.collector.wanted import Wanted
from mediaflow.publishing.committer import Overtaken
from mediaflow.publishing.epochs import Epochs
from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.reader import Releases, UnknownSnapshot
from mediaflow.snapshots.release import Release
from mediaflow.storage import steps
from mediaflow.storage.objects import ObjectStore


class Collector:
    """Frees what nothing needs.

    Parameters
    ----------
    store : ObjectStore
        The one store.
    ledger : Ledger
        What exists.
    keep : int
        How many snapshots are kept beside the current one: those that were released last.
    look : callable
        Gives what plans want; called once the epoch is taken.
    cache : Path, optional
        This machine's cache.
    retire : collection of str
        Snapshots that go whoever needs them, unless one is current.
    retired : callable
        Gives the identities of the models that are no longer to be used.
    """

    def __init__(
        self,
        store: ObjectStore,
        ledger: Ledger,
        keep: int,
        look: Callable[[], Wanted],
        cache: Path | None = None,
        retire: Collection[str] = (),
        retired: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._keep = keep
        self._look = look
        self._cache = cache
        self._retire = retire
        self._retired = retired
        self._epochs = Epochs(store)
        self._releases = Releases(store)

    def collect(self, dry_run: bool = False) -> Collected:
        """Delete what nothing needs, or only say what that is.

        Returns
        -------
        Collected
            A run that was overtaken has freed what it says; the next one does the rest.
        """
        tally = Tally(self._store, dry_run)
        epoch = self._epochs.free() if dry_run else self._epochs.begin("gc")
        if not epoch:
            return tally.result(BUSY)
        steps.reached("collect: after epoch")
        outcome = FAILED
        try:
            outcome = self._collect(tally, epoch)
        except Overtaken:
            outcome = OVERTAKEN
        finally:
            if not dry_run:
                self._epochs.end(epoch, outcome)
        return tally.result(outcome)

    def _collect(self, tally: Tally, epoch: int) -> str:
        tip = self._releases.newest()
        if tip is None:
            return EMPTY
        before = self._snapshots(tally, epoch, tip)
        gone = set(tally.snapshots)
        kept = self._manifests([one for one in snapshots(self._store) if one not in gone])
        if before.snapshot not in kept:
            raise Overtaken(f"Snapshot {before.snapshot} is not current any more, and was collected by another.")
        wanted, now_ms = self._look(), clock_ms(self._store, tally.dry_run)
        Tables(tally, epoch, kept[before.snapshot], kept, wanted, now_ms).sweep()
        artifacts.sweep(tally, epoch, self._ledger, kept.values(), wanted, now_ms)
        rest.sweep_objects(tally, epoch, now_ms)
        rest.sweep_leases(tally, now_ms)
        rest.sweep_models(tally, self._retired, kept.values())
        rest.sweep_evaluations(tally)
        if self._cache is not None:
            rest.sweep_cache(tally, self._cache, kept)
        return COLLECTED

    def _snapshots(self, tally: Tally, epoch: int, tip: Release) -> Release:
        """Delete the snapshots that nobody needs; return the release by which that was judged."""
        if tip.epoch > epoch:
            raise Overtaken(f"Epoch {tip.epoch} has gone ahead; the collector of epoch {epoch} ends.", epoch=epoch)
        if tip.snapshot not in snapshots(self._store):
            raise SystemFault(
                f"The manifest of the snapshot {tip.snapshot}, which release {tip.n} names, is gone: nothing is "
                "deleted; restore it, or 'mediaflow rollback' to one that 'mediaflow verify' finds whole.",
                snapshot=tip.snapshot,
            )
        work = condemn(self._store, epoch, tip, self._keep, tally.dry_run, self._retire)
        before = tip if tally.dry_run else fence(self._releases, epoch)
        steps.reached("collect: after fence")
        gone, tally.leaving = judge(self._store, work, before, self._keep, tally.dry_run, self._retire)
        for snapshot in gone:
            steps.reached("collect: before deleting")
            delete(tally, snapshot)
        return before

    def _manifests(self, ids: list[str]) -> Mapping[str, Manifest]:
        found = {}
        for snapshot in ids:
            try:
                found[snapshot] = self._releases.manifest(snapshot)
            except UnknownSnapshot:
                # Another collector has just deleted it.
                continue
        return found
