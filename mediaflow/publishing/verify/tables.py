"""Tables: a version opens by its tag, every file that it names is there, and all its rows can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediaflow.publishing.verify.problem import Problem
from mediaflow.snapshots.manifest import TablePart
from mediaflow.storage import layout
from mediaflow.storage.commits import VersionGone
from mediaflow.storage.objects import ObjectStore
from mediaflow.storage.tables import Table

if TYPE_CHECKING:
    import lance


class Tables:
    """Looks at versions of tables; files that several of them share are read once.

    Parameters
    ----------
    store : ObjectStore
        Where they are.
    """

    def __init__(self, store: ObjectStore) -> None:
        self.files: set[str] = set()
        self.rows = 0
        self._store = store
        self._known: dict[tuple[str, int, str], list[Problem]] = {}
        self._fragments: dict[tuple[str, ...], int | str] = {}
        self._indexes: dict[tuple[str, ...], str] = {}

    @property
    def count(self) -> int:
        """How many versions were looked at."""
        return len(self._known)

    def problems(self, part: TablePart) -> list[Problem]:
        """Return what is wrong with one version of a table and its tag."""
        key = (part.name, part.version, part.tag)
        if key not in self._known:
            self._known[key] = self._look(part)
        return self._known[key]

    def _look(self, part: TablePart) -> list[Problem]:
        table = Table(self._store, part.name, {})
        try:
            dataset = table.open(part.version)
        except VersionGone:
            return [Problem("version", part.name, f"version {part.version} is gone")]
        found = self._tag(dataset, part)
        try:
            missing = self._missing(dataset, part)
        except (OSError, ValueError) as error:
            return [*found, Problem("file", part.name, f"version {part.version} cannot be read: {_first(error)}")]
        found += [Problem("file", f"{layout.table(part.name)}/{path}", "it is gone") for path in missing]
        return found + self._read(dataset, part) + self._search(dataset, part)

    def _tag(self, dataset: lance.LanceDataset, part: TablePart) -> list[Problem]:
        tag = dataset.tags.list().get(part.tag)
        if tag is None:
            return [Problem("tag", part.name, f"the tag {part.tag} is gone, so the version may be cleaned up")]
        if int(tag["version"]) != part.version:
            return [Problem("tag", part.name, f"{part.tag} stands on version {tag['version']}, not {part.version}")]
        return []

    def _missing(self, dataset: lance.LanceDataset, part: TablePart) -> list[str]:
        """Return the paths of files that the version names and that are not there."""
        named: set[str] = set()
        for batch in dataset.tracked_files():
            of = zip(batch["version"].to_pylist(), batch["path"].to_pylist(), strict=True)
            named |= {path for version, path in of if version == part.version}
        folder = f"{layout.table(part.name)}/"
        there = {info.key.removeprefix(folder) for info in self._store.list(folder)}
        self.files |= {folder + path for path in named}
        return sorted(named - there)

    def _read(self, dataset: lance.LanceDataset, part: TablePart) -> list[Problem]:
        """Read every column of every fragment; Lance's own count is right though a file is gone."""
        rows, found = 0, []
        for fragment in dataset.get_fragments():
            facts = fragment.metadata
            key = (part.name, *(file.path for file in facts.files), str(facts.deletion_file))
            if key not in self._fragments:
                try:
                    self._fragments[key] = sum(len(batch) for batch in fragment.to_batches())
                except (OSError, ValueError) as error:
                    self._fragments[key] = f"fragment {fragment.fragment_id} cannot be read: {_first(error)}"
                else:
                    self.rows += int(self._fragments[key])
            read = self._fragments[key]
            if isinstance(read, str):
                found.append(Problem("file", part.name, read))
            else:
                rows += read
        if not found and rows != part.rows:
            found.append(Problem("rows", part.name, f"version {part.version} has {rows} rows, not {part.rows}"))
        return found

    def _search(self, dataset: lance.LanceDataset, part: TablePart) -> list[Problem]:
        """Load every index."""
        found = []
        for index in dataset.describe_indices():
            key = (part.name, index.name, *(str(segment.uuid) for segment in index.segments))
            if key not in self._indexes:
                try:
                    dataset.prewarm_index(index.name)
                    self._indexes[key] = ""
                except (OSError, ValueError) as error:
                    self._indexes[key] = f"the index {index.name} cannot be read: {_first(error)}"
            if self._indexes[key]:
                found.append(Problem("index", part.name, self._indexes[key]))
        return found


def _first(error: Exception) -> str:
    """Return the first line of an error of Lance, without where in its code it was raised."""
    return str(error).partition("\n")[0].partition(", /")[0]
