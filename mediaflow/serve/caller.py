"""Who asks: what a request brings with it beside its question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from mediaflow.errors import UsageError

RELEASE = "mediaflow-release"
"""The header, or metadata, that names the last release that a client has seen."""
_MOST_DIGITS = 15


@dataclass(frozen=True)
class Caller:
    """One who asks.

    Attributes
    ----------
    titles : frozenset of str, or None
        Ids of the titles that they may see; None stands for all.
    seen : int
        The last release that they have seen an answer of: what they ask anew is answered from it or a later one.
    """

    titles: frozenset[str] | None = None
    seen: int = 0


Callers: TypeAlias = Callable[[Mapping[str, str]], Caller]
"""Says who asks, by the headers of a request or the metadata of a call, whose names are in lower case."""


def anybody(_: Mapping[str, str]) -> Caller:
    """Take everybody for one who may see all: whoever can ask is on this machine."""
    return Caller()


def who_asks(callers: Callers, headers: Mapping[str, str]) -> Caller:
    """Return who asks, with the release that they have seen.

    Raises
    ------
    UsageError
        The header `Mediaflow-Release` is no number of a release; or whatever `callers` raises.
    """
    given = headers.get(RELEASE, "0")
    if not (given.isascii() and given.isdigit() and len(given) <= _MOST_DIGITS):
        raise UsageError(f"'Mediaflow-Release' takes the number of a release, such as 12, not {given[:40]!r}.")
    return replace(callers(headers), seen=int(given))
