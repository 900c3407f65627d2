"""What each table of the next snapshot is to hold, and which titles differ from what is served; rows are made late."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mediaflow.planning.plan import TitleLike
from mediaflow.planning.stage import TableSpec
from mediaflow.publishing.committer import Target, Wanted
from mediaflow.publishing.cut import Cut, Filled, Served, paired
from mediaflow.publishing.rows import people_rows, title_row
from mediaflow.publishing.served import Current
from mediaflow.storage import artifacts
from mediaflow.storage.objects import ObjectStore

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Moves:
    """Titles of which a cut says something else than what is served.

    Attributes
    ----------
    added, changed, removed : tuple of str
        Titles that come, whose revisions differ, and that go, in order.
    moved : tuple of str
        All these, and the titles whose artifacts were made anew and came out with the same revisions.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    moved: tuple[str, ...]

    @classmethod
    def between(cls, served: Current, cut: Cut) -> Moves:
        """Compare a cut with what is served."""
        added = tuple(sorted(cut.titles.keys() - served.titles.keys()))
        removed = tuple(sorted(served.titles.keys() - cut.titles.keys()))
        both = [
            title for title, of in cut.titles.items() if title in served.titles and not _same(of, served.titles[title])
        ]
        changed = tuple(
            sorted(title for title in both if _revisions(cut.titles[title]) != _revisions(served.titles[title]))
        )
        return cls(added, changed, removed, (*added, *removed, *both))


class Targets:
    """The targets of all tables for one cut.

    Parameters
    ----------
    store : ObjectStore
        Where the artifacts are.
    cut : Cut
        What is to be served.
    titles : Sequence[TitleLike]
        The titles present.
    served : Current
        What is served.
    moves : Moves
        How the two differ.
    """

    def __init__(
        self, store: ObjectStore, cut: Cut, titles: Sequence[TitleLike], served: Current, moves: Moves
    ) -> None:
        self._store = store
        self._cut = cut
        self._served = served
        self._ids = {title.title_no: title.title_id for title in titles}
        self._numbers = served.numbers | {title.title_id: title.title_no for title in titles}
        self._moved = moves.moved

    def of_table(self, filled: Filled, table: str, spec: TableSpec) -> Target:
        """Return the target of a table of a generation."""
        stage, generation = filled.stage.name, filled.generation

        def make(title_id: str, one: Served) -> Wanted:
            def load() -> pl.DataFrame:
                return artifacts.read(self._store, stage, title_id, one.revision, one.attempt, spec.part)

            return Wanted(one.revision, one.rows[spec.part], load)

        wanted = self._wanted(filled.key, make)
        manifest = self._served.manifest
        if manifest is not None and manifest.generations.get(stage) == generation:
            return self._target(wanted, table, (stage, filled.key), spec.part)
        if manifest is not None and generation in manifest.stages:
            return self._target(wanted, table, (paired(stage, generation), filled.key), spec.part)
        return Target(wanted)

    def people(self) -> Target:
        """Return the target of `people`."""
        wanted = self._wanted("catalogue", lambda title, _: people_rows(self._store, title, self._cut.titles[title]))
        return self._target(wanted, "people", ("catalogue", "catalogue"), "people")

    def titles(self) -> Target:
        """Return the target of `titles`, in which every title that has moved in any way has another row."""
        wanted = self._wanted(None, lambda title, _: title_row(self._store, title, self._cut.titles[title]))
        if self._served.manifest is None:
            return Target(wanted)
        before = sum(title in self._served.titles for title in self._moved)
        return Target(wanted, self._numbered(self._moved), self._served.manifest.tables["titles"].rows - before)

    def _wanted(self, key: str | None, make: Callable[[str, Any], Wanted]) -> _Rows:
        return _Rows(self._cut.titles, self._ids, self._numbers, key, make)

    def _target(self, wanted: _Rows, table: str, keys: tuple[str, str], part: str) -> Target:
        """Return a target; `keys` name the artifacts behind the table in what is served and in the cut."""
        manifest = self._served.manifest
        if manifest is None or table not in manifest.tables:
            return Target(wanted)
        was, now = keys
        before = {title: _entry(self._served.titles.get(title), was, part) for title in self._moved}
        after = {title: _entry(self._cut.titles.get(title), now, part) for title in self._moved}
        changed = [title for title in self._moved if before[title] != after[title]]
        return Target(
            wanted, self._numbered(changed), manifest.tables[table].rows - sum(before[title][1] for title in changed)
        )

    def _numbered(self, titles: Sequence[str]) -> frozenset[int]:
        return frozenset(self._numbers[title] for title in titles)


class _Rows(Mapping[int, Wanted]):
    """What is wanted of each title, made when it is asked for: few are, where few have changed."""

    def __init__(
        self,
        titles: Mapping[str, Mapping[str, Served]],
        ids: Mapping[int, str],
        numbers: Mapping[str, int],
        key: str | None,
        make: Callable[[str, Any], Wanted],
    ) -> None:
        self._titles = titles
        self._ids = ids
        self._numbers = numbers
        self._key = key
        self._make = make

    def __getitem__(self, number: int) -> Wanted:
        title = self._ids[number]
        of = self._titles[title]
        return self._make(title, of[self._key] if self._key is not None else None)

    def __iter__(self) -> Iterator[int]:
        return (self._numbers[title] for title, of in self._titles.items() if self._key is None or self._key in of)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _revisions(of: Mapping[str, Served]) -> dict[str, str]:
    return {name: one.revision for name, one in of.items()}


def _same(of: Mapping[str, Served], before: Mapping[str, Served]) -> bool:
    """Say whether a title's artifacts are those of before; an attempt's name is given once, and its rows stay."""
    if of is before:
        return True
    if of.keys() != before.keys():
        return False
    return all(
        one.attempt == before[name].attempt and one.revision == before[name].revision for name, one in of.items()
    )


def _entry(of: Mapping[str, Served] | None, key: str, part: str) -> tuple[str, int]:
    """Return the revision of a title's artifact, and the rows of a part of it; no rows are no artifact."""
    one = of.get(key) if of else None
    return (one.revision, one.rows[part]) if one is not None and one.rows[part] else ("", 0)
