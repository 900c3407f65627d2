"""Remembers the source of an algorithm beside its version, to warn where one changed without the other."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass

from mediaflow.algorithms.registry import Registered
from mediaflow.errors import NotFound
from mediaflow.storage import layout
from mediaflow.storage.objects import ObjectStore

_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class ChangedSource:
    """An algorithm whose source is not what it was when this version of it was first used.

    Attributes
    ----------
    algorithm, version, source : str
        Its name, its declared version, and the file or module that it is in.
    functions : tuple of str
        What changed, came or went, such as `Brightness.run`.
    """

    algorithm: str
    version: str
    source: str
    functions: tuple[str, ...]

    @property
    def warning(self) -> str:
        """One sentence that says what changed and what to do."""
        return (
            f"The source of {', '.join(self.functions)} of the algorithm {self.algorithm!r} has changed, and its "
            f"version is still {self.version!r}: change 'version' in {self.source} to compute all titles anew, or "
            "take the change back."
        )


def remember(store: ObjectStore, one: Registered) -> None:
    """Keep the source of a version, unless some source of it is kept already."""
    if one.algorithm is None or not one.functions:
        return
    key = _key(one.name, one.algorithm.version)
    if not store.exists(key):
        body = {"version": one.algorithm.version, "python": _PYTHON, "functions": dict(one.functions)}
        store.put_if_absent(key, json.dumps(body, sort_keys=True).encode())


def changed(store: ObjectStore, found: Iterable[Registered]) -> list[ChangedSource]:
    """Return those algorithms whose source is not the one that is kept for their version."""
    return [said for one in found if one.algorithm is not None and (said := _compared(store, one)) is not None]


def _compared(store: ObjectStore, one: Registered) -> ChangedSource | None:
    assert one.algorithm is not None
    version = one.algorithm.version
    try:
        kept: dict[str, str] = json.loads(store.get(_key(one.name, version)))["functions"]
    except NotFound:
        return None
    differing = sorted(name for name in {*kept, *one.functions} if kept.get(name) != one.functions.get(name))
    return ChangedSource(one.name, version, one.source, tuple(differing)) if differing and one.functions else None


def _key(name: str, version: str) -> str:
    # Another Python may spell the same tree differently: what it finds is kept apart.
    return layout.source(name, hashlib.sha256(f"{_PYTHON}\n{version}".encode()).hexdigest()[:32])
