"""Titles and people of a snapshot, held in memory, and the filters resolved against them to numbers of titles.

For who may not see all titles, there are no others: every name, note and number is of what they may see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from mediaflow.errors import UsageError
from mediaflow.search.query import Filters
from mediaflow.search.titles.names import alike, fold, has_words
from mediaflow.search.titles.people import Cast, Voices, voices_of
from mediaflow.snapshots.reader import SnapshotReader

_TITLES = (
    *("title_no", "title_id", "title", "kind", "year", "genres", "languages", "series", "season", "episode"),
    "duration_ms",
)
_PEOPLE = ("title_no", "talent", "character")


@dataclass(frozen=True)
class Selection:
    """The titles that may answer.

    Attributes
    ----------
    title_nos : frozenset of int, or None
        Their numbers; None stands for all.
    voices : Voices, or None
        Where a character or talent is asked for: whose cues are theirs, and which titles have them in the cast.
    notes : tuple of str
        Sentences about filters that nothing in the snapshot fits.
    """

    title_nos: frozenset[int] | None = None
    voices: Voices | None = None
    notes: tuple[str, ...] = ()


class Catalogue:
    """The small tables of a snapshot, read once.

    Parameters
    ----------
    reader : SnapshotReader
        The snapshot.
    speakers : callable
        Gives the speakers of all cues as a frame (title_no Int32, speaker String); called only for filters on
        characters and talents.
    allowed : frozenset of str, optional
        Ids of the titles that may be seen; None stands for all.
    """

    def __init__(
        self,
        reader: SnapshotReader,
        speakers: Callable[[], pl.DataFrame],
        allowed: frozenset[str] | None = None,
    ) -> None:
        self._reader = reader
        self._speakers = speakers
        self.allowed = allowed

    @cached_property
    def titles(self) -> pl.DataFrame:
        """One row a title, ordered by number."""
        table = self._reader.table("titles").to_table(columns=list(_TITLES))
        titles = pl.DataFrame(pl.from_arrow(table)).sort("title_no")
        return titles if self.allowed is None else titles.filter(pl.col("title_id").is_in(sorted(self.allowed)))

    @cached_property
    def numbers(self) -> frozenset[int] | None:
        """Numbers of the titles that may be seen; None stands for all."""
        return None if self.allowed is None else frozenset(self.titles["title_no"].to_list())

    @cached_property
    def cast(self) -> Cast:
        """The cast of all titles."""
        people = pl.DataFrame(pl.from_arrow(self._reader.table("people").to_table(columns=list(_PEOPLE))))
        return Cast(self._seen(people))

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return dict(zip(self.titles["title_id"].to_list(), self.titles["title_no"].to_list(), strict=True))

    @cached_property
    def _folded_titles(self) -> list[str]:
        return [fold(name) for name in self.titles["title"].to_list()]

    def number(self, title_id: str) -> int | None:
        """Return the number of a title; None where there is none of that id."""
        return self._numbers.get(title_id)

    def title_numbers(self, wanted: str) -> list[int]:
        """Return the numbers of the titles with that id, or that name, or those words in the name.

        Raises
        ------
        UsageError
            Where there is none.
        """
        if wanted in self._numbers:
            return [self._numbers[wanted]]
        folded, numbers = fold(wanted), self.titles["title_no"].to_list()
        names = list(zip(numbers, self._folded_titles, strict=True))
        found = [number for number, name in names if name == folded and folded]
        found = found or [number for number, name in names if has_words(name, folded)]
        if not found:
            near = alike([*self._numbers, *self.titles["title"].to_list()], wanted)
            hint = f"did you mean {' or '.join(near)}?" if near else "'mediaflow titles' lists them all."
            raise UsageError(f"There is no title {wanted!r} in this library; {hint}", title=wanted)
        return found

    def one_title(self, wanted: str) -> int:
        """Return the number of the one title that is meant; `UsageError` where several are."""
        found = self.title_numbers(wanted)
        if len(found) > 1:
            ids = self.titles.filter(pl.col("title_no").is_in(found))["title_id"].to_list()
            raise UsageError(
                f"{len(ids)} titles fit {wanted!r}; give the id of one: {', '.join(ids[:8])}.", title=wanted
            )
        return found[0]

    def select(self, filters: Filters) -> Selection:
        """Resolve filters to the titles that fit all of them."""
        notes: list[str] = []
        conditions = self._conditions(filters, notes)
        chosen = frozenset(self.titles.filter(*conditions)["title_no"].to_list()) if conditions else self.numbers
        if not (filters.characters or filters.talents):
            return Selection(chosen, None, tuple(notes))
        voices = self.voices(filters.characters, filters.talents)
        if not voices.titles:
            wanted = [*filters.characters, *filters.talents]
            near = [name for one in wanted for name in alike(self.cast.names, one)]
            hint = f" (did you mean {' or '.join(near)}?)" if near else ""
            notes.append(f"Nobody called {' or '.join(wanted)} is in a cast, nor speaks{hint}.")
        return Selection(voices.titles if chosen is None else voices.titles & chosen, voices, tuple(notes))

    def voices(self, characters: tuple[str, ...], talents: tuple[str, ...]) -> Voices:
        """Return where people are to be found; see `mediaflow.search.titles.people.voices_of`."""
        return voices_of(self.cast, self._seen(self._speakers()), characters, talents)

    def _seen(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows of titles that may be seen."""
        return (
            rows if self.allowed is None else rows.filter(pl.col("title_no").is_in(self.titles["title_no"].implode()))
        )

    def _conditions(self, filters: Filters, notes: list[str]) -> list[pl.Expr]:
        conditions: list[pl.Expr] = []
        if filters.titles:
            numbers = {number for wanted in filters.titles for number in self.title_numbers(wanted)}
            conditions.append(pl.col("title_no").is_in(sorted(numbers)))
        if filters.series:
            names = self._named("series", self.titles["series"], filters.series, notes)
            conditions.append(pl.col("series").is_in(names))
        if filters.genres:
            names = self._named("genre", self.titles["genres"].explode(empty_as_null=False), filters.genres, notes)
            conditions.append(pl.any_horizontal(pl.lit(False), *(pl.col("genres").list.contains(n) for n in names)))
        if filters.seasons:
            conditions.append(pl.col("season").is_in(list(filters.seasons)))
        if filters.years:
            conditions.append(pl.any_horizontal(*(_within(first, last) for first, last in filters.years)))
        if filters.kinds:
            conditions.append(pl.col("kind").is_in(list(filters.kinds)))
        if filters.languages:
            tags = pl.col("languages").list.eval(pl.any_horizontal(*map(_of_language, filters.languages)))
            conditions.append(tags.list.any())
        return conditions

    def _named(self, what: str, column: pl.Series, wanted: Iterable[str], notes: list[str]) -> list[str]:
        names = [name for name in column.unique().to_list() if name]
        folded = {name: fold(name) for name in names}
        found: list[str] = []
        for one in wanted:
            same = [name for name in names if folded[name] == fold(one)]
            same = same or [name for name in names if has_words(folded[name], fold(one))]
            if not same:
                near = alike(names, one)
                hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(sorted(names)[:8])}."
                notes.append(f"No title has the {what} {one!r}; {hint if names else f'none has a {what}.'}")
            found += same
        return found


def _of_language(wanted: str) -> pl.Expr:
    tag, folded = pl.element().str.to_lowercase(), wanted.lower()
    return (tag == folded) | tag.str.starts_with(f"{folded}-")


def _within(first: int | None, last: int | None) -> pl.Expr:
    year = pl.col("year")
    return (year >= (first if first is not None else -(2**31))) & (year <= (last if last is not None else 2**31 - 1))
