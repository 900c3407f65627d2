"""Lance tables of titles' rows: replace the rows of some titles in one commit, and say what a version holds.

Every row has `title_no` (Int32) and `revision` (String), so that a version of a table says by itself which artifact
each title's rows came from. Every commit of rows also removes a fragment id that never exists: any two commits
planned on the same version then conflict, whatever they touch, and the later one is refused.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mediaflow.errors import MediaflowError, SystemFault
from mediaflow.storage import layout
from mediaflow.storage.objects import ObjectStore

if TYPE_CHECKING:
    import lance
    import polars as pl
    import pyarrow as pa

FENCE = 4294967294
EPOCH, BATCH, BASE = "mediaflow.epoch", "mediaflow.batch", "mediaflow.base"
_KEY_COLUMNS = ("title_no", "revision")
# A text index is brought up to date when this share of the rows is not in it; the rest is searched without it.
_UNINDEXED_SHARE = 0.05


class CommitRefused(MediaflowError):
    """Somebody else changed the table since it was read: look again before doing anything."""


class VersionGone(SystemFault):
    """A version that somebody relies on is not in the store any more."""


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


@dataclass(frozen=True)
class Holding:
    """What a version of a table holds of one title: the revisions of its rows and how many there are."""

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
        self._uri = store.uri(layout.table(name))
        self._columns = columns
        self._text = text

    def open(self, version: int | str | None = None) -> lance.LanceDataset:
        """Open the newest version with a fresh handle, or the given one; made empty where there is no table yet."""
        import lance

        try:
            return lance.dataset(self._uri, version=version)
        except ValueError as error:
            if version is not None:
                raise VersionGone(
                    f"Version {version} of the table {self.name} is gone: the store was changed by other means.",
                    table=self.name,
                    version=version,
                ) from error
        create(self._uri, self._schema())
        return lance.dataset(self._uri)

    def holdings(self, dataset: lance.LanceDataset, titles: Sequence[int] | None = None) -> dict[int, Holding]:
        """Return what the version holds, of some titles or of all (None), by `title_no`."""
        import polars as pl

        if titles is not None and not titles:
            return {}
        try:
            rows = dataset.to_table(columns=list(_KEY_COLUMNS), filter=_filter(titles) if titles else None)
        except (OSError, ValueError) as error:
            raise self.damaged(str(error)) from error
        found = pl.from_arrow(rows)
        assert isinstance(found, pl.DataFrame)
        grouped = found.group_by("title_no").agg(pl.col("revision").unique().sort(), pl.len().alias("rows"))
        return {no: Holding(tuple(revisions), rows) for no, revisions, rows in grouped.iter_rows()}

    def damaged(self, what: str) -> SystemFault:
        """Return the fault of a table whose files are not all there."""
        return SystemFault(
            f"Data files of the table {self.name} are gone or damaged ({what}): the store was changed by other means; "
            "restore them, or remove the table's folder to build it anew.",
            table=self.name,
        )

    def epoch(self, dataset: lance.LanceDataset) -> int:
        """Return the epoch of the newest commit of rows, 0 where there is none."""
        for version in range(int(dataset.version), 1, -1):
            transaction = dataset.read_transaction(version)
            properties = getattr(transaction, "transaction_properties", None) or {}
            if EPOCH in properties:
                return int(properties[EPOCH])
        return 0

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
        self, base: lance.LanceDataset, titles: Sequence[int], new: list[Any], properties: Mapping[str, str]
    ) -> lance.LanceDataset:
        """Take away all rows of `titles` and put the fragments `new` in their place, in one commit on `base`.

        Raises
        ------
        CommitRefused
            The table has moved since `base` was opened, or the outcome is unknown: look again.
        """
        removed, updated = self._without(base, titles)
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
            return lance.LanceDataset.commit(base, transaction)
        except Exception as error:
            # Whatever was raised, a time-out included: the commit may have landed.
            raise CommitRefused(
                f"The commit to {self.name} on version {base.version} was refused: {error}.", table=self.name
            ) from error

    def write(self, base: lance.LanceDataset, rows: pl.DataFrame) -> list[Any]:
        """Write rows as fragments that no version names yet."""
        from lance.fragment import write_fragments

        return list(write_fragments(self._to_arrow(rows, base.schema), base)) if len(rows) else []

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

    def tend(self, dataset: lance.LanceDataset) -> lance.LanceDataset:
        """Make indexes that are missing, and bring them up to date when they lag; rows stay as they are.

        Raises
        ------
        CommitRefused
            Somebody else made an index at the same time: look again.
        """
        import lance

        rows = dataset.count_rows()
        if not rows:
            return dataset
        indexes = {index.field_names[0]: index.num_rows_indexed for index in dataset.describe_indices()}
        try:
            if "title_no" not in indexes:
                dataset.create_scalar_index("title_no", "BTREE")
            if self._text and self._text not in indexes:
                dataset.create_scalar_index(self._text, "INVERTED", **_FULL_TEXT)
            if min(indexes.values(), default=rows) < rows * (1 - _UNINDEXED_SHARE):
                dataset.optimize.optimize_indices()
        except Exception as error:
            raise CommitRefused(f"An index of {self.name} was not made: {error}.", table=self.name) from error
        return lance.dataset(self._uri)

    def _without(self, base: lance.LanceDataset, titles: Sequence[int]) -> tuple[list[int], list[Any]]:
        """Return the fragments to remove, and those that stay without the titles' rows."""
        import polars as pl

        if not titles:
            return [], []
        found = base.scanner(columns=["title_no"], filter=_filter(titles), with_row_address=True).to_table()
        addresses = pl.Series(found["_rowaddr"].to_numpy())
        removed, updated = [], []
        for fragment_id in sorted(set((addresses // 2**32).to_list())):
            fragment = base.get_fragment(fragment_id)
            assert fragment is not None
            kept = fragment.delete(_filter(titles))
            if kept is None:
                removed.append(fragment_id)
            else:
                updated.append(kept)
        return removed, updated

    def _to_arrow(self, rows: pl.DataFrame, schema: pa.Schema) -> pa.Table:
        import polars as pl
        import pyarrow as pa

        # A table that an earlier version has made may have columns that nobody declares any more: they stay empty.
        former = [pl.lit(None).alias(name) for name in schema.names if name not in {*_KEY_COLUMNS, *self._columns}]
        try:
            return rows.with_columns(former).select(schema.names).to_arrow().cast(schema)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pl.exceptions.PolarsError) as error:
            raise SystemFault(f"Rows for the table {self.name} do not fit it: {error}.", table=self.name) from error

    def _schema(self) -> pa.Schema:
        import polars as pl
        import pyarrow as pa

        columns = {"title_no": pl.Int32, "revision": pl.String, **self._columns}
        frame = pl.DataFrame(schema=columns)
        return pa.schema([(field.name, _plain(field.type)) for field in frame.to_arrow().schema])


# Parts words at apostrophes and hyphens too, so that "été" is found in "l’été" and "don't" in "don’t".
_FULL_TEXT: dict[str, Any] = {
    "base_tokenizer": "icu/split",
    "with_position": True,
    "stem": False,
    "remove_stop_words": False,
    "lower_case": True,
    "ascii_folding": True,
    "max_token_length": None,
}


def _filter(titles: Sequence[int]) -> str:
    return f"title_no IN ({', '.join(str(int(no)) for no in titles)})"


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type without Polars' 64-bit offsets, which Lance has no use for."""
    import pyarrow as pa

    if pa.types.is_large_string(kind) or kind == pa.string_view():
        return pa.string()
    if pa.types.is_large_binary(kind) or kind == pa.binary_view():
        return pa.binary()
    if pa.types.is_large_list(kind):
        return pa.list_(_plain(kind.value_type))
    if pa.types.is_fixed_size_list(kind):
        return pa.list_(pa.field("item", kind.value_type), kind.list_size)
    return kind
