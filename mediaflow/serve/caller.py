"""Who asks: what a request brings with it beside its question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class Caller:
    """One who asks.

    Attributes
    ----------
    titles : frozenset of str, or None
        Ids of the titles that they may see; None stands for all.
    """

    titles: frozenset[str] | None = None


Callers: TypeAlias = Callable[[Mapping[str, str]], Caller]
"""Says who asks, by the headers of a request or the metadata of a call, whose names are in lower case."""


def anybody(_: Mapping[str, str]) -> Caller:
    """Take everybody for one who may see all: whoever can ask is on this machine."""
    return Caller()
