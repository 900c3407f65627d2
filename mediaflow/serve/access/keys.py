"""API keys: made, listed and revoked; a numbered log that all servers of a store share, in which no key stands.

A key is `mf_<id>_<secret>`. The id finds the entry, the secret is 32 random bytes, and of these the log has a hash
alone. A fast one is right: what makes slow hashes necessary is that people choose passwords which can be guessed, and
256 random bits cannot, however fast each guess is.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mediaflow.errors import UsageError
from mediaflow.search.titles.rights import Rights
from mediaflow.serve.caller import ROLES, Role
from mediaflow.storage.layout import KEYS
from mediaflow.storage.log import Decisions, NumberedLog
from mediaflow.storage.objects import ObjectStore

ADD, REVOKE = "add", "revoke"
_BEGINNING = "mf"
_ID_BYTES, _SECRET_BYTES = 6, 32
_MOST_CHARACTERS = 200


@dataclass(frozen=True)
class Key:
    """What is known of a key; never the key itself.

    Attributes
    ----------
    id, name : str
        The part of the key that is no secret, and what it was called. No two keys that hold have one name.
    hash : str
        BLAKE2b of its secret, 64 hex digits.
    roles : frozenset of str
        Of `mediaflow.serve.caller.ROLES`.
    rights : Rights, or None
        Which titles it may see; None stands for all.
    made_ms, expires_ms, revoked_ms : int
        Wall clock; None: it never ends, it was not revoked.
    """

    id: str
    name: str
    hash: str = field(repr=False)
    roles: frozenset[Role]
    rights: Rights | None
    made_ms: int
    expires_ms: int | None = None
    revoked_ms: int | None = None

    def holds(self, now_ms: int) -> bool:
        """Say whether it is valid at a time."""
        return self.revoked_ms is None and (self.expires_ms is None or now_ms < self.expires_ms)


class Keys:
    """The keys of a store. May be used from several threads and processes at once.

    Parameters
    ----------
    store : ObjectStore
        Keeps the log under `keys/`.
    """

    def __init__(self, store: ObjectStore) -> None:
        start: Mapping[str, Key] = {}
        self._decisions = Decisions(NumberedLog(store, KEYS), start, _after)

    def look(self) -> Mapping[str, Key]:
        """Return all keys that were ever made, by id (one listing, and the entries that are new)."""
        return self._decisions.now()

    @property
    def known(self) -> Mapping[str, Key]:
        """The keys at the last look."""
        return self._decisions.known

    def add(
        self,
        name: str,
        roles: Collection[str],
        rights: Rights | None,
        expires_ms: int | None,
        who: str,
    ) -> tuple[Key, str]:
        """Make a key; return what is kept of it, and the key, which can be had here and now alone.

        Raises
        ------
        UsageError
            There is such a key, or no such role, or it would be of no use.
        """
        _check(name, roles, rights)
        made_ms = _now_ms()
        id_, secret = secrets.token_hex(_ID_BYTES), secrets.token_urlsafe(_SECRET_BYTES)
        entry = {
            "kind": ADD,
            "id": id_,
            "name": name,
            "hash": hashed(secret),
            "roles": sorted(roles),
            "rights": None if rights is None else {"titles": sorted(rights.titles), "series": sorted(rights.series)},
            "expires_ms": expires_ms,
        }

        def decided(known: Mapping[str, Key]) -> dict[str, Any]:
            if any(one.name == name and one.holds(made_ms) for one in known.values()):
                raise UsageError(f"There is a key {name!r}: revoke it first, or give another name.", name=name)
            return entry | {"at_ms": made_ms, "who": who}

        self._decisions.decide(decided)
        return self.known[id_], f"{_BEGINNING}_{id_}_{secret}"

    def revoke(self, name: str, who: str) -> Key:
        """End a key by name or id, for good; `UsageError` where there is none that holds."""
        found: list[Key] = []

        def decided(known: Mapping[str, Key]) -> dict[str, Any]:
            found[:] = [one for one in known.values() if name in (one.name, one.id) and one.revoked_ms is None]
            if not found:
                raise UsageError(f"There is no key {name!r} to revoke; 'mediaflow keys list' lists them.", name=name)
            # Of one name only the newest can hold.
            return {"kind": REVOKE, "id": found[-1].id, "at_ms": _now_ms(), "who": who}

        self._decisions.decide(decided)
        return self.known[found[-1].id]


def found(known: Mapping[str, Key], given: str) -> Key | None:
    """Return the key that somebody gives, where it is one that holds now; the time that takes tells nothing of it."""
    beginning, _, rest = given.partition("_")
    id_, _, secret = rest.partition("_")
    key = known.get(id_)
    if beginning != _BEGINNING or key is None or len(given) > _MOST_CHARACTERS:
        return None
    return key if hmac.compare_digest(key.hash, hashed(secret)) and key.holds(_now_ms()) else None


def hashed(secret: str) -> str:
    """Return the hash of a key's secret."""
    return hashlib.blake2b(secret.encode("utf-8", "replace"), digest_size=32, person=b"mediaflow.key").hexdigest()


def _after(known: Mapping[str, Key], number: int, entry: Mapping[str, Any]) -> Mapping[str, Key]:
    """Return the keys once an entry of the log is counted too."""
    if entry["kind"] == REVOKE:
        return {**known, entry["id"]: replace(known[entry["id"]], revoked_ms=entry["at_ms"])}
    rights = entry["rights"]
    key = Key(
        entry["id"],
        entry["name"],
        entry["hash"],
        frozenset(entry["roles"]),
        None if rights is None else Rights(frozenset(rights["titles"]), frozenset(rights["series"])),
        entry["at_ms"],
        entry["expires_ms"],
    )
    return {**known, key.id: key}


def _check(name: str, roles: Collection[str], rights: Rights | None) -> None:
    if not name.strip() or not name.isprintable():
        raise UsageError("A key has a name that can be read, such as that of the program that asks by it.", name=name)
    unknown = [role for role in roles if role not in ROLES]
    if unknown or not roles:
        said = f"There is no role {unknown[0]!r}" if unknown else "A key has a role"
        raise UsageError(f"{said}; there are {', '.join(ROLES)}.", roles=sorted(roles))
    sees = rights is None or bool(rights.titles or rights.series)
    if "search" in roles and not sees:
        raise UsageError("Say what the key may see: --title, --series, or --all.", name=name)
    if "search" not in roles and rights is not None and sees:
        raise UsageError("Only a key with the role 'search' sees titles: leave --title and --series out.", name=name)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
