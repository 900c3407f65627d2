"""Processes that sleep at a step while others work, and what must be true when all have ended."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mediaflow.publishing.rollback import rollback
from mediaflow.snapshots.reader import Releases
from mediaflow.storage import layout, steps
from tests.conftest import ROOT
from tests.publishing.collector.keeping import WEEK_S, age, collect, manifests, unnamed
from tests.publishing.world import World, age_epochs, answers, revisions_agree

_LONGEST_S = 60
_waiting: list[tuple[str, Callable[[], None]]] = []


def _reached(step: str) -> None:
    if _waiting and _waiting[0][0] == step:
        _, others = _waiting.pop(0)
        others()


steps.listen(_reached)


@contextmanager
def asleep_at(world: World, step: str, others: Callable[[], None]) -> Iterator[None]:
    """Let `others` work while whoever reaches a step next sleeps there, so long that it is taken for dead."""

    def meanwhile() -> None:
        age_epochs(world.store)
        others()

    _waiting.append((step, meanwhile))
    yield
    assert not _waiting, f"{step} was not reached"


class Stopped:
    """A process that stopped at a place, of a publisher (`publish`) or collector (`gc`) of `world.sample`."""

    def __init__(self, world: World, place: str, what: str) -> None:
        told = Path(f"{world.store.root}.stopped")
        told.unlink(missing_ok=True)
        command = [sys.executable, "-m", "tests.publishing.process", str(world.store.root), place, "stop", what]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        end = time.monotonic() + _LONGEST_S
        while not told.exists():
            assert self._process.poll() is None and time.monotonic() < end, f"{place} was not reached"
            time.sleep(0.02)
        age_epochs(world.store)

    def go_on(self) -> str:
        """Wake it; return the outcome that it prints."""
        self._process.send_signal(signal.SIGCONT)
        output, _ = self._process.communicate(timeout=_LONGEST_S)
        assert self._process.returncode == 0
        return output.strip()


def pin(world: World, snapshot: str) -> bool:
    """Pin a snapshot as every reader does, and say whether it is held: put, then look for the marker, then open."""
    store = world.store
    body = {"snapshot": snapshot, "ttl_ms": 3_600_000, "who": "reader"}
    store.put(layout.pin("reader"), json.dumps(body).encode())
    newest = Releases(store).newest()
    marked = store.exists(layout.condemned(snapshot))
    if (marked and (newest is None or newest.snapshot != snapshot)) or not store.exists(layout.snapshot(snapshot)):
        store.delete(layout.pin("reader"))
        return False
    return True


def roll_back(world: World, snapshot: str) -> bool:
    """Roll back to a snapshot unless it is marked or gone."""
    if world.store.exists(layout.condemned(snapshot)) or not world.store.exists(layout.snapshot(snapshot)):
        return False
    rollback(world.store, snapshot, "better before")
    return True


def whole(world: World) -> None:
    """See that what is current, and every snapshot that has a manifest and no marker, can be read as it was."""
    reader = world.reader()
    assert revisions_agree(reader) and answers(reader)
    releases = Releases(world.store)
    epochs = [releases.entry(number).epoch for number in releases.log.numbers()]
    assert epochs == sorted(epochs), "whoever slept has written after those who began later"
    for snapshot in manifests(world.store):
        if not world.store.exists(layout.condemned(snapshot)):
            assert revisions_agree(Releases(world.store).at(snapshot)), snapshot


def converges(world: World) -> None:
    """See that what is served answers, one refresh serves what is, and one run more leaves nothing unnamed."""
    whole(world)
    age_epochs(world.store)
    world.compute()
    assert world.publish().outcome in ("released", "nothing new")
    assert world.answers() == world.expected()
    assert revisions_agree(world.reader())
    world.store.delete(layout.pin("reader"))
    assert collect(world).outcome == "collected"
    left = [key for key in unnamed(world) if not key.startswith(layout.TABLES) or "/_deletions/" not in key]
    assert not left, left
    # What no intent names may be of a commit that is being prepared, so it goes after a week.
    if unnamed(world):
        age(world.store, WEEK_S + 3_600, layout.TABLES)
        assert collect(world).outcome == "collected"
        assert unnamed(world) == []
    assert world.answers() == world.expected()
