"""Leases: what pins and engines say that they hold open, and which of them are over by the store's own clock.

An owner measures its lease on its own clock, from before the put; everybody else measures on the store's clock, from
when the store says that the lease was last put, and adds a margin. No two machines' wall clocks are ever compared.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mediaflow.errors import NotFound
from mediaflow.storage import layout
from mediaflow.storage.objects import ObjectStore

# Covers the rate error of clocks, the spread of timestamps in the store, and the longest put.
MARGIN_MS = 10_000


def own_clock_ms() -> int:
    """Return a clock of this machine that never goes back and goes on while it is suspended, in milliseconds."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def store_clock_ms(store: ObjectStore) -> int:
    """Return the store's clock in milliseconds: when it says that an object was changed which was written just now."""
    key = layout.probe(secrets.token_hex(8))
    store.put(key, b"")
    try:
        (probe,) = store.list(key)
        return probe.modified_ms
    finally:
        store.delete(key)


@dataclass(frozen=True)
class Lease:
    """A pin or an engine's lease as it stands in the store.

    Attributes
    ----------
    id : str
        The owner's id.
    put_ms : int
        The store's clock when it was last put.
    body : Mapping
        `ttl_ms`, and what else its owner wrote: `snapshot`, `who`, `why` of a pin; `kind`, `open`, `ready`, `n` of
        an engine.
    """

    id: str
    put_ms: int
    body: Mapping[str, Any]

    def live(self, store_now_ms: int) -> bool:
        """Say whether it may still be relied on by its owner."""
        return store_now_ms < self.put_ms + int(self.body["ttl_ms"]) + MARGIN_MS

    @property
    def snapshots(self) -> frozenset[str]:
        """Ids of the snapshots that it holds."""
        return frozenset(self.body.get("open", ())) | ({self.body["snapshot"]} if "snapshot" in self.body else set())


def leases(store: ObjectStore, prefix: str) -> list[Lease]:
    """Return all leases under `layout.PINS` or `layout.ENGINES`, live or not."""
    found = []
    for info in store.list(prefix):
        name = info.key.removeprefix(prefix)
        if not name.endswith(".json"):
            continue
        try:
            body = json.loads(store.get(info.key))
        except NotFound:
            # Its owner has let go meanwhile.
            continue
        found.append(Lease(name.removesuffix(".json"), info.modified_ms, body))
    return found
