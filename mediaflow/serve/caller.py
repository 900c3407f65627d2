"""Who asks: what a request brings with it beside its question, kept for as long as it is answered."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, get_args

from mediaflow.errors import MediaflowError, UsageError
from mediaflow.search.titles.rights import Rights

Role: TypeAlias = Literal["search", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)

RELEASE = "mediaflow-release"
"""The header, or metadata, that names the last release that a client has seen."""
_MOST_DIGITS = 15


class Unauthenticated(MediaflowError):
    """A key is needed, and the request has none that is valid."""


class Forbidden(MediaflowError):
    """The key is valid, and not for this."""


@dataclass(frozen=True)
class Caller:
    """One who asks.

    Attributes
    ----------
    name : str
        What the key was called when it was made; "" without a key.
    key : str
        The key's id, which is no secret; "" without a key.
    account : str
        Whom what they ask is counted against: a key, or an address.
    roles : frozenset of str
        What they may do, of `ROLES`.
    rights : Rights, or None
        Which titles they may see; None stands for all.
    seen : int
        The last release that they have seen an answer of: what they ask anew is answered from it or a later one.
    """

    name: str = ""
    key: str = ""
    account: str = ""
    roles: frozenset[Role] = frozenset(ROLES)
    rights: Rights | None = None
    seen: int = 0

    def require(self, role: Role) -> None:
        """Raise `Forbidden` for one who has not that role."""
        if role not in self.roles:
            raise Forbidden(f"The key {self.name!r} has not the role {role!r}, which this takes.", role=role)


ANYBODY = Caller()
"""Whoever asks where no key is needed: they are on this machine, and may see all."""

_ASKING: ContextVar[Caller] = ContextVar("asking", default=ANYBODY)


def asking() -> Caller:
    """Return who asks the request that is being answered."""
    return _ASKING.get()


def asks(caller: Caller) -> None:
    """Say who asks the request that is being answered, in the task that answers it."""
    _ASKING.set(caller)


def who_asks(headers: Mapping[str, str]) -> Caller:
    """Return who asks, with the release that they have seen.

    Parameters
    ----------
    headers : Mapping
        Those of the request, or the metadata of the call; their names in lower case.

    Raises
    ------
    UsageError
        The header `Mediaflow-Release` is no number of a release.
    """
    given = headers.get(RELEASE, "0")
    if not (given.isascii() and given.isdigit() and len(given) <= _MOST_DIGITS):
        raise UsageError(f"'Mediaflow-Release' takes the number of a release, such as 12, not {given[:40]!r}.")
    return replace(asking(), seen=int(given))
