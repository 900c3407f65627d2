"""Engines: processes that keep snapshots open and answer from them, all of them moving on together.

A host runs one engine. It holds a lease that names all it has open, looks at the log of releases every third of the
lease's time, prepares what is about to be released, and gives each new request a snapshot that was current at most one
time to live ago, or says that it cannot.
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Generic, Protocol, TypeVar

from mediaflow.errors import MediaflowError
from mediaflow.snapshots.candidates import asked
from mediaflow.snapshots.leases import own_clock_ms
from mediaflow.snapshots.pins import this_process, verified
from mediaflow.snapshots.reader import NOTHING, NothingPublished, Releases, SnapshotExpired, SnapshotReader, gone
from mediaflow.storage import layout, steps
from mediaflow.storage.objects import ObjectStore

TTL_MS = 10_000
LINGER_MS = 60_000
_LOOKS_PER_TTL = 3
# Snapshots that answer no new request stay open for further pages, but not any number of them.
_MOST_LINGERING = 8
# Who has seen a newer release waits so long for a look at the log, and for what it finds to be open.
_CATCH_UP_S = 1.0

Opened = TypeVar("Opened")
Made_co = TypeVar("Made_co", covariant=True)


class EngineNotReady(MediaflowError):
    """The engine answers no new request now: it has not opened the current snapshot, or has not looked for long."""


class BehindClient(MediaflowError):
    """The engine is not at the release yet that the client has seen: answering would take them back in time."""


class Engine(Protocol[Made_co]):
    """One kind of engine: what it needs of a snapshot, and what it makes of it to answer from.

    Attributes
    ----------
    kind : str
        Its name; a release waits until an engine of each kind that is alive can answer from it.
    needs : frozenset of str
        The kinds of parts that it reads, of `mediaflow.snapshots.manifest.PART_KINDS`.
    """

    @property
    def kind(self) -> str: ...

    @property
    def needs(self) -> frozenset[str]: ...

    def open(self, reader: SnapshotReader, parts: Mapping[str, Mapping[str, Any]]) -> Made_co:
        """Open a snapshot and warm all that the first answer from it would otherwise wait for.

        Parameters
        ----------
        reader : SnapshotReader
            The snapshot, held by the engine's lease.
        parts : Mapping
            By kind that the engine needs: the parts by name.
        """
        ...


class Held(Generic[Opened]):
    """A snapshot that a host holds by its lease, or is about to open."""

    def __init__(self, host: Host[Opened], snapshot: str) -> None:
        self.snapshot = snapshot
        self.opened: Opened | None = None
        self.reader: SnapshotReader | None = None
        self.begun = False
        self.lost = False
        self.closing = False
        self.uses = 0
        self.used_ms = own_clock_ms()
        self._host = host

    @property
    def ready(self) -> bool:
        """Whether it can answer."""
        return self.reader is not None and not self.closing

    def check(self) -> None:
        """Raise `SnapshotExpired` where the engine's lease is over by its own clock."""
        if self.lost:
            raise gone(self.snapshot)
        self._host.check(self.snapshot)

    def let_go(self) -> None:
        """Nothing: the host lets go, once it answers nothing from it any more."""


