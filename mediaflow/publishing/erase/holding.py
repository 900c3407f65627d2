"""Which snapshots hold a title: in what they say, or still in the files below it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediaflow.snapshots.manifest import Manifest, TablePart
from mediaflow.storage.commits import VersionGone
from mediaflow.storage.objects import ObjectStore
from mediaflow.storage.tables import Table

if TYPE_CHECKING:
    import lance

# An index of numbers says nothing of a title.
_NUMBERS = "BTree"


class Holding:
    """Looks for one title; each version of a table and each fragment is read once.

    Parameters
    ----------
    store : ObjectStore
        Where the tables are.
    title_no : int
        The title's number.
    """

    def __init__(self, store: ObjectStore, title_no: int) -> None:
        self._store = store
        self._title_no = title_no
        self._known: dict[tuple[str, int], bool] = {}
        self._fragments: dict[tuple[str, ...], bool] = {}

    def snapshot(self, manifest: Manifest) -> bool:
        """Say whether a snapshot names the title, or its files may."""
        return any(self.part(part) for part in manifest.tables.values())

    def part(self, part: TablePart) -> bool:
        """Say whether one version of a table holds rows of the title, deleted ones included, or an index that may.

        Rows that were deleted stay in their fragment until it is written anew, and their words in an index until that
        is made anew: one over fragments that are not there any more, or that have lost rows, is taken to have them.
        """
        key = (part.name, part.version)
        if key not in self._known:
            try:
                dataset = Table(self._store, part.name, {}).open(part.version)
            except VersionGone:
                return False
            self._known[key] = self.rows(dataset, part.name) or _stale_index(dataset)
        return self._known[key]

    def rows(self, dataset: lance.LanceDataset, table: str) -> bool:
        """Say whether a fragment of a version holds a row of the title, deleted or not."""
        return any(self.fragment(dataset, table, fragment) for fragment in dataset.get_fragments())

    def fragment(self, dataset: lance.LanceDataset, table: str, fragment: lance.LanceFragment) -> bool:
        """Say whether a fragment's files hold a row of the title, deleted or not."""
        import polars as pl

        key = (table, *(file.path for file in fragment.metadata.files))
        if key not in self._fragments:
            # Deleted rows come only with their ids, which are null then.
            rows = dataset.scanner(
                columns=["title_no"], fragments=[fragment], include_deleted_rows=True, with_row_id=True
            ).to_table()
            self._fragments[key] = self._title_no in pl.Series(rows["title_no"].to_numpy())
        return self._fragments[key]


def _stale_index(dataset: lance.LanceDataset) -> bool:
    indexes = [index for index in dataset.describe_indices() if index.index_type != _NUMBERS]
    if not indexes:
        return False
    fragments = dataset.get_fragments()
    there = {fragment.fragment_id for fragment in fragments}
    lost = any(fragment.metadata.deletion_file is not None for fragment in fragments)
    return lost or any(set(segment.fragment_ids) - there for index in indexes for segment in index.segments)
