"""Epochs: publishers take turns. An epoch is advice that saves double work; safety never rests on it."""

from __future__ import annotations

import json
import os
import platform
import secrets
import time
from typing import Any

from mediaflow.storage import layout
from mediaflow.storage.log import NumberedLog
from mediaflow.storage.objects import ObjectStore

# An epoch on another machine that is older than this and has not ended is taken for dead.
SILENT_MS = 600_000
# A process id is given again, after a restart in a container often at once; this is not.
_PROCESS = secrets.token_hex(8)


class Epochs:
    """The numbered log of epochs.

    Parameters
    ----------
    store : ObjectStore
        Where it is.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._store = store
        self._log = NumberedLog(store, layout.EPOCHS)

    def begin(self, purpose: str = "publish") -> int:
        """Take the next epoch for `publish`, `gc` or `erase`, or 0 where the owner of the last one is alive.

        One of this machine is alive as long as its process is; of another machine nothing is known, so it is
        taken for alive for `SILENT_MS`.
        """
        epoch = self.free()
        if not epoch:
            return 0
        owner = {"host": platform.node(), "pid": os.getpid(), "process": _PROCESS}
        body = {"purpose": purpose, "owner": owner, "ttl_s": SILENT_MS // 1000}
        return epoch if self._log.append(epoch, body) else 0

    def free(self) -> int:
        """Return the epoch that can be taken now, or 0 where the owner of the last one is alive."""
        newest = self.newest()
        if newest and not self._store.exists(layout.epoch_end(newest)) and self._alive(newest):
            return 0
        return newest + 1

    def newest(self) -> int:
        """Return the epoch that was taken last, 0 where there is none."""
        return self._log.tip() or 0

    def end(self, epoch: int, outcome: str) -> None:
        """Mark an epoch as ended."""
        self._store.put(layout.epoch_end(epoch), json.dumps({"outcome": outcome}).encode())

    def _alive(self, epoch: int) -> bool:
        (taken,) = self._store.list(f"{layout.EPOCHS}{epoch:020d}.json")
        if time.time_ns() // 1_000_000 - taken.modified_ms >= SILENT_MS:
            return False
        return not _gone(self._log.read(epoch)["owner"])


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
