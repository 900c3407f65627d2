"""What each table of the next snapshot is to hold, and which titles differ from what is served; rows are made late."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mediaflow.planning.plan import TitleLike
from mediaflow.planning.stage import TableSpec
from mediaflow.publishing import rows, state
from mediaflow.publishing.committer import Load, Target
from mediaflow.publishing.cut import Cut, Filled, paired
from mediaflow.publishing.served import Current, ServedTitles
from mediaflow.publishing.state import Served
from mediaflow.storage.objects import ObjectStore
from mediaflow.storage.tables import Holding

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
        now, before = cut.titles, served.titles
        # All others are in both, and the same.
        come, gone = set(now).difference(cut.same), set(before).difference(cut.same)
        added, removed = tuple(sorted(come - gone)), tuple(sorted(gone - come))
        both = [title for title in come & gone if state.attempts(now[title]) != state.attempts(before[title])]
        changed = tuple(sorted(title for title in both if _revisions(now[title]) != _revisions(before[title])))
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
        self._numbers = {title.title_id: title.title_no for title in titles}
        if isinstance(served.titles, ServedTitles):
            self._numbers = served.titles.numbers | self._numbers
        self._moved = moves.moved

    def of_table(self, filled: Filled, table: str, spec: TableSpec) -> Target:
        """Return the target of a table of a generation."""
        stage, generation, key = filled.stage.name, filled.generation, filled.key
        wanted = self._wanted(key, lambda of: Holding((of[key].revision,), of[key].rows[spec.part]))

        def load(numbers: Sequence[int]) -> pl.DataFrame:
            return rows.of_stage(self._store, stage, spec.part, self._some(numbers), key)

        manifest = self._served.manifest
        if manifest is not None and manifest.generations.get(stage) == generation:
            return self._target(wanted, load, table, (stage, key), spec.part)
        if manifest is not None and generation in manifest.stages:
            return self._target(wanted, load, table, (paired(stage, generation), key), spec.part)
        return Target(wanted, load)

    def people(self) -> Target:
        """Return the target of `people`."""
        stage, part = "catalogue", "people"
        wanted = self._wanted(stage, lambda of: Holding((of[stage].revision,), of[stage].rows[part]))

        def load(numbers: Sequence[int]) -> pl.DataFrame:
            return rows.of_stage(self._store, stage, part, self._some(numbers), stage)

        return self._target(wanted, load, "people", (stage, stage), part)

    def titles(self) -> Target:
        """Return the target of `titles`, in which every title that has moved in any way has another row."""
        wanted = self._wanted(None, lambda of: Holding((state.attempts(of),), 1))

        def load(numbers: Sequence[int]) -> pl.DataFrame:
            return rows.of_titles(self._store, self._some(numbers))

        if self._served.manifest is None:
            return Target(wanted, load)
        before = sum(title in self._served.titles for title in self._moved)
        changed = self._numbered(self._moved)
        return Target(wanted, load, changed, self._served.manifest.tables["titles"].rows - before)

    def _some(self, numbers: Sequence[int]) -> dict[str, Mapping[str, Served]]:
        return {self._ids[number]: self._cut.titles[self._ids[number]] for number in numbers}

    def _wanted(self, key: str | None, make: Callable[[Mapping[str, Served]], Holding]) -> _Wanted:
        return _Wanted(self._cut.titles, self._ids, self._numbers, key, make)

    def _target(self, wanted: _Wanted, load: Load, table: str, keys: tuple[str, str], part: str) -> Target:
        """Return a target; `keys` name the artifacts behind the table in what is served and in the cut."""
        manifest = self._served.manifest
        if manifest is None or table not in manifest.tables:
            return Target(wanted, load)
        was, now = keys
        before = {title: _entry(self._served.titles.get(title), was, part) for title in self._moved}
        after = {title: _entry(self._cut.titles.get(title), now, part) for title in self._moved}
        changed = [title for title in self._moved if before[title] != after[title]]
        others = manifest.tables[table].rows - sum(before[title][1] for title in changed)
        return Target(wanted, load, self._numbered(changed), others)

    def _numbered(self, titles: Sequence[str]) -> frozenset[int]:
        return frozenset(self._numbers[title] for title in titles)


class _Wanted(Mapping[int, Holding]):
    """What is wanted of each title, worked out when it is asked for: few are, where few have changed."""

    def __init__(
        self,
        titles: Mapping[str, Mapping[str, Served]],
        ids: Mapping[int, str],
        numbers: Mapping[str, int],
        key: str | None,
        make: Callable[[Mapping[str, Served]], Holding],
    ) -> None:
        self._titles = titles
        self._ids = ids
        self._numbers = numbers
        self._key = key
        self._make = make
        self._made: dict[int, Holding] = {}

    def __getitem__(self, number: int) -> Holding:
        if number not in self._made:
            of = self._titles[self._ids[number]]
            if self._key is not None and self._key not in of:
                raise KeyError(number)
            self._made[number] = self._make(of)
        return self._made[number]

    def __iter__(self) -> Iterator[int]:
        return (self._numbers[title] for title, of in self._titles.items() if self._key is None or self._key in of)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _revisions(of: Mapping[str, Served]) -> dict[str, str]:
    return {name: one.revision for name, one in of.items()}


def _entry(of: Mapping[str, Served] | None, key: str, part: str) -> tuple[str, int]:
    """Return the revision of a title's artifact, and the rows of a part of it; no rows are no artifact."""
    one = of.get(key) if of else None
    return (one.revision, one.rows[part]) if one is not None and one.rows[part] else ("", 0)
