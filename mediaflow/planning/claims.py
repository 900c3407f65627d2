"""Claims: a run tells others by the ledger which titles it is at. Advice that saves double work, never a lock.

A claim is one fact a run, not one a title, of a stage that there is not: no plan reads it, and it costs none.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Sequence

from mediaflow.planning.ledger import CLAIMED, CLAIMS, RELEASED, Fact, Ledger
from mediaflow.storage.process import ended, this_process

# A run of which nothing has been heard for so long is no longer waited for.
LASTS_MS = 600_000


class Claim:
    """The claim of one run.

    Parameters
    ----------
    ledger : Ledger
        Where it is told.
    titles : sequence of str
        What the run is about.
    """

    def __init__(self, ledger: Ledger, titles: Sequence[str]) -> None:
        self._ledger = ledger
        self._titles = list(titles)
        self._key = secrets.token_hex(8)
        self._until_ms = 0

    def hold(self) -> None:
        """Claim the titles, or hold the claim for longer where half of its time is over."""
        now_ms = time.time_ns() // 1_000_000
        if now_ms < self._until_ms - LASTS_MS // 2:
            return
        self._until_ms = now_ms + LASTS_MS
        facts = {"titles": self._titles, "until_ms": self._until_ms}
        self._ledger.append([Fact("", CLAIMS, self._key, this_process(), CLAIMED, facts=facts)])

    def release(self) -> None:
        """Say that the run is over, if it ever claimed anything."""
        if self._until_ms:
            self._ledger.append([Fact("", CLAIMS, self._key, this_process(), RELEASED)])
            self._until_ms = 0


def claimed(ledger: Ledger, now_ms: int) -> set[str]:
    """Return the titles that runs are at: of processes that live, as far as is known, and of claims that last."""
    import polars as pl

    own = ledger.facts().filter(pl.col("stage") == CLAIMS)
    held = own.unique("revision", keep="last").filter(pl.col("state") == CLAIMED)
    found: set[str] = set()
    for process, said in held.select("generation", "facts").iter_rows():
        claim = json.loads(said)
        if now_ms < claim["until_ms"] and not ended(process):
            found.update(claim["titles"])
    return found
