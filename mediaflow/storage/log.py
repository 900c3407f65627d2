"""Numbered logs: facts that change are entries 1, 2, 3 … of which each is put once and never rewritten."""

from __future__ import annotations

import json
import secrets
from typing import Any

from mediaflow.storage.objects import ObjectStore

DIGITS = 20


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
