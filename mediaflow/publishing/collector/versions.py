"""What the versions of one table hold: which files would go with some of them, and which are held by none."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from mediaflow.storage import layout
from mediaflow.storage.objects import ObjectInfo, ObjectStore

if TYPE_CHECKING:
    import lance

# Lance deletes what no version holds only once it is so old: it may be of a commit that is being prepared.
UNVERIFIED_MS = 7 * 24 * 3_600_000
_KINDS = ("data/", "_deletions/", "_transactions/", "_indices/")


class Versions:
    """All versions of a table as of one moment, with the files in its folder.

    Parameters
    ----------
    store : ObjectStore
        Where the table is.
    name : str
        Its name.
    dataset : lance.LanceDataset
        Its newest version.
    """

    def __init__(self, store: ObjectStore, name: str, dataset: lance.LanceDataset) -> None:
        self.dataset = dataset
        self.newest = int(dataset.version)
        self._folder = f"{layout.table(name)}/"
        self.numbers = sorted(int(one["version"]) for one in dataset.version_refs())
        self.tags = {tag: int(one["version"]) for tag, one in dataset.tags.list().items()}
        self.files = {info.key.removeprefix(self._folder): info for info in store.list(self._folder)}
        self._held: dict[int, set[str]] = {number: set() for number in self.numbers}
        for batch in dataset.tracked_files():
            for version, path in zip(batch["version"].to_pylist(), batch["path"].to_pylist(), strict=True):
                self._held.setdefault(version, set()).add(path)

    def held(self, versions: Collection[int] | None = None) -> set[str]:
        """Return the paths that some versions hold, or all of them."""
        chosen = self._held if versions is None else versions
        return set().union(*(self._held.get(number, set()) for number in chosen))

    def only_in(self, versions: Collection[int]) -> list[ObjectInfo]:
        """Return the files that go with these versions: held by them and by no other."""
        paths = self.held(versions) - self.held(self._held.keys() - set(versions))
        return [self.files[path] for path in sorted(paths) if path in self.files]

    def orphans(self, now_ms: int) -> list[ObjectInfo]:
        """Return the files that no version holds and that are old enough for Lance to delete them."""
        held = self.held()
        return [
            info
            for path, info in self.files.items()
            if path.startswith(_KINDS) and path not in held and now_ms - info.modified_ms > UNVERIFIED_MS
        ]
