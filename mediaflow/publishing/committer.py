"""The committer: brings a table to what the cut says, by one commit, after looking what the table holds now.

It looks at the titles that changed, as long as nobody but upkeep has touched the table since the version that is
served, which held what the snapshot served says. Otherwise, say after a publisher that died behind its commit, it
looks at the whole table.
"""

from __future__ import annotations

import itertools
import json
import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mediaflow.errors import MediaflowError, SystemFault
from mediaflow.snapshots.manifest import TablePart
from mediaflow.storage import commits, layout, steps
from mediaflow.storage.commits import BASE, BATCH, EPOCH, CommitRefused, VersionGone
from mediaflow.storage.objects import ObjectStore
from mediaflow.storage.tables import Holding, Table
from mediaflow.storage.upkeep import Upkeep

if TYPE_CHECKING:
    import lance
    import polars as pl

_LOOKS = 5
_TITLES_AT_ONCE = 50


Load = Callable[[Sequence[int]], "pl.DataFrame"]


class Overtaken(MediaflowError):
    """A publisher with a higher epoch is at work: this one ends."""


@dataclass(frozen=True)
class Target:
    """What a table shall hold, and how that differs from what is served.

    Attributes
    ----------
    wanted : Mapping[int, Holding]
        By `title_no`; a title that is not in it shall have no rows.
    load : callable
        Gives the rows of some titles, one title's after the other's.
    changed : Collection[int], optional
        The titles whose rows differ from those served; None where that is not known.
    others : int
        How many rows the version that is served holds of all other titles, where `changed` is known.
    """

    wanted: Mapping[int, Holding]
    load: Load
    changed: Collection[int] | None = None
    others: int = 0


@dataclass
class _Task:
    """One table on its way to its target: what is served of it, and the batches of our commits."""

    table: Table
    target: Target
    served: lance.LanceDataset | None
    batches: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Seen:
    """What a look at a version has shown: which titles are not as wanted, and where that was read.

    `fragments` are the ids of those that have rows of these titles, where that is known. `read` are fragments of
    which all rows were read, `rows` of them, and `less` those that have only lost rows.
    """

    differing: list[int]
    fragments: Sequence[int] | None = None
    read: Sequence[lance.LanceFragment] = ()
    less: Sequence[lance.LanceFragment] = ()
    rows: int = 0


class Committer:
    """Commits for one epoch.

    Parameters
    ----------
    store : ObjectStore
        Where intents go.
    epoch : int
        The publisher's epoch; a table in which a higher one stands is left alone (`Overtaken`).
    upkeep : Upkeep
        When tables are compacted and their indexes brought up to date.
    """

    def __init__(self, store: ObjectStore, epoch: int, upkeep: Upkeep) -> None:
        self._store = store
        self._epoch = epoch
        self._upkeep = upkeep

    def bring(self, table: Table, target: Target, base: TablePart | None) -> tuple[TablePart, lance.LanceDataset]:
        """Bring `table` to `target` and return the version that holds exactly that (not yet tagged), opened.

        Parameters
        ----------
        table : Table
            The table.
        target : Target
            What it shall hold.
        base : TablePart, optional
            The version that the current release serves.
        """
        newest = table.open()
        task = _Task(table, target, _opened(table, base, newest))
        if base is not None and task.served is not None and _serves(task):
            return base, task.served
        refused: CommitRefused | None = None
        for look in range(_LOOKS):
            if commits.epoch(newest, table.name) > self._epoch:
                raise Overtaken(f"Another publisher has begun to write {table.name}; this one ends.", table=table.name)
            seen = _look(task, newest)
            try:
                if not seen.differing:
                    return self._finish(task, newest, seen)
                self._commit(task, newest, seen, look)
            except CommitRefused as error:
                refused = error
            newest = table.open()
        raise SystemFault(
            f"The table {table.name} could not be brought up to date in {_LOOKS} looks; publish again. {refused}",
            table=table.name,
        ) from refused

    def _commit(self, task: _Task, base: lance.LanceDataset, seen: _Seen, attempt: int) -> None:
        table, wanted = task.table, task.target.wanted
        new = table.write(base, _frames(task.target, seen.differing))
        batch = secrets.token_hex(8)
        task.batches.add(batch)
        intent = {
            "batch": batch,
            "base": int(base.version),
            "titles": {str(n): [*one.revisions, one.rows] if (one := wanted.get(n)) else None for n in seen.differing},
            "files": [file.path for fragment in new for file in fragment.files],
        }
        steps.reached("commit: before intent")
        self._store.put_if_absent(layout.intent(self._epoch, table.name, attempt), json.dumps(intent).encode())
        properties = {EPOCH: str(self._epoch), BATCH: batch, BASE: str(base.version)}
        table.replace(base, seen.differing, new, properties, seen.fragments)

    def _finish(self, task: _Task, newest: lance.LanceDataset, seen: _Seen) -> tuple[TablePart, lance.LanceDataset]:
        """Care for the table, then check the version that is final: its chain, its rows, its files."""
        steps.reached("commit: before upkeep")
        final = task.table.tend(newest, self._upkeep)
        if final is not newest:
            seen = _look(task, final)
        if seen.differing:
            raise CommitRefused(f"The table {task.table.name} changed while it was cared for.", table=task.table.name)
        task.table.verify(seen.read, seen.rows, seen.less)
        return TablePart(task.table.name, int(final.version), "", int(final.count_rows())), final


