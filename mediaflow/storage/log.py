"""Numbered logs: facts that change are entries 1, 2, 3 … of which each is put once and never rewritten.

What they come to is folded from the entries, in one of two ways. Of few entries all are kept, and each is a decision
(`Decisions`). Where there may be many, each entry whose number is a multiple of 64 has the full state, and no more than
64 are ever read (`NumberedLog.since`).
"""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from mediaflow.errors import SystemFault
from mediaflow.storage.objects import ObjectStore

DIGITS = 20
FULL_EVERY = 64

S = TypeVar("S")


class NumberedLog:
    """Entries `<prefix><number of 20 digits>.json`, each written by put-if-absent.

    Parameters
    ----------
    store : ObjectStore
        Where the entries are.
    prefix : str
        What their keys begin with; ends with `/`.
    """

    def __init__(self, store: ObjectStore, prefix: str) -> None:
        self._store = store
        self._prefix = prefix

    def tip(self, after: int = 0) -> int | None:
        """Return the newest number beyond `after` (one listing), or None where there is none."""
        numbers = self.numbers(after)
        return numbers[-1] if numbers else None

    def numbers(self, after: int = 0) -> list[int]:
        """Return all numbers beyond `after`, ascending (one listing)."""
        start = self._key(after) if after else ""
        names = (info.key.removeprefix(self._prefix) for info in self._store.list(self._prefix, start))
        return [int(name[:DIGITS]) for name in names if name[DIGITS:] == ".json" and name[:DIGITS].isdigit()]

    def read(self, number: int) -> dict[str, Any]:
        """Return the body of an entry; `NotFound` where there is none."""
        body: dict[str, Any] = json.loads(self._store.get(self._key(number)))
        return body

    def since(self, number: int, what: str, form: int) -> list[tuple[int, dict[str, Any]]]:
        """Return the entries beyond `number`, with theirs, from the last on that has the full state (one listing).

        Parameters
        ----------
        number : int
            The last entry that is known already.
        what : str
            What the log is of, for the error.
        form : int
            The format that this version reads.

        Raises
        ------
        SystemFault
            An entry has another format.
        """
        tip = self.tip(after=number)
        if tip is None:
            return []
        entries = [(one, self.read(one)) for one in range(max(number + 1, tip // FULL_EVERY * FULL_EVERY), tip + 1)]
        for one, body in entries:
            if body.get("format") != form:
                raise SystemFault(
                    f"Entry {one} of the log of {what} has format {body.get('format')!r}, this version reads {form}: "
                    "update mediaflow.",
                    number=one,
                )
        return entries

    def append(self, number: int, body: dict[str, Any]) -> bool:
        """Put entry `number` if nobody has; say whether the entry that stands there is ours.

        A nonce in the body tells a lost reply (our own entry stands there) from a lost race.
        """
        nonce = secrets.token_hex(8)
        data = json.dumps({**body, "nonce": nonce}, ensure_ascii=False, sort_keys=True).encode()
        if self._store.put_if_absent(self._key(number), data):
            return True
        return bool(self.read(number).get("nonce") == nonce)

    def replace(self, number: int, body: dict[str, Any]) -> None:
        """Put another body in the place of an entry that stands: for what must not be kept, and for nothing else."""
        self._store.put(self._key(number), json.dumps(body, ensure_ascii=False, sort_keys=True).encode())

    def _key(self, number: int) -> str:
        return f"{self._prefix}{number:0{DIGITS}d}.json"


class Decisions(Generic[S]):
    """What was decided, folded from a log: each decision is made on all that came before it.

    May be used from several threads and processes at once.

    Parameters
    ----------
    log : NumberedLog
        Where the decisions are.
    start : object
        What holds before the first; it is never changed.
    after : callable
        Gives what holds once an entry is counted too, from what held before, its number and the entry.
    """

    def __init__(self, log: NumberedLog, start: S, after: Callable[[S, int, dict[str, Any]], S]) -> None:
        self._log = log
        self._after = after
        self._number = 0
        self._guard = threading.Lock()
        self.known = start

    def now(self) -> S:
        """Return what holds now (one listing, and the entries that are new)."""
        return self._look()[1]

    def decide(self, decision: Callable[[S], dict[str, Any] | None]) -> bool:
        """Write a decision; say whether there was anything to write.

        Parameters
        ----------
        decision : callable
            Gives the entry, or None where nothing changes; raises what is in the way. Asked again where another
            decision came in between, so that of two that exclude each other one is refused.
        """
        while True:
            number, known = self._look()
            entry = decision(known)
            if entry is None:
                return False
            if self._log.append(number + 1, entry):
                self._look()
                return True

    def _look(self) -> tuple[int, S]:
        with self._guard:
            for number in self._log.numbers(self._number):
                self.known = self._after(self.known, number, self._log.read(number))
                self._number = number
            return self._number, self.known
