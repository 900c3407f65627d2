"""Lance tables of titles' rows: replace the rows of some titles in one commit, and say what a version holds.

Every row has `title_no` (Int32) and `revision` (String), so that a version of a table says by itself which artifact
each title's rows came from. Every commit of rows also removes a fragment id that never exists: any two commits
planned on the same version then conflict, whatever they touch, and the later one is refused.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from mediaflow.errors import SystemFault
from mediaflow.storage import layout, steps, upkeep
from mediaflow.storage.columns import KEYS, fitted, schema_of
from mediaflow.storage.commits import BASE, BATCH, EPOCH, FENCE, CommitRefused, VersionGone
from mediaflow.storage.objects import ObjectStore
from mediaflow.storage.upkeep import Upkeep

if TYPE_CHECKING:
    import lance
    import polars as pl
    import pyarrow as pa

_COUNTED = (*KEYS, "count_all")
_FEW_FILES = 16


def create(uri: str, schema: pa.Schema) -> None:
    """Make an empty Lance dataset, unless there is one.

    `lance.write_dataset(mode="create")` does not do: of two at once, the second overwrites what the first has written.
    """
    import lance

    operation = lance.LanceOperation.Overwrite(schema, [])
    try:
        # Of commits on a version that there never is, one at most becomes the first version, and none a later one.
        lance.LanceDataset.commit(uri, operation, read_version=0, max_retries=0)
    except OSError as error:
        try:
            lance.dataset(uri)
        except ValueError:
            raise SystemFault(f"The table {uri} could not be made: {error}.", uri=uri) from error


class Holding(NamedTuple):
    """What a version of a table holds of one title: the revisions of its rows, sorted, and how many there are."""

    revisions: tuple[str, ...]
    rows: int


class Table:
    """A Lance table that one committer writes.

    Parameters
    ----------
    store : ObjectStore
        Where it is.
    name : str
        Its name under `tables/`.
    columns : Mapping[str, polars data type]
        Columns beside `title_no` and `revision`.
    text : str, optional
        The column that gets a full-text index.
    """

    def __init__(self, store: ObjectStore, name: str, columns: Mapping[str, Any], text: str | None = None) -> None:
        self.name = name
        self._store = store
        self._uri = store.uri(layout.table(name))
        self._columns = columns
        self._text = text
        self._session: Any = None

    def open(self, version: int | str | None = None) -> lance.LanceDataset:
        """Open the newest version with a fresh handle, or the given one; made empty where there is no table yet."""
        import lance

        if self._session is None:
            # What one handle has read of indexes, the next need not read again.
            self._session = lance.Session()  # type: ignore[attr-defined]
        try:
            return lance.dataset(self._uri, version=version, session=self._session)
        except ValueError as error:
            if version is not None:
                raise VersionGone(
                    f"Version {version} of the table {self.name} is gone: the store was changed by other means.",
                    table=self.name,
                    version=version,
                ) from error
        create(self._uri, schema_of(self._columns))
        return lance.dataset(self._uri, session=self._session)

    def holdings(
        self,
        dataset: lance.LanceDataset,
        titles: Sequence[int] | None = None,
        fragments: Sequence[lance.LanceFragment] | None = None,
    ) -> dict[int, Holding]:
        """Return what the version holds by `title_no`: of some titles or all (None), in some fragments or all."""
        if titles is not None and not titles:
            return {}
        rows = self._scan(dataset, KEYS, titles, fragments=fragments)
        # One row a title and revision: few titles have more.
        counted = rows.group_by(KEYS, use_threads=False).aggregate([([], "count_all")])
        held: dict[int, Holding] = {}
        for no, revision, count in zip(*(counted[name].to_pylist() for name in _COUNTED), strict=True):
            before = held.get(no, Holding((), 0))
            held[no] = Holding(tuple(sorted({*before.revisions, revision})), before.rows + count)
        return held

    def where(self, dataset: lance.LanceDataset, titles: Sequence[int]) -> tuple[list[int], int]:
        """Return the ids of the fragments that have rows of some titles, and how many rows these are."""
        import numpy as np

        if not titles:
            return [], 0
        addresses = self._scan(dataset, (), titles, with_row_address=True)["_rowaddr"].to_numpy()
        return np.unique(addresses >> np.uint64(32)).tolist(), len(addresses)

    def _scan(
        self, dataset: lance.LanceDataset, columns: Sequence[str], titles: Sequence[int] | None, **how: Any
    ) -> pa.Table:
        try:
            return dataset.scanner(columns=list(columns), filter=_filter(titles) if titles else None, **how).to_table()
        except (OSError, ValueError) as error:
            raise self.damaged(str(error)) from error

    def changed(
        self, dataset: lance.LanceDataset, since: lance.LanceDataset | None
    ) -> tuple[list[lance.LanceFragment], list[lance.LanceFragment]]:
        """Return the fragments that are new, and those that have lost rows, since an older version (None: all)."""
        before = {one.fragment_id: one.num_deletions for one in since.get_fragments()} if since is not None else {}
        new, less = [], []
        for one in dataset.get_fragments():
            if one.fragment_id not in before:
                new.append(one)
            elif before[one.fragment_id] != one.num_deletions:
                less.append(one)
        return new, less

    def verify(
        self, fragments: Sequence[lance.LanceFragment], rows: int, others: Sequence[lance.LanceFragment] = ()
    ) -> None:
        """See that the files of fragments are there, and that as many rows were read as they say that they have.

        Parameters
        ----------
        fragments : Sequence[lance.LanceFragment]
            Fragments all of whose rows were read.
        rows : int
            How many rows that were.
        others : Sequence[lance.LanceFragment]
            Fragments that were not read.

        Raises
        ------
        SystemFault
            A file is gone.
        """
        named = {name for one in (*fragments, *others) for name in _files(one.metadata)}
        missing = named - self._files_there(named)
        if missing:
            raise self.damaged(f"{len(missing)} of {len(named)}, e.g. {min(missing)}")
        if fragments and rows != sum(one.metadata.num_rows for one in fragments):
            raise self.damaged("its fragments have other numbers of rows than it says")

    def damaged(self, what: str) -> SystemFault:
        """Return the fault of a table whose files are not all there."""
        return SystemFault(
            f"Data files of the table {self.name} are gone or damaged ({what}): the store was changed by other means; "
            "restore them, or remove the table's folder to build it anew.",
            table=self.name,
        )

    def newest(self) -> lance.LanceDataset | None:
        """Open the newest version with a fresh handle; None where there is no table, and none is made."""
        import lance

        try:
            return lance.dataset(self._uri)
        except ValueError:
            return None

    def seal(self, base: lance.LanceDataset, epoch: int) -> lance.LanceDataset:
        """Commit nothing but the fence id: no commit of rows that was planned before can land after it.

        Raises
        ------
        CommitRefused
            The table has moved since `base` was opened, or the outcome is unknown: look again.
        """
        return self.replace(base, [], [], {EPOCH: str(epoch), BATCH: "seal", BASE: str(base.version)})

    def empty(self, base: lance.LanceDataset, epoch: int) -> lance.LanceDataset:
        """Take away all rows and all indexes, if nobody has committed anything since `base` was opened.

        No commit that was planned before can land after it, neither of rows nor of an index. The version chain goes
        on: a name that comes back begins after this version, and never again at the first.

        Raises
        ------
        CommitRefused
            The table has moved since `base` was opened, or the outcome is unknown: look again.
        """
        import lance

        properties = {EPOCH: str(epoch), BATCH: "empty", BASE: str(base.version)}
        operation = lance.LanceOperation.Overwrite(base.schema, [])
        transaction = lance.Transaction(base.version, operation, transaction_properties=properties)
        try:
            # Without a retry an overwrite becomes the version after its base, or nothing.
            return lance.LanceDataset.commit(base, transaction, max_retries=0)
        except Exception as error:
            raise CommitRefused(
                f"The table {self.name} was not emptied on version {base.version}: {error}.", table=self.name
            ) from error

    def replace(
        self,
        base: lance.LanceDataset,
        titles: Sequence[int],
        new: list[Any],
        properties: Mapping[str, str],
        fragments: Collection[int] | None = None,
    ) -> lance.LanceDataset:
        """Take away all rows of `titles` and put the fragments `new` in their place, in one commit on `base`.

        Parameters
        ----------
        base : lance.LanceDataset
            The version to build on.
        titles : Sequence[int]
            Whose rows go.
        new : list
            Fragments of this attempt, from `write`.
        properties : Mapping[str, str]
            What the commit says of itself.
        fragments : Collection[int], optional
            Ids of the fragments that hold the titles' rows, from `where` of `base`; looked up where not given.

        Raises
        ------
        CommitRefused
            The table has moved since `base` was opened, or the outcome is unknown: look again.
        """
        removed, updated = self._without(base, titles, fragments)
        return self._commit(base, removed, updated, new, properties)

    def _commit(
        self,
        base: lance.LanceDataset,
        removed: Sequence[int],
        updated: list[Any],
        new: list[Any],
        properties: Mapping[str, str],
    ) -> lance.LanceDataset:
        import lance

        operation = lance.LanceOperation.Update(
            removed_fragment_ids=[*removed, FENCE], updated_fragments=updated, new_fragments=new
        )
        transaction = lance.Transaction(base.version, operation, transaction_properties=dict(properties))
        try:
            steps.reached("commit: before commit")
            done = lance.LanceDataset.commit(base, transaction)
            steps.reached("commit: after commit")
            return done
        except Exception as error:
            # Whatever was raised, a time-out included: the commit may have landed.
            raise CommitRefused(
                f"The commit to {self.name} on version {base.version} was refused: {error}.", table=self.name
            ) from error

    def write(self, base: lance.LanceDataset, frames: Iterable[pl.DataFrame]) -> list[Any]:
        """Write rows, frame by frame as they come, as fragments that no version names yet.

        Raises
        ------
        SystemFault
            Rows do not fit the table. What `frames` raises is raised as it is.
        """
        import pyarrow as pa
        from lance.fragment import write_fragments

        failed: list[Exception] = []
        tables = (table for frame in frames if len(table := self._fitted(frame, base.schema)))
        few = list(itertools.islice(tables, 2))

        def batches() -> Iterator[pa.RecordBatch]:
            try:
                for table in itertools.chain(few, tables):
                    yield from table.to_batches()
            except Exception as error:
                # Lance would tell of it in its own words, or not at all.
                failed.append(error)
                raise

        if not few:
            return []
        rows = few[0] if len(few) == 1 else pa.RecordBatchReader.from_batches(base.schema, batches())
        try:
            # Twice a compacted fragment, so that what was written as one need not be compacted.
            return list(write_fragments(rows, base, max_bytes_per_file=2 * upkeep.FRAGMENT_BYTES))
        except OSError:
            if failed:
                raise failed[0] from None
            raise

    def _fitted(self, rows: pl.DataFrame, schema: pa.Schema) -> pa.Table:
        import pyarrow as pa

        try:
            return fitted(rows, schema, self._columns)
        except (KeyError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise SystemFault(f"Rows for the table {self.name} do not fit it: {error}.", table=self.name) from error

    def copy(self, base: lance.LanceDataset, of: lance.LanceDataset, fragments: Sequence[Any]) -> list[Any]:
        """Write the rows that some fragments of a version have, without deleted ones, as fragments of new files."""
        from lance.fragment import write_fragments

        if not any(fragment.count_rows() for fragment in fragments):
            return []
        return list(write_fragments(of.scanner(fragments=list(fragments)).to_reader(), base))

    def swap(
        self, base: lance.LanceDataset, removed: Sequence[int], new: list[Any], properties: Mapping[str, str]
    ) -> lance.LanceDataset:
        """Put fragments in the place of others, in one commit on `base`; `CommitRefused` as for `replace`."""
        return self._commit(base, removed, [], new, properties)

    def tend(self, dataset: lance.LanceDataset, due: Upkeep | None = None) -> lance.LanceDataset:
        """Compact the table and care for its indexes where that is due; return the newest version then.

        Where nothing is due, that is the version given.

        Raises
        ------
        CommitRefused
            Somebody else wrote to the table at the same time: look again.
        """

        if not dataset.count_rows():
            return dataset
        try:
            done = upkeep.tend(dataset, self._text, due or Upkeep())
        except Exception as error:
            raise CommitRefused(f"The upkeep of {self.name} failed: {error}.", table=self.name) from error
        return self.open() if done else dataset

    def _without(
        self, base: lance.LanceDataset, titles: Sequence[int], fragments: Collection[int] | None
    ) -> tuple[list[int], list[Any]]:
        """Return the fragments to remove, and those that stay without the titles' rows."""
        if fragments is None:
            fragments, _ = self.where(base, titles)
        removed, updated = [], []
        for fragment_id in sorted(fragments):
            fragment = base.get_fragment(fragment_id)
            assert fragment is not None
            kept = fragment.delete(_filter(titles))
            if kept is None:
                removed.append(fragment_id)
            else:
                updated.append(kept)
        return removed, updated

    def _files_there(self, named: Collection[str]) -> set[str]:
        """Return those of the files that are there: a few are asked for one by one, many in one listing a folder."""
        table = f"{layout.table(self.name)}/"
        if len(named) <= _FEW_FILES:
            return {name for name in named if self._store.exists(table + name)}
        folders = {name.rpartition("/")[0] for name in named}
        return {info.key.removeprefix(table) for folder in folders for info in self._store.list(f"{table}{folder}/")}


def _files(fragment: lance.FragmentMetadata) -> Iterator[str]:
    """Yield the paths, within the table, of a fragment's files: its data, and which rows of it are deleted."""
    yield from (f"data/{file.path}" for file in fragment.files)
    if fragment.deletion_file is not None:
        yield fragment.deletion_file.path(fragment.id)


def _filter(titles: Sequence[int]) -> str:
    return f"title_no IN ({', '.join(str(int(no)) for no in titles)})"
