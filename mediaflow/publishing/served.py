"""What the current release serves: its manifest, and the artifacts of every title, read once a snapshot."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mediaflow.errors import SystemFault
from mediaflow.publishing import state
from mediaflow.publishing.state import Served
from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.reader import Releases, SnapshotReader, UnknownSnapshot
from mediaflow.storage.objects import ObjectStore

if TYPE_CHECKING:
    import lance

# One look at the table for so small a share of the titles is cheaper than reading all of it.
_FEW = 8
# What titles are served with: by title_id and stage.
Titles = Mapping[str, Mapping[str, Served]]


class Artifacts(Mapping[str, Served]):
    """The artifacts of one title by stage, read when they are asked for: few are, as few titles change."""

    __slots__ = ("_read", "_title", "_titles")

    def __init__(self, titles: ServedTitles, title: str) -> None:
        self._titles = titles
        self._title = title
        self._read: dict[str, Served] | None = None

    def __getitem__(self, stage: str) -> Served:
        return self._all()[stage]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())

    def _all(self) -> dict[str, Served]:
        if self._read is None:
            self._read = state.read(self._titles.text(self._title))
        return self._read


class ServedTitles(Titles):
    """The titles that a snapshot serves; what each is served with is read late.

    Attributes
    ----------
    numbers : dict[str, int]
        `title_no` by title_id.
    attempts : polars.DataFrame
        title_id, title_no, attempts (as `state.attempts` says): what tells without more reading which titles are
        served as they should be.
    """

    def __init__(self, titles: lance.LanceDataset) -> None:
        import polars as pl

        rows = pl.DataFrame(titles.to_table(columns=["title_id", "title_no", "revision"]))
        self.attempts = rows.rename({"revision": "attempts"})
        self.numbers: dict[str, int] = dict(zip(rows["title_id"].to_list(), rows["title_no"].to_list(), strict=True))
        self._artifacts: dict[str, Artifacts] = {}
        self._dataset = titles
        self._texts: dict[str, str] = {}

    def __getitem__(self, title: str) -> Mapping[str, Served]:
        if title not in self._artifacts:
            if title not in self.numbers:
                raise KeyError(title)
            self._artifacts[title] = Artifacts(self, title)
        return self._artifacts[title]

    def __contains__(self, title: object) -> bool:
        return title in self.numbers

    def __iter__(self) -> Iterator[str]:
        return iter(self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    def with_others(self, same: set[str], others: Titles) -> Titles:
        """Return some of these titles as they are, and others."""
        return _Overlaid(self, same, others)

    def text(self, title: str) -> str:
        """Return what a title is served with, as it is written in the table; all titles' are read for that."""
        if title not in self._texts:
            self._read(None)
        return self._texts[title]

    def fetch(self, titles: Collection[str]) -> None:
        """Read now what some titles are served with: those of them that are served."""
        missing = {title for title in titles if title in self.numbers and title not in self._texts}
        if missing and _FEW * len(missing) <= len(self):
            self._read([at for at, title in enumerate(self.numbers) if title in missing])

    def _read(self, at: list[int] | None) -> None:
        """Read of the rows at some places, in the order in which they were read before, or of all."""
        columns = ["title_id", "served"]
        try:
            rows = self._dataset.to_table(columns=columns) if at is None else self._dataset.take(at, columns=columns)
        except (OSError, ValueError) as error:
            raise SystemFault(
                f"What is served cannot be read, as its table of titles has gone ({error}): publish again.",
                table="titles",
            ) from error
        self._texts |= zip(rows["title_id"].to_pylist(), rows["served"].to_pylist(), strict=True)


class _Overlaid(Titles):
    """Titles as they are served, and others in the place of the rest."""

    def __init__(self, served: ServedTitles, same: set[str], others: Titles) -> None:
        self._served, self._same, self._others = served, same, others

    def __getitem__(self, title: str) -> Mapping[str, Served]:
        return self._served[title] if title in self._same else self._others[title]

    def __contains__(self, title: object) -> bool:
        return title in self._same or title in self._others

    def __iter__(self) -> Iterator[str]:
        return itertools.chain(self._same, self._others)

    def __len__(self) -> int:
        return len(self._same) + len(self._others)


@dataclass(frozen=True)
class Current:
    """What the current release serves.

    Attributes
    ----------
    number, epoch, held
        The release; 0 where there is none.
    manifest : Manifest or None
        Its snapshot.
    titles : Mapping
        By title_id and stage, what is served; `ServedTitles` where anything is.
    """

    number: int = 0
    epoch: int = 0
    held: bool = False
    manifest: Manifest | None = None
    titles: Titles = field(default_factory=dict)


class ServedMemory:
    """Remembers what the snapshot serves that was read last; snapshots never change."""

    def __init__(self) -> None:
        self._last: Current | None = None

    def read(self, store: ObjectStore, releases: Releases) -> Current:
        """Return what the newest release serves."""
        newest = releases.newest()
        if newest is None:
            return Current()
        last = self._last
        if last is None or last.manifest is None or last.manifest.id != newest.snapshot:
            try:
                manifest = releases.manifest(newest.snapshot)
            except UnknownSnapshot:
                if releases.tip() == newest.n:
                    raise
                # Another snapshot has become current since the log was read, and this one was collected.
                return self.read(store, releases)
            titles = ServedTitles(SnapshotReader(store, manifest, newest.n).table("titles"))
            last = self._last = Current(manifest=manifest, titles=titles)
        return replace(last, number=newest.n, epoch=newest.epoch, held=newest.held)
