"""Rollback and resume: entries of the release log like any other, put if absent, so they need no epoch and no lease.

A rollback works in the middle of a publish, too: it takes the number that the publish would have had.
"""

from __future__ import annotations

from mediaflow.errors import UsageError
from mediaflow.publishing.doorman import PREPARE_MS, Doorman
from mediaflow.snapshots.pins import Pins, leaving
from mediaflow.snapshots.reader import NOTHING, NothingPublished, Releases, UnknownSnapshot
from mediaflow.snapshots.release import RESUME, ROLLBACK, Release
from mediaflow.storage import layout, steps
from mediaflow.storage.objects import ObjectStore


class NothingBefore(UsageError):
    """No snapshot was served before the one that is served now."""


class AlreadyHeld(UsageError):
    """Releases are held at just that snapshot."""


class NotHeld(UsageError):
    """Releases go on already."""


def rollback(store: ObjectStore, snapshot: str | None, reason: str, prepare_ms: int = PREPARE_MS) -> Release:
    """Serve an earlier snapshot, and publish nothing new until `resume`.

    Parameters
    ----------
    store : ObjectStore
        Where releases and manifests are.
    snapshot : str, optional
        Id of a snapshot that was released once; without it the one that the current snapshot was published upon, so
        that two rollbacks in a row go back two snapshots.
    reason : str
        Stands in the entry, for people.
    prepare_ms : int
        How long engines may take to open it.

    Raises
    ------
    NothingPublished, NothingBefore, UnknownSnapshot, Leaving, AlreadyHeld, UsageError
        There is nothing to go back to, it is no snapshot of this library, or on its way out of it, or it is held
        already; no reason is given.
    EnginesNotReady
        Engines are alive, and none of some kind could open it: what was served is served on.
    """
    if not reason.strip():
        raise UsageError("Say why, for those who will read the list of releases: --reason TEXT.")
    releases = Releases(store)
    tip = _tip(releases)
    target = _before(releases, tip) if snapshot is None else snapshot
    if tip.held and tip.snapshot == target:
        raise AlreadyHeld(
            f"Snapshot {target} is held already, by release {releases.repeated(tip).n}: "
            "name an earlier one, or 'mediaflow resume'.",
            snapshot=target,
        )
    with Pins(store, why="a rollback to it") as pins:
        while True:
            with pins.at(target):
                steps.reached("rollback: before tip")
                tip = _tip(releases)
                _check_stays(store, releases, tip, target)
                release = Release(tip.n + 1, target, tip.epoch, ROLLBACK, True, reason.strip())
                if Doorman(store, prepare_ms).release(release):
                    return releases.entry(release.n)


def resume(store: ObjectStore, prepare_ms: int = PREPARE_MS) -> Release:
    """Let publishes go on from what is served; `NotHeld` where they do already, `NothingPublished` before the first."""
    releases = Releases(store)
    with Pins(store, why="a resume from it") as pins:
        while True:
            target = _held(releases).snapshot
            with pins.at(target):
                steps.reached("rollback: before tip")
                tip = _held(releases)
                if tip.snapshot != target:
                    continue
                _check_stays(store, releases, tip, target)
                release = Release(tip.n + 1, target, tip.epoch, RESUME)
                if Doorman(store, prepare_ms).release(release):
                    return releases.entry(release.n)


def _held(releases: Releases) -> Release:
    tip = _tip(releases)
    if not tip.held:
        # The number that the list of releases shows, and not that of a collector's run.
        number = releases.repeated(tip).n
        raise NotHeld(f"Releases are not held: number {number} is current, and publishes go on.", number=number)
    return tip


def _tip(releases: Releases) -> Release:
    newest = releases.newest()
    if newest is None:
        raise NothingPublished(NOTHING)
    return newest


def _before(releases: Releases, tip: Release) -> str:
    base = releases.manifest(tip.snapshot).base_release
    if not base:
        raise NothingBefore(
            f"Snapshot {tip.snapshot} is the first of this library: there is nothing to go back to.",
            snapshot=tip.snapshot,
        )
    return releases.entry(base).snapshot


def _check_stays(store: ObjectStore, releases: Releases, tip: Release, target: str) -> None:
    """See that the target is not to be deleted, in this order: the log was read, then the mark, then the manifest.

    What is current by that log can be repeated even when it is marked: no collector deletes it, unless the log goes on
    first, and then the number is taken.
    """
    steps.reached("rollback: before marker")
    if target != tip.snapshot and store.exists(layout.condemned(target)):
        raise leaving(target)
    steps.reached("rollback: before manifest")
    _check_released(releases, target)


def _check_released(releases: Releases, snapshot: str) -> None:
    """See that the manifest stands and was released, which a publish does under the number after its base or never."""
    number = releases.manifest(snapshot).base_release + 1
    if number > releases.tip() or releases.entry(number).snapshot != snapshot:
        raise UnknownSnapshot(
            f"Snapshot {snapshot} was never released, so nothing can go back to it; 'mediaflow snapshots' lists those "
            "that were.",
            snapshot=snapshot,
        )