class Host(Generic[Opened]):
    """Runs an engine in this process. Use it in a `with` statement: it then looks by itself, in a thread.

    Parameters
    ----------
    store : ObjectStore
        Where releases, snapshots and leases are.
    engine : Engine
        What opens snapshots.
    ttl_ms : int
        The time to live of its lease, and of what it knows of the log.
    linger_ms : int
        How long a snapshot stays open after its last request, for those who come back with its id.
    """

    def __init__(
        self, store: ObjectStore, engine: Engine[Opened], ttl_ms: int = TTL_MS, linger_ms: int = LINGER_MS
    ) -> None:
        self.id = secrets.token_hex(8)
        self._store = store
        self._engine = engine
        self._ttl_ms = ttl_ms
        self._linger_ms = linger_ms
        self._releases = Releases(store)
        self._held: dict[str, Held[Opened]] = {}
        self._failed: dict[str, tuple[str, int]] = {}
        self._current: str | None = None
        self._number = 0
        # The number by which people know what is current, and how many looks at the log have begun and have ended.
        self._release = 0
        self._looks_begun = 0
        self._looks_ended = 0
        self._looked_ms: int | None = None
        self._until_ms = 0
        self._changed = threading.Condition()
        self._wake = threading.Event()
        self._stopped = False
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Host[Opened]:
        self.look()
        self._start(self._run, "engine")
        with self._changed:
            self._changed.wait_for(self._settled)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Answer nothing more, wait for what is being opened, and take the lease away."""
        with self._changed:
            self._stopped = True
            self._until_ms = 0
            threads, self._threads = self._threads, []
        self._wake.set()
        for thread in threads:
            thread.join()
        self._held.clear()
        self._store.delete(layout.engine(self.id))

    @contextmanager
    def answering(self, snapshot: str | None = None, seen: int = 0) -> Iterator[Opened]:
        """Give what was opened of a snapshot, to answer one request from; hand the answer out after the block.

        Parameters
        ----------
        snapshot : str, optional
            Its id, where a request brings one; else the one that is current.
        seen : int
            The last release that who asks has seen; what is current is of that one or a later one.

        Raises
        ------
        EngineNotReady, NothingPublished
            No new request is answered now.
        BehindClient
            The log of releases does not reach as far as `seen`, also after another look.
        SnapshotExpired
            The snapshot that was asked for is not open here, or the lease was over before the answer was there.
        """
        if snapshot is None:
            self._catch_up(seen)
        held = self._enter(snapshot)
        try:
            assert held.reader is not None and held.opened is not None
            with held.reader.reading():
                yield held.opened
                steps.reached("engine: before answer")
        finally:
            with self._changed:
                held.uses -= 1

    def behind(self, seen: int) -> bool:
        """Say whether who has seen a release would have to wait for a look at the log."""
        return self._release < seen

    def look(self) -> None:
        """Look at the log once, go over to what is current if that is open, and renew the lease."""
        start_ms = own_clock_ms()
        with self._changed:
            self._looks_begun += 1
            look = self._looks_begun
        steps.reached("engine: before tip")
        newest = self._releases.newest()
        told = self._release if newest is None or newest.n == self._number else self._releases.repeated(newest).n
        steps.reached("engine: after tip")
        with self._changed:
            self._current = newest.snapshot if newest else None
            self._number = newest.n if newest else 0
            self._release = told
            self._looks_ended = look
            # Counts from before the look: what was seen may be as old as that.
            self._looked_ms = start_ms
            self._changed.notify_all()
        steps.reached("engine: before candidate")
        self._tend([*([newest.snapshot] if newest else []), *asked(self._store, newest)])

    def check(self, snapshot: str) -> None:
        """Raise `SnapshotExpired` where the lease is over by this machine's clock."""
        over_ms = own_clock_ms() - self._until_ms
        if over_ms >= 0:
            raise SnapshotExpired(
                f"The lease of the engine {self.id} on snapshot {snapshot} was over before the answer was there: ask "
                "again.",
                snapshot=snapshot,
                engine=self.id,
                over_ms=over_ms,
            )

    def _catch_up(self, seen: int) -> None:
        """Go over to a release that somebody has seen already, by a look at the log that begins after they asked."""
        with self._changed:
            if self._release >= seen or self._stopped:
                return
            before = self._looks_begun
            self._wake.set()
            self._changed.wait_for(
                lambda: self._stopped or (self._looks_ended > before and (self._release < seen or self._settled())),
                _CATCH_UP_S,
            )
            if self._release < seen and not self._stopped:
                raise BehindClient(
                    f"You have seen release {seen}, and the engine {self._engine.kind} {self.id} knows of none after "
                    f"{self._release}: ask again in a moment, or another one.",
                    engine=self.id,
                    kind=self._engine.kind,
                    seen=seen,
                    release=self._release,
                )

    def _enter(self, snapshot: str | None) -> Held[Opened]:
        with self._changed:
            held = self._held.get(snapshot or self._current or "")
            if snapshot is None:
                self._check_fresh(held)
                assert held is not None and held.reader is not None
                # A snapshot that a rollback brings back is of a later release than before.
                held.reader.release = self._release
            elif held is None or not held.ready:
                raise SnapshotExpired(
                    f"Snapshot {snapshot} is not open in the engine {self.id} (any more): ask again without it.",
                    snapshot=snapshot,
                    engine=self.id,
                )
            assert held is not None
            held.check()
            held.uses += 1
            held.used_ms = own_clock_ms()
            return held

    def _check_fresh(self, held: Held[Opened] | None) -> None:
        """Raise where no new request may be answered."""
        age_ms = None if self._looked_ms is None else own_clock_ms() - self._looked_ms
        if self._stopped:
            why = "it was closed"
        elif age_ms is None or age_ms > self._ttl_ms:
            why = f"it last looked what is current {age_ms} ms ago" if age_ms is not None else "it was not started"
        elif self._current is None:
            raise NothingPublished(NOTHING)
        elif held is None or not held.ready:
            reason = self._failed.get(self._current, ("", 0))[0]
            why = (
                f"it could not open snapshot {self._current}: {reason.rstrip('.')}"
                if reason
                else "it opens a new snapshot"
            )
        else:
            return
        raise EngineNotReady(
            f"The engine {self._engine.kind} {self.id} answers nothing new now: {why}. Ask again, or another one.",
            engine=self.id,
            kind=self._engine.kind,
            snapshot=self._current,
            age_ms=age_ms,
        )

    def _tend(self, wanted: Sequence[str]) -> None:
        """Hold what is wanted, let go of what is not any more, and say so in the lease before anything is closed."""
        now_ms = own_clock_ms()
        with self._changed:
            due = [one for one in dict.fromkeys(wanted) if one not in self._held and self._may_try(one, now_ms)]
            self._held |= {snapshot: Held(self, snapshot) for snapshot in due}
            self._failed = {name: said for name, said in self._failed.items() if name in wanted}
            for one in self._held.values():
                if one.snapshot in wanted:
                    one.used_ms = now_ms
            for one in self._left(wanted, now_ms):
                one.closing = True
        self._renew()
        with self._changed:
            self._held = {name: one for name, one in self._held.items() if not one.closing}
            new = [one for one in self._held.values() if not one.begun]
        for one in new:
            one.begun = True
            self._start(self._open, one.snapshot, one)

    def _may_try(self, snapshot: str, now_ms: int) -> bool:
        _, failed_ms = self._failed.get(snapshot, ("", now_ms - self._ttl_ms))
        return now_ms - failed_ms >= self._ttl_ms

    def _left(self, wanted: Sequence[str], now_ms: int) -> list[Held[Opened]]:
        """Return what can be closed: not wanted, answering nobody, and not asked for again for long."""
        idle = [one for one in self._held.values() if one.ready and one.snapshot not in wanted]
        newest_first = sorted(idle, key=lambda one: one.used_ms, reverse=True)
        return [
            one
            for place, one in enumerate(newest_first)
            if not one.uses and (place >= _MOST_LINGERING or now_ms - one.used_ms >= self._linger_ms)
        ]

    def _renew(self) -> None:
        """Put the lease.

        One that is finished after the old time was over is a new one, of a new name, as the old one may be on its way
        out of the store: all in it is verified again.
        """
        with self._changed:
            if self._stopped:
                return
            held = [one for one in self._held.values() if not one.closing]
            body = {
                "kind": self._engine.kind,
                "ttl_ms": self._ttl_ms,
                "open": [one.snapshot for one in held],
                "ready": [one.snapshot for one in held if one.ready],
                "n": self._number,
                "who": this_process(),
                "failed": {snapshot: reason for snapshot, (reason, _) in self._failed.items()},
            }
        start_ms = own_clock_ms()
        steps.reached("engine: before lease")
        self._store.put(layout.engine(self.id), json.dumps(body).encode())
        steps.reached("engine: after lease")
        lost = []
        if own_clock_ms() >= self._until_ms:
            if self._until_ms:
                old, self.id = self.id, secrets.token_hex(8)
                self._store.put(layout.engine(self.id), json.dumps(body).encode())
                self._store.delete(layout.engine(old))
            lost = [one for one in held if verified(self._store, one.snapshot) is None]
        with self._changed:
            for one in lost:
                self._drop(one)
            if not self._stopped:
                self._until_ms = start_ms + self._ttl_ms

    def _open(self, held: Held[Opened]) -> None:
        """Open a snapshot that stands in the lease by now."""
        try:
            manifest = verified(self._store, held.snapshot)
            if manifest is None:
                raise gone(held.snapshot)
            refused = manifest.refused_by()
            if refused:
                raise EngineNotReady(f"Its gates have refused it: {', '.join(refused)}.", snapshot=held.snapshot)
            reader = SnapshotReader(self._store, manifest, hold=held)
            with reader.reading():
                opened = self._engine.open(reader, {kind: manifest.parts(kind) for kind in self._engine.needs})
        except Exception as error:  # noqa: BLE001 - whatever it is, it stands in the lease, and is tried again
            with self._changed:
                self._drop(held)
                self._failed[held.snapshot] = (str(error) or type(error).__name__, own_clock_ms())
                self._changed.notify_all()
        else:
            with self._changed:
                held.opened, held.reader = opened, reader
                self._failed.pop(held.snapshot, None)
                self._changed.notify_all()
            # A look at once: the lease says that it is ready, and it may be current by now.
            self._wake.set()

    def _drop(self, held: Held[Opened]) -> None:
        held.lost = True
        if self._held.get(held.snapshot) is held:
            del self._held[held.snapshot]

    def _settled(self) -> bool:
        if self._current is None or self._current in self._failed or self._stopped:
            return True
        held = self._held.get(self._current)
        return held is not None and held.ready

    def _run(self) -> None:
        while not self._stopped:
            # Where the store is away, requests learn from the clock that the last look is too old.
            with suppress(MediaflowError, OSError, ValueError):
                self.look()
            self._wake.wait(self._ttl_ms / _LOOKS_PER_TTL / 1000)
            self._wake.clear()

    def _start(self, target: Any, name: str, *args: Any) -> None:
        with self._changed:
            if self._stopped:
                return
            thread = threading.Thread(target=target, args=args, name=name, daemon=True)
            self._threads = [*(one for one in self._threads if one.is_alive()), thread]
            thread.start()
