"""Which snapshots are needed: by the release log as it was at one moment, and by pins and engines as they are now."""

from __future__ import annotations

import time

from mediaflow.snapshots.leases import leases, store_clock_ms
from mediaflow.snapshots.reader import Releases
from mediaflow.snapshots.release import Release
from mediaflow.storage import layout
from mediaflow.storage.objects import ObjectStore

CURRENT, KEPT = "it is current", "it is among the last that are kept"


def epoch_of(snapshot: str) -> int:
    """Return the epoch of the publisher that made a snapshot."""
    return int(snapshot.partition("-")[0])


def snapshots(store: ObjectStore) -> list[str]:
    """Return the ids of all snapshots whose manifest stands, the oldest first."""
    names = (info.key.removeprefix(layout.SNAPSHOTS) for info in store.list(layout.SNAPSHOTS))
    return [name.removesuffix(".json") for name in names]


def marked(store: ObjectStore) -> list[str]:
    """Return the ids of all snapshots that bear a collector's mark."""
    return [info.key.removeprefix(layout.CONDEMNED) for info in store.list(layout.CONDEMNED)]


def needed(releases: Releases, tip: Release, keep: int) -> dict[str, str]:
    """Return the snapshots that the release log up to `tip` needs, with the reason: the current one and `keep` before.

    Entries after `tip` are not looked at: what they name was judged when they were made.
    """
    found = {tip.snapshot: CURRENT}
    number = tip.n
    while len(found) <= keep and number > 1:
        number -= 1
        found.setdefault(releases.entry(number).snapshot, KEPT)
    return found


def held(store: ObjectStore, now_ms: int) -> dict[str, str]:
    """Return the snapshots that pins and engines hold open, with who does.

    Parameters
    ----------
    store : ObjectStore
        Where the leases are.
    now_ms : int
        The store's clock before they are read; whoever puts a lease later is live then.
    """
    found: dict[str, str] = {}
    for prefix, what in ((layout.PINS, "pin"), (layout.ENGINES, "engine")):
        for lease in leases(store, prefix):
            if lease.live(now_ms):
                who = f" ({lease.body['who']})" if lease.body.get("who") else ""
                found |= dict.fromkeys(lease.snapshots, f"{what} {lease.id}{who} has it open")
    return found


def clock_ms(store: ObjectStore, dry_run: bool) -> int:
    """Return the store's clock; in a dry run, which writes nothing, this machine's: nothing rests on what it says."""
    return time.time_ns() // 1_000_000 if dry_run else store_clock_ms(store)
