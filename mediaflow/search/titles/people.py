"""Characters and talents: who in the cast is meant, and which speakers of the cues are they.

A cue's speaker stands there as its author wrote it ("PROOG", "Maria (off)"). It is matched with the cast of its
title by name, when somebody asks: a changed cast changes the answer without a cue being read again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from mediaflow.search.literals import among, text_literal
from mediaflow.search.titles.names import fold, has_words


@dataclass(frozen=True)
class Voices:
    """Where the people asked for are to be found.

    Attributes
    ----------
    cast : frozenset of int
        Numbers of the titles that have them in the cast.
    speakers : frozenset of (int, str)
        Number of a title and a speaker as written there who is one of them.
    """

    cast: frozenset[int]
    speakers: frozenset[tuple[int, str]]

    @property
    def titles(self) -> frozenset[int]:
        """Numbers of all titles that have them in the cast or in a cue."""
        return self.cast | {number for number, _ in self.speakers}

    @property
    def condition(self) -> str:
        """The condition that a cue is theirs."""
        titles: dict[str, list[int]] = {}
        for title_no, speaker in self.speakers:
            titles.setdefault(speaker, []).append(title_no)
        theirs = (
            f"(speaker = {text_literal(speaker)} AND {among('title_no', numbers)})"
            for speaker, numbers in sorted(titles.items())
        )
        return " OR ".join(theirs) or "false"


class Cast:
    """The people of all titles.

    Parameters
    ----------
    people : pl.DataFrame
        title_no, talent, character (nullable).
    """

    def __init__(self, people: pl.DataFrame) -> None:
        self._people = people

    @cached_property
    def names(self) -> list[str]:
        """All names of characters and talents."""
        names = pl.concat([self._people["character"], self._people["talent"]]).drop_nulls().unique()
        return sorted(names.to_list())

    @cached_property
    def folded(self) -> pl.DataFrame:
        """title_no, character, talent; the names folded, "" where there is none."""
        folded = {name: fold(name) for name in self.names}
        return self._people.select(
            "title_no",
            *(
                pl.col(name).replace_strict(folded, default="", return_dtype=pl.String)
                for name in ("character", "talent")
            ),
        )

    def having(self, characters: Iterable[str], talents: Iterable[str]) -> pl.DataFrame:
        """Return the folded rows whose character and talent fit; an empty list of names fits everybody."""
        conditions = [
            pl.col(column).is_in([name for name in self.folded[column].unique().to_list() if _fits(name, wanted)])
            for column, wanted in (("character", list(characters)), ("talent", list(talents)))
            if wanted
        ]
        return self.folded.filter(*conditions)


def voices_of(cast: Cast, speakers: pl.DataFrame, characters: tuple[str, ...], talents: tuple[str, ...]) -> Voices:
    """Find the people asked for in the cast and among the speakers.

    Parameters
    ----------
    cast : Cast
        The cast of all titles.
    speakers : pl.DataFrame
        title_no and speaker as written, without repetition.
    characters, talents : tuple of str
        Names or parts of names; where both are given, one person of the cast must fit both.
    """
    folded = {name: fold(name) for name in speakers["speaker"].unique().to_list()}
    wanted = cast.having(characters, talents)
    in_cast = frozenset(wanted["title_no"].to_list())
    found: set[tuple[int, str]] = set()
    if not (characters and talents):
        named = [name for name, plain in folded.items() if _fits(plain, [*characters, *talents])]
        found.update(speakers.filter(pl.col("speaker").is_in(named)).select("title_no", "speaker").iter_rows())
    members = _by_title(cast.folded.filter(pl.col("title_no").is_in(sorted(in_cast))))
    meant = {number: set(rows) for number, rows in _by_title(wanted).items()}
    heard = speakers.filter(pl.col("title_no").is_in(sorted(in_cast))).select("title_no", "speaker")
    for number, speaker in heard.iter_rows():
        if set(_speaking(folded[speaker], members[number])) & meant[number]:
            found.add((number, speaker))
    return Voices(in_cast, frozenset(found))


def _speaking(speaker: str, members: list[tuple[str, str]]) -> list[tuple[str, str]]:
    # A whole name decides; a part of one ("Maria" of "Maria Rivera") only where one member alone has it.
    if not speaker:
        return []
    whole = [member for member in members if speaker in member]
    if whole:
        return whole
    part = [
        member for member in members if any(has_words(name, speaker) or has_words(speaker, name) for name in member)
    ]
    return part if len(part) == 1 else []


def _by_title(rows: pl.DataFrame) -> dict[int, list[tuple[str, str]]]:
    grouped: dict[int, list[tuple[str, str]]] = {}
    for number, character, talent in rows.select("title_no", "character", "talent").iter_rows():
        grouped.setdefault(number, []).append((character, talent))
    return grouped


def _fits(folded_name: str, wanted: Iterable[str]) -> bool:
    return any(has_words(folded_name, fold(one)) for one in wanted)
