"""The committer: brings a table to what the cut says, by one commit, after looking what the table holds now."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mediaflow.errors import MediaflowError, SystemFault
from mediaflow.snapshots.manifest import TablePart
from mediaflow.storage import layout
from mediaflow.storage.objects import ObjectStore
from mediaflow.storage.tables import BASE, BATCH, EPOCH, CommitRefused, Holding, Table, VersionGone

if TYPE_CHECKING:
    import lance
    import polars as pl

_LOOKS = 5


class Overtaken(MediaflowError):
    """A publisher with a higher epoch is at work: this one ends."""


@dataclass(frozen=True)
class Wanted:
    """What a table shall hold of one title, and how its rows are made when they are not there."""

    revision: str
    rows: int
    load: Callable[[], pl.DataFrame]


class Committer:
    """Commits for one epoch.

    Parameters
    ----------
    store : ObjectStore
        Where intents go.
    epoch : int
        The publisher's epoch; a table in which a higher one stands is left alone (`Overtaken`).
    """

    def __init__(self, store: ObjectStore, epoch: int) -> None:
        self._store = store
        self._epoch = epoch

    def bring(self, table: Table, wanted: Mapping[int, Wanted], base: TablePart | None) -> TablePart:
        """Bring `table` to `wanted` and return the version that holds exactly that (not yet tagged).

        Parameters
        ----------
        table : Table
            The table.
        wanted : Mapping[int, Wanted]
            By `title_no`; a title that is not in it shall have no rows.
        base : TablePart, optional
            The version that the current release serves.
        """
        if base is not None and self._holds(table, wanted, base):
            return base
        refused: CommitRefused | None = None
        for look in range(_LOOKS):
            newest = table.open()
            if table.epoch(newest) > self._epoch:
                raise Overtaken(f"Another publisher has begun to write {table.name}; this one ends.", table=table.name)
            changed = _differences(wanted, table.holdings(newest))
            try:
                if not changed:
                    return self._finish(table, wanted, newest)
                self._commit(table, wanted, newest, changed, look)
            except CommitRefused as error:
                refused = error
        raise SystemFault(
            f"The table {table.name} could not be brought up to date in {_LOOKS} looks; publish again. {refused}",
            table=table.name,
        ) from refused

    def _holds(self, table: Table, wanted: Mapping[int, Wanted], base: TablePart) -> bool:
        """Say whether the version that is served holds just what is wanted; one that is gone is built anew."""
        try:
            return not _differences(wanted, table.holdings(table.open(base.version)))
        except VersionGone:
            return False

    def _commit(
        self, table: Table, wanted: Mapping[int, Wanted], base: lance.LanceDataset, changed: list[int], attempt: int
    ) -> None:
        import polars as pl

        frames = [_rows(number, wanted[number]) for number in changed if number in wanted and wanted[number].rows]
        new = table.write(base, pl.concat(frames)) if frames else []
        batch = secrets.token_hex(8)
        intent = {
            "batch": batch,
            "base": int(base.version),
            "titles": {str(n): [wanted[n].revision, wanted[n].rows] if n in wanted else None for n in changed},
            "files": [file.path for fragment in new for file in fragment.files],
        }
        self._store.put_if_absent(layout.intent(self._epoch, table.name, attempt), json.dumps(intent).encode())
        table.replace(base, changed, new, {EPOCH: str(self._epoch), BATCH: batch, BASE: str(base.version)})

    def _finish(self, table: Table, wanted: Mapping[int, Wanted], newest: lance.LanceDataset) -> TablePart:
        final = table.tend(newest)
        if _differences(wanted, table.holdings(final)):
            raise CommitRefused(f"The table {table.name} changed while its indexes were made.", table=table.name)
        _verify_files(self._store, table, final)
        return TablePart(table.name, int(final.version), "", int(final.count_rows()))


def _rows(number: int, wanted: Wanted) -> pl.DataFrame:
    import polars as pl

    frame = wanted.load()
    if len(frame) != wanted.rows:
        raise SystemFault(
            f"An artifact of title number {number} has {len(frame)} rows, the ledger says {wanted.rows}: "
            "materialize it in Dagster with 'force' set.",
            title_no=number,
        )
    return frame.with_columns(
        pl.lit(number, dtype=pl.Int32).alias("title_no"), pl.lit(wanted.revision).alias("revision")
    )


def _differences(wanted: Mapping[int, Wanted], held: Mapping[int, Holding]) -> list[int]:
    """Return the titles whose rows are not as wanted, ascending."""
    asked = {number: Holding((one.revision,), one.rows) for number, one in wanted.items() if one.rows}
    return sorted(number for number in asked.keys() | held.keys() if asked.get(number) != held.get(number))


def _verify_files(store: ObjectStore, table: Table, dataset: lance.LanceDataset) -> None:
    prefix = f"{layout.table(table.name)}/data/"
    there = {info.key.removeprefix(prefix) for info in store.list(prefix)}
    named: set[Any] = {file.path for fragment in dataset.get_fragments() for file in fragment.metadata.files}
    missing = named - there
    if missing:
        raise table.damaged(f"{len(missing)} of {len(named)}, e.g. {min(missing)}")
