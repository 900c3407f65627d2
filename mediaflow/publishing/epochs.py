"""Epochs: publishers take turns. An epoch is advice that saves double work; safety never rests on it."""

from __future__ import annotations

import json
import os
import platform
import secrets
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from mediaflow.errors import MediaflowError
from mediaflow.snapshots.leases import MARGIN_MS, store_clock_ms
from mediaflow.storage import layout
from mediaflow.storage.log import NumberedLog
from mediaflow.storage.objects import ObjectStore

TTL_MS = 60_000
_BEATS_PER_TTL = 3
# A process id is given again, after a restart in a container often at once; this is not.
_PROCESS = secrets.token_hex(8)


class Epochs:
    """The numbered log of epochs, and the heartbeat of those that were taken here.

    Parameters
    ----------
    store : ObjectStore
        Where it is.
    ttl_ms : int
        How long an epoch that is taken here counts after its last heartbeat.
    """

    def __init__(self, store: ObjectStore, ttl_ms: int = TTL_MS) -> None:
        self._store = store
        self._ttl_ms = ttl_ms
        self._log = NumberedLog(store, layout.EPOCHS)
        self._hearts: dict[int, threading.Event] = {}

    def begin(self, purpose: str = "publish") -> int:
        """Take the next epoch, or 0 where another process is alive that has one.

        One of this machine is dead as soon as its process is; of all others only their silence says so.

        Parameters
        ----------
        purpose : str
            `publish`, `gc` or `erase`, for people.
        """
        epoch = self.free()
        if not epoch:
            return 0
        owner = {"host": platform.node(), "pid": os.getpid(), "process": _PROCESS}
        body = {"purpose": purpose, "owner": owner, "ttl_s": self._ttl_ms / 1000}
        if not self._log.append(epoch, body):
            return 0
        self._beat(epoch)
        return epoch

    def free(self) -> int:
        """Return the epoch that can be taken now, or 0 where the owner of the last one is alive."""
        newest = self.newest()
        if newest and not self._store.exists(layout.epoch_end(newest)) and self._alive(newest):
            return 0
        return newest + 1

    def newest(self) -> int:
        """Return the epoch that was taken last, 0 where there is none."""
        return self._log.tip() or 0

    def end(self, epoch: int, outcome: str, said: Mapping[str, Any] | None = None) -> None:
        """Mark an epoch as ended, with what else there is to remember of it."""
        heart = self._hearts.pop(epoch, None)
        if heart is not None:
            heart.set()
        self._store.put(layout.epoch_end(epoch), json.dumps({"outcome": outcome, **(said or {})}).encode())

    def _beat(self, epoch: int) -> None:
        """Put the heartbeat of an epoch again and again, in a thread, until it is ended by whomever."""
        ended = self._hearts[epoch] = threading.Event()

        def beat() -> None:
            while not ended.wait(self._ttl_ms / _BEATS_PER_TTL / 1000):
                # The store is away: the next beat may reach it.
                with suppress(MediaflowError):
                    if self._store.exists(layout.epoch_end(epoch)):
                        return
                    self._store.put(layout.epoch_beat(epoch), b"")

        threading.Thread(target=beat, name=f"epoch {epoch}", daemon=True).start()

    def _alive(self, epoch: int) -> bool:
        """Say whether the owner of an epoch is not known to be dead, by its process or by its silence."""
        taken = self._log.read(epoch)
        if _gone(taken["owner"]):
            return False
        signs = self._store.list(f"{layout.EPOCHS}{epoch:020d}.")
        heard_ms = max(sign.modified_ms for sign in signs)
        ttl_ms = float(taken.get("ttl_s", TTL_MS / 1000)) * 1000
        return store_clock_ms(self._store) < heard_ms + ttl_ms + MARGIN_MS


def _gone(owner: dict[str, Any]) -> bool:
    """Say whether the owner is a process of this machine that is no more."""
    if owner["host"] != platform.node():
        return False
    if owner["pid"] == os.getpid():
        return bool(owner["process"] != _PROCESS)
    try:
        os.kill(owner["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False