def _opened(table: Table, base: TablePart | None, newest: lance.LanceDataset) -> lance.LanceDataset | None:
    """Open the version that is served; None where there is none, or it is gone: then the table is built anew."""
    if base is None or base.version == newest.version:
        return None if base is None else newest
    try:
        return table.open(base.version)
    except VersionGone:
        return None


def _serves(task: _Task) -> bool:
    """Say whether the version that is served holds just what is wanted."""
    if task.target.changed is not None:
        return not task.target.changed
    assert task.served is not None
    return not _differences(task.target.wanted, task.table.holdings(task.served))


def _look(task: _Task, dataset: lance.LanceDataset) -> _Seen:
    """Look what a version holds.

    Where nobody but us has changed rows since the version that is served: of the changed titles alone. Before our
    commit they are as served; after it, the new fragments are read. As the number of all other titles' rows is known,
    none of the old rows of these titles can have stayed then. Everywhere else all rows are read.
    """
    table, target = task.table, task.target
    if task.served is not None and target.changed is not None:
        titles, batches = sorted(target.changed), commits.batches(dataset, int(task.served.version))
        if batches == []:
            fragments, rows = table.where(dataset, titles)
            if dataset.count_rows() - rows == target.others:
                return _Seen(titles, fragments)
        elif batches is not None and task.batches.issuperset(batches):
            new, less = table.changed(dataset, task.served)
            held = table.holdings(dataset, fragments=new)
            rows = sum(one.rows for one in held.values())
            if dataset.count_rows() - rows == target.others:
                return _Seen(_differences(target.wanted, held, titles), None, new, less, rows)
    held = table.holdings(dataset)
    rows = sum(one.rows for one in held.values())
    return _Seen(_differences(target.wanted, held), None, table.changed(dataset, None)[0], (), rows)


def _frames(target: Target, titles: Sequence[int]) -> Iterator[pl.DataFrame]:
    """Yield the titles' rows, some titles' at a time."""
    wanted = {number: one for number in titles if (one := target.wanted.get(number)) is not None and one.rows}
    numbers = list(wanted)
    for at in range(0, len(numbers), _TITLES_AT_ONCE):
        some = numbers[at : at + _TITLES_AT_ONCE]
        yield _keyed(target.load(some), {number: wanted[number] for number in some})


def _keyed(frame: pl.DataFrame, of: Mapping[int, Holding]) -> pl.DataFrame:
    """Return the rows of several titles, each with its title's number and revision."""
    import numpy as np
    import polars as pl

    rows = [one.rows for one in of.values()]
    numbers = pl.Series("title_no", np.repeat(np.array(list(of), dtype=np.int32), rows))
    revisions = [revision for one in of.values() for revision in itertools.repeat(one.revisions[0], one.rows)]
    return frame.hstack([numbers, pl.Series("revision", revisions, dtype=pl.String)])


def _differences(
    wanted: Mapping[int, Holding], held: Mapping[int, Holding], titles: Collection[int] | None = None
) -> list[int]:
    """Return the titles, of some or of all (None), whose rows are not as wanted, ascending."""
    numbers = wanted if titles is None else titles
    asked = {number: one for number in numbers if (one := wanted.get(number)) is not None and one.rows}
    return sorted(number for number in asked.keys() | held.keys() if asked.get(number) != held.get(number))
