"""What was imported: a numbered log that names the rows of each title, and the files that hold them.

Imported rows are a root, as the bytes of a film are: what they say is hashed, and the hash is in the revision of all
that is made of them. They lie among the artifacts, under the name of no stage: what takes a title's artifacts away
takes these away too, and they stay as long as the log names them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mediaflow.planning.stage import Given
from mediaflow.storage import artifacts
from mediaflow.storage.layout import IMPORTS
from mediaflow.storage.log import FULL_EVERY, NumberedLog
from mediaflow.storage.objects import ObjectStore

if TYPE_CHECKING:
    import polars as pl

_FORMAT = 1
_PART = "rows"

# By algorithm and title_id: the rows that are there.
State = Mapping[str, Mapping[str, Given]]


def keep(store: ObjectStore, algorithm: str, title_id: str, revision: str, rows: pl.DataFrame) -> Given:
    """Write the rows of a title; they count once the log names them."""
    return Given(revision, artifacts.write(store, _stage(algorithm), title_id, revision, {_PART: rows}))


def rows_of(store: ObjectStore, algorithm: str, title_id: str, given: Given) -> pl.DataFrame:
    """Return the imported rows of a title, without any columns where there are none."""
    import polars as pl

    if not given.revision:
        return pl.DataFrame()
    return artifacts.read(store, _stage(algorithm), title_id, given.revision, given.attempt, _PART)


@dataclass(frozen=True)
class Imports:
    """What was imported, as of entry `n` of the log.

    Parameters
    ----------
    log : NumberedLog
        Where the entries are: what changed, and the full state in each one whose number is a multiple of 64.
    n : int
        Number of the last entry seen; 0 for an empty log.
    state : Mapping
        By algorithm and title.
    """

    log: NumberedLog
    n: int = 0
    state: State = field(default_factory=dict)

    @classmethod
    def of(cls, store: ObjectStore) -> Imports:
        """Return the imports of a store, nothing of which is read yet."""
        return cls(NumberedLog(store, IMPORTS))

    def refresh(self) -> Imports:
        """Return the newest state; reads only what is new."""
        entries = self.log.since(self.n, "imports", _FORMAT)
        if not entries:
            return self
        state: State = self.state
        for _, body in entries:
            state = _state(body["state"]) if body["full"] else _after(state, _state(body["state"]))
        return Imports(self.log, entries[-1][0], state)

    def given(self) -> State:
        """Return by algorithm the rows of each title; an algorithm that nothing was ever imported for is not there."""
        return self.state

    def attempts(self) -> frozenset[str]:
        """Return the names of all files that the log names."""
        return frozenset(given.attempt for of in self.state.values() for given in of.values())

    def append(self, algorithm: str, changed: Mapping[str, Given]) -> Imports:
        """Write what changed of an algorithm as one entry, titles that have no rows any more with an empty revision.

        Where another import has gone first, its entry is read and this one comes after it.
        """
        found = self
        while True:
            after = _after(found.state, {algorithm: changed})
            full = (found.n + 1) % FULL_EVERY == 0
            written = after if full else {algorithm: changed}
            state = {name: {title: list(one) for title, one in of.items()} for name, of in written.items()}
            if found.log.append(found.n + 1, {"format": _FORMAT, "full": full, "state": state}):
                return Imports(found.log, found.n + 1, after)
            found = found.refresh()

    def forget(self, title_id: str) -> None:
        """Take a title out of all entries; replaced they may be, as nothing else in them changes."""
        for number in self.log.numbers():
            body = self.log.read(number)
            state = {
                name: {title: of for title, of in one.items() if title != title_id}
                for name, one in body["state"].items()
            }
            if state != body["state"]:
                self.log.replace(number, {**body, "state": state})


def _state(said: Mapping[str, Mapping[str, list[str]]]) -> State:
    return {name: {title: Given(*one) for title, one in of.items()} for name, of in said.items()}


def _after(state: State, changed: State) -> State:
    """Return a state with changes; what has an empty revision is there no more."""
    found = dict(state)
    for name, of in changed.items():
        now = {**found.get(name, {}), **of}
        found[name] = {title: one for title, one in now.items() if one.revision}
    return found


def _stage(algorithm: str) -> str:
    # No stage has a dot in its name.
    return f"import.{algorithm}"
