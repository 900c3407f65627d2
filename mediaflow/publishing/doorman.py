"""The doorman: lets the engines prepare a snapshot, and makes the release once they can answer from it.

It waits until all engines that are alive are ready, or until its patience ends; then a kind of engine without a ready
member stops the release, since nobody of that kind could answer. Where no engine is alive it releases at once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mediaflow.errors import MediaflowError
from mediaflow.snapshots import candidates
from mediaflow.snapshots.leases import Lease, leases, own_clock_ms, store_clock_ms
from mediaflow.snapshots.reader import Releases
from mediaflow.snapshots.release import PUBLISH, Release, now_ms
from mediaflow.storage import layout, steps
from mediaflow.storage.objects import ObjectStore

PREPARE_MS = 30_000
_POLL_S = 0.1


class EnginesNotReady(MediaflowError):
    """A kind of engine that was alive has no member that could answer from the snapshot: nothing was released."""


@dataclass(frozen=True)
class _Look:
    """The engines at one moment: those alive, and those of them whose word that they are ready is fresh."""

    alive: tuple[Lease, ...]
    ready: tuple[Lease, ...]
    there: frozenset[str]


class Doorman:
    """Makes releases.

    Parameters
    ----------
    store : ObjectStore
        Where releases, candidates and engines are.
    prepare_ms : int
        How long it waits for engines that are alive and not ready.
    """

    def __init__(self, store: ObjectStore, prepare_ms: int = PREPARE_MS) -> None:
        self._store = store
        self._prepare_ms = prepare_ms
        self._releases = Releases(store)

    def release(self, release: Release) -> bool:
        """Have a snapshot prepared and released under its number; say whether it was, or another took the number.

        Raises
        ------
        EnginesNotReady
            A kind of engine that was alive has no ready member when the time to prepare is over.
        """
        who = "publish" if release.kind == PUBLISH else "rollback"
        steps.reached(f"{who}: before candidate")
        try:
            self._prepare(release)
            steps.reached(f"{who}: before release")
            return self._releases.add(replace(release, at_ms=now_ms()))
        finally:
            candidates.withdraw(self._store, release.epoch)

    def _prepare(self, release: Release) -> None:
        deadline_ms = own_clock_ms() + self._prepare_ms
        candidates.ask(self._store, release.epoch, release.snapshot, now_ms() + self._prepare_ms)
        kinds: dict[str, str] = {}
        while True:
            look = self._look(release.snapshot)
            kinds |= {one.id: str(one.body["kind"]) for one in look.alive}
            # One that took its lease away has gone on purpose; one whose lease is over was alive, and counts.
            wanted = {kind for engine, kind in kinds.items() if engine in look.there}
            missing = wanted - {str(one.body["kind"]) for one in look.ready}
            if not missing and len(look.ready) == len(look.alive):
                return
            if own_clock_ms() >= deadline_ms:
                break
            time.sleep(_POLL_S)
            # Another rollback may have put its own in this place.
            candidates.ask(self._store, release.epoch, release.snapshot, now_ms() + self._prepare_ms)
        if missing:
            raise self._not_ready(release.snapshot, sorted(missing), look.alive)

    def _look(self, snapshot: str) -> _Look:
        if not any(self._store.list(layout.ENGINES)):
            return _Look((), (), frozenset())
        start_ms = own_clock_ms()
        store_ms = store_clock_ms(self._store)
        found = leases(self._store, layout.ENGINES)
        alive = tuple(one for one in found if one.live(store_ms))
        # What was said longer ago than a lease's time is asked again: who said it may have died since.
        latest_ms = store_ms + own_clock_ms() - start_ms
        ready = tuple(
            one for one in alive if snapshot in one.body["ready"] and latest_ms < one.put_ms + int(one.body["ttl_ms"])
        )
        return _Look(alive, ready, frozenset(one.id for one in found))

    def _not_ready(self, snapshot: str, missing: Sequence[str], alive: Sequence[Lease]) -> EnginesNotReady:
        said = sorted(
            f"{one.body['kind']} ({one.body.get('who', one.id)}): {str(reason).rstrip('.')}"
            for one in alive
            for failed, reason in one.body.get("failed", {}).items()
            if failed == snapshot
        )
        why = f" {'; '.join(said)}." if said else ""
        return EnginesNotReady(
            f"No engine of the kind {' or '.join(missing)} could open snapshot {snapshot} within "
            f"{self._prepare_ms / 1000:g} s, so it was not released and the one before is served on.{why} Look at the "
            "engines and start them again, or raise 'prepare_s' where they only need longer; then try again.",
            snapshot=snapshot,
            kinds=list(missing),
            failed=said,
        )
