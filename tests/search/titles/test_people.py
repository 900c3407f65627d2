"""Characters and talents: matched by name as people write them, never one for another."""

from __future__ import annotations

import polars as pl
import pytest

from mediaflow.search.titles.names import alike, fold, has_words
from mediaflow.search.titles.people import Cast, voices_of

FOLDED = [
    ("Café  Société", "cafe societe"),
    ("O'Neil-Smith", "o neil smith"),
    ("Łódź", "lodz"),
    ("STRASSE", "strasse"),
    ("Straße", "strasse"),
    ("Ёлка", "елка"),
    ("ガメラ", "ガメラ"),
    ("ＴＥＳＴ", "test"),
    ("...", ""),
]


@pytest.mark.parametrize(("name", "folded"), FOLDED, ids=[name for name, _ in FOLDED])
def test_names_are_folded(name: str, folded: str) -> None:
    assert fold(name) == folded


def test_parts_of_names_are_whole_words() -> None:
    assert has_words("maria rivera", "maria")
    assert has_words("maria rivera", "maria rivera")
    assert not has_words("maria rivera", "mari")
    assert not has_words("maria rivera", "rivera maria")
    assert not has_words("maria rivera", "")


def test_near_names_are_offered() -> None:
    assert alike(["Sintel", "Tears of Steel", "Big Buck Bunny"], "sintl") == ["Sintel"]


SPEAKERS = [
    ("MARIA", "speaks"),
    ("Rivera", "speaks"),
    ("maria rivera", "speaks"),
    ("Maria Rivera (whispering)", "speaks"),
    ("Ann Lee", "speaks"),
    ("Bo", None),
    ("Mar", None),
    ("!?", None),
    ("Narrator", None),
]


@pytest.mark.parametrize(("speaker", "expected"), SPEAKERS, ids=[speaker for speaker, _ in SPEAKERS])
def test_a_speaker_is_matched_with_the_cast(speaker: str, expected: str | None) -> None:
    cast = Cast(people((1, "Ann Lee", "María Rivera"), (1, "Bo Ek", "Captain")))
    for asked in ({"characters": ("rivera",), "talents": ()}, {"characters": (), "talents": ("ann",)}):
        found = voices_of(cast, speakers((1, speaker)), **asked)  # type: ignore[arg-type]
        assert found.cast == {1}
        assert ((1, speaker) in found.speakers) == (expected == "speaks")


def test_a_name_that_two_share_belongs_to_neither_in_part() -> None:
    cast = Cast(people((1, "Ann Lee", "Maria Rivera"), (1, "Cy Dow", "Old Maria")))
    found = voices_of(cast, speakers((1, "MARIA"), (1, "OLD MARIA")), (), ("Ann Lee",))
    assert found.speakers == frozenset()
    assert voices_of(cast, speakers((1, "OLD MARIA")), (), ("Cy",)).speakers == {(1, "OLD MARIA")}


def test_the_same_name_in_another_title_is_somebody_else() -> None:
    cast = Cast(people((1, "Ann Lee", "Eve"), (2, "Bo Ek", "Eve")))
    found = voices_of(cast, speakers((1, "Eve"), (2, "Eve")), (), ("ann lee",))
    assert (found.cast, found.speakers) == ({1}, {(1, "Eve")})


def test_a_character_who_only_speaks_counts() -> None:
    found = voices_of(Cast(people()), speakers((3, "The Guard")), ("guard",), ())
    assert (found.cast, found.titles) == (frozenset(), {3})


def people(*rows: tuple[int, str, str | None]) -> pl.DataFrame:
    schema = {"title_no": pl.Int32, "talent": pl.String, "character": pl.String}
    return pl.DataFrame([list(row) for row in rows], schema=schema, orient="row")


def speakers(*rows: tuple[int, str]) -> pl.DataFrame:
    return pl.DataFrame([list(row) for row in rows], schema={"title_no": pl.Int32, "speaker": pl.String}, orient="row")
