"""Pins: who reads a snapshot says so in the store, then sees that it is still there, and only then relies on it.

The owner of a pin measures its time on its own clock, from before the put. A collector that has marked a snapshot
before the pin came deletes it nevertheless; so the pin counts only once the mark is seen not to be there, or the log,
read after the pin was put, still names the snapshot as current.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import threading
import weakref
from collections.abc import Callable
from types import TracebackType

from mediaflow.errors import MediaflowError, UsageError
from mediaflow.snapshots.leases import Lease, leases, own_clock_ms
from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.reader import NOTHING, NothingPublished, Releases, SnapshotExpired, SnapshotReader, gone
from mediaflow.storage import layout, steps
from mediaflow.storage.objects import ObjectStore

TTL_MS = 60_000
_RENEWALS_PER_TTL = 3


class Leaving(UsageError):
    """A snapshot is marked to be deleted: nobody new may hold it."""


def leaving(snapshot: str) -> Leaving:
    """Return the error of a snapshot that is marked to be deleted."""
    return Leaving(
        f"Snapshot {snapshot} is marked to be deleted, so nothing can hold it any more; 'mediaflow snapshots' lists "
        "those that stay.",
        snapshot=snapshot,
    )


class Pin:
    """A pin of this process; safe to use from several threads.

    Parameters
    ----------
    store : ObjectStore
        Where it is put, under `pins/`.
    snapshot : str
        Id of what it keeps.
    ttl_ms : int
        How long it counts after each put.
    who, why : str
        For people.
    kept : bool
        It is a person's: it counts without this process, is never renewed, and `mediaflow unpin` may take it away.
    """

    def __init__(
        self, store: ObjectStore, snapshot: str, ttl_ms: int, who: str, why: str, *, kept: bool = False
    ) -> None:
        self.id = secrets.token_hex(8)
        self.snapshot = snapshot
        self._store = store
        self._ttl_ms = ttl_ms
        self._body = {"snapshot": snapshot, "ttl_ms": ttl_ms, "who": who, "why": why, "kept": kept}
        self._until_ms = 0
        self._ended = False
        self._forgotten = False
        self._lock = threading.Lock()

    def put(self) -> None:
        """Put it for the first time; it is to be verified before anything relies on it."""
        start_ms = own_clock_ms()
        self._store.put(layout.pin(self.id), json.dumps(self._body).encode())
        self._until_ms = start_ms + self._ttl_ms

    def renew(self) -> None:
        """Put it again.

        One that is finished after the old time was over is a new pin, of a new name, as the old one may be on its way
        out of the store: it is verified again.
        """
        if self._forgotten:
            self.let_go()
        with self._lock:
            if self._ended:
                return
            start_ms = own_clock_ms()
            steps.reached("reader: before renewal")
            body = json.dumps(self._body).encode()
            self._store.put(layout.pin(self.id), body)
            if own_clock_ms() >= self._until_ms:
                old, self.id = self.id, secrets.token_hex(8)
                self._store.put(layout.pin(self.id), body)
                self._store.delete(layout.pin(old))
                if verified(self._store, self.snapshot) is None:
                    self._end()
                    return
            self._until_ms = start_ms + self._ttl_ms

    @property
    def over(self) -> bool:
        """Whether it may not be relied on any more."""
        return self._ended or own_clock_ms() >= self._until_ms

    @property
    def ended(self) -> bool:
        """Whether it was let go, or its snapshot was found to be gone."""
        return self._ended

    def check(self) -> None:
        """Raise `SnapshotExpired` where its time is over."""
        if self._ended:
            raise gone(self.snapshot)
        over_ms = own_clock_ms() - self._until_ms
        if over_ms >= 0:
            raise SnapshotExpired(
                f"The pin {self.id} on snapshot {self.snapshot} was over {over_ms} ms before the answer was there: "
                "ask again.",
                snapshot=self.snapshot,
                pin=self.id,
                over_ms=over_ms,
            )

    def let_go(self) -> None:
        """Take it away."""
        with self._lock:
            if not self._ended:
                self._end()

    def forget(self) -> None:
        """Have it taken away instead of renewed the next time; may be called wherever Python collects garbage."""
        self._forgotten = True

    def _end(self) -> None:
        self._ended = True
        self._store.delete(layout.pin(self.id))


def verified(store: ObjectStore, snapshot: str) -> Manifest | None:
    """Return the manifest of a snapshot on which a pin was put, None where the pin came too late."""
    releases = Releases(store)
    steps.reached("reader: before marker")
    if store.exists(layout.condemned(snapshot)):
        newest = releases.newest()
        if newest is None or newest.snapshot != snapshot:
            return None
    steps.reached("reader: before manifest")
    return releases.manifest(snapshot) if store.exists(layout.snapshot(snapshot)) else None


class Pins:
    """The pins of this process: renewed by a thread of their own until they are let go.

    Parameters
    ----------
    store : ObjectStore
        Where snapshots and pins are.
    ttl_ms : int
        How long a pin outlives this process.
    why : str
        For people.
    """

    def __init__(self, store: ObjectStore, ttl_ms: int = TTL_MS, why: str = "it is read") -> None:
        self._store = store
        self._ttl_ms = ttl_ms
        self._why = why
        self._pins: list[Pin] = []
        self._lock = threading.Lock()
        self._stop: threading.Event | None = None

    def __enter__(self) -> Pins:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def current(self) -> SnapshotReader:
        """Open a pinned reader at the current release; `NothingPublished` where there is none."""
        pin, manifest, number = hold(self._store, None, self._new)
        return self._reader(pin, manifest, number)

    def at(self, snapshot: str) -> SnapshotReader:
        """Open a pinned reader at a snapshot; `UnknownSnapshot` where there is none, `Leaving` where it is to go."""
        pin, manifest, _ = hold(self._store, snapshot, self._new)
        return self._reader(pin, manifest, 0)

    def close(self) -> None:
        """Let go of all that is held."""
        with self._lock:
            held, self._pins = self._pins, []
            stop, self._stop = self._stop, None
        if stop is not None:
            stop.set()
        for pin in held:
            pin.let_go()

    def _new(self, snapshot: str) -> Pin:
        return Pin(self._store, snapshot, self._ttl_ms, this_process(), self._why)

    def _reader(self, pin: Pin, manifest: Manifest, number: int) -> SnapshotReader:
        with self._lock:
            self._pins = [*(one for one in self._pins if not one.ended), pin]
            if self._stop is None:
                self._stop = threading.Event()
                threading.Thread(target=self._renew, args=(self._stop,), name="pins", daemon=True).start()
        reader = SnapshotReader(self._store, manifest, number, pin)
        # A reader that nobody has any more, and nobody has closed, lets go too.
        weakref.finalize(reader, pin.forget)
        return reader

    def _renew(self, stop: threading.Event) -> None:
        while not stop.wait(self._ttl_ms / _RENEWALS_PER_TTL / 1000):
            for pin in self._pins:
                try:
                    pin.renew()
                except MediaflowError:
                    # The store is away: who reads learns from the clock when the pin is over.
                    continue


def hold(store: ObjectStore, snapshot: str | None, make: Callable[[str], Pin]) -> tuple[Pin, Manifest, int]:
    """Pin a snapshot, or the current one, and see that the pin came in time.

    Parameters
    ----------
    store : ObjectStore
        Where snapshots and pins are.
    snapshot : str, optional
        Its id; without it the one that is current.
    make : callable
        Gives the pin on a snapshot; it is put here.

    Returns
    -------
    Pin, Manifest, int
        The pin, what it holds, and the number of the current release (0 where the snapshot was named).

    Raises
    ------
    NothingPublished, UnknownSnapshot, Leaving
        There is no release, no such snapshot, or it is marked to be deleted.
    """
    releases = Releases(store)
    refused = 0
    while True:
        wanted, number = _wanted(releases, snapshot)
        if number and number == refused:
            # It is current still, and was not there: that is no race, and said as what it is.
            releases.manifest(wanted)
        steps.reached("reader: before pin")
        pin = make(wanted)
        pin.put()
        try:
            manifest = verified(store, wanted)
        except MediaflowError:
            pin.let_go()
            raise
        if manifest is not None and not pin.over:
            return pin, manifest, number
        slept = pin.over
        pin.let_go()
        if slept:
            continue
        if snapshot is not None:
            releases.manifest(snapshot)
            raise leaving(snapshot)
        refused = number


def _wanted(releases: Releases, snapshot: str | None) -> tuple[str, int]:
    """Return the id that is to be held, and the number of the current release (0 where the id was given)."""
    if snapshot is not None:
        return releases.manifest(snapshot).id, 0
    newest = releases.newest()
    if newest is None:
        raise NothingPublished(NOTHING)
    return newest.snapshot, newest.n


def keep(store: ObjectStore, snapshot: str | None, ttl_ms: int, who: str, why: str) -> Pin:
    """Put a person's pin on a snapshot, or on the current one; it counts for `ttl_ms` and is not renewed.

    Raises
    ------
    UsageError
        No reason is given.
    NothingPublished, UnknownSnapshot, Leaving
        See `hold`.
    """
    if not why.strip():
        raise UsageError("Say why, for those who wonder what keeps the snapshot: --why TEXT.")
    pin, _, _ = hold(store, snapshot, lambda wanted: Pin(store, wanted, ttl_ms, who, why.strip(), kept=True))
    return pin


def release(store: ObjectStore, wanted: str) -> list[Lease]:
    """Take away the person's pin of that id, or all of them on the snapshot of that id; return them.

    Raises
    ------
    UsageError
        There is none, or it is that of a running process, which relies on it.
    """
    found = [one for one in leases(store, layout.PINS) if wanted in (one.id, one.body["snapshot"])]
    kept = [one for one in found if one.body.get("kept")]
    if found and not kept:
        raise UsageError(
            f"What pins {wanted} is {found[0].body['who']}, which relies on it: it lets go when it ends, and is over "
            f"within {found[0].body['ttl_ms'] // 1000} s where it was killed.",
            wanted=wanted,
        )
    if not kept:
        raise UsageError(
            f"There is no pin {wanted!r}, nor one on a snapshot of that id; 'mediaflow snapshots' lists them.",
            wanted=wanted,
        )
    for one in kept:
        store.delete(layout.pin(one.id))
    return kept


def this_person() -> str:
    """Return who asks, and on which machine."""
    import getpass

    try:
        return f"{getpass.getuser()}@{platform.node()}"
    except (OSError, KeyError):
        # A container may run under a number that has no name.
        return f"{os.getuid()}@{platform.node()}"


def this_process() -> str:
    """Return the machine and number of this process, for people."""
    return f"{platform.node()} process {os.getpid()}"
