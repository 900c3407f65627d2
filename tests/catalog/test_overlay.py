"""`title.json`: typed, checked field by field, and stronger than all else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaflow.catalog.overlay import TitleFile, parse_overlay
from mediaflow.catalog.records import CatalogueEntry, Person
from tests.catalog.library import Library

GOOD: dict[str, Any] = {
    "title": "Seen",
    "year": None,
    "genres": ["Crime", "Drama", "Crime"],
    "languages": ["eng", "pt-br"],
    "people": [{"talent": "Ann", "character": "Cop"}, {"talent": "Bob"}],
    "fields": {"seen": True, "stars": 4, "score": 0.5, "shelf": "B2", "tags": ["x", "y"]},
}


def test_wins_field_by_field(library: Library) -> None:
    library.write("Film (1999)/Film (1999).mkv")
    library.write(
        "Film (1999)/movie.nfo",
        "<movie><title>Named</title><plot>Kept.</plot><genre>War</genre><actor><name>Old</name></actor></movie>",
    )
    library.write("Film (1999)/title.json", json.dumps(GOOD))
    library.refresh()
    (record,) = library.catalog.present()
    entry = record.entry
    assert (entry.title, entry.year, entry.plot, entry.kind) == ("Seen", None, "Kept.", "movie")
    assert (entry.genres, entry.languages) == (("Crime", "Drama"), ("en", "pt-BR"))
    assert entry.people == (Person("Ann", "Cop", 0), Person("Bob", None, 1))
    assert entry.fields == GOOD["fields"]
    assert [type(value) for value in entry.fields.values()] == [bool, int, float, str, list]


def test_by_the_videos_name_in_a_shared_folder(library: Library) -> None:
    library.write("a.mp4")
    library.write("b.mp4")
    library.write("b.json", '{"title": "Bee", "kind": "episode", "series": "Insects", "season": 2, "episode": 3}')
    library.refresh()
    assert library.ids() == {"a.mp4": "a", "b.mp4": "insects-s02e03"}


def test_what_is_called_a_film_has_no_episode_number_from_its_name(library: Library) -> None:
    library.write("Odd 1x02.mp4")
    library.write("Odd 1x02.json", '{"kind": "movie", "title": "Odd", "series": "Odd Films"}')
    library.refresh()
    entry = library.title("odd").entry
    assert (entry.kind, entry.series, entry.season, entry.episode) == ("movie", "Odd Films", None, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", " \u0001 "),
        ("title", None),
        ("year", True),
        ("year", 99999),
        ("genres", "Crime"),
        ("genres", [1]),
        ("languages", ["English please"]),
        ("kind", "film"),
        ("people", [{"name": "Ann"}]),
        ("people", ["Ann"]),
        ("fields", [1]),
        ("season", -1),
        ("plot", 3),
        ("custom", "x"),
    ],
)
def test_a_wrong_field_is_left_out_and_the_others_stand(field: str, value: Any) -> None:
    facts, problems = parse_overlay(json.dumps({"original_title": "Right", field: value}).encode())
    assert facts == {"original_title": "Right"}
    assert len(problems) == 1
    assert field in problems[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [("Bad Name", 1), ("a", None), ("a", {"b": 1}), ("a", [1]), ("a", 2**63), ("a", [["x"]]), ("", 1)],
)
def test_a_wrong_custom_field_is_left_out_alone(name: str, value: Any) -> None:
    facts, problems = parse_overlay(json.dumps({"fields": {name: value, "good": 1}}).encode())
    assert facts == {"fields": {"good": 1}}
    assert len(problems) == 1


def test_characters_that_no_text_has_are_taken_out() -> None:
    facts, problems = parse_overlay(json.dumps({"title": "A\x00B", "plot": "\ud800", "genres": ["\x01"]}).encode())
    assert (facts, problems) == ({"title": "A B", "plot": None, "genres": ()}, [])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*TitleFile.model_fields, "x"]), inner),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from([*TitleFile.model_fields, "x"]), JSON))
def test_whatever_stands_in_it_what_is_taken_is_an_entry(value: dict[str, Any]) -> None:
    facts, problems = parse_overlay(json.dumps(value).encode())
    assert not problems or all(problems)
    people = tuple(Person(*person) for person in facts.pop("people", ()))
    entry = CatalogueEntry(**{"title": "t", **facts}, people=people)
    assert CatalogueEntry.from_json(json.loads(json.dumps(entry.to_json()))).revision() == entry.revision()


@pytest.mark.parametrize("text", ['{"fields": {"a": NaN}}', '{"fields": {"a": -Infinity}}', '{"fields": {"a": 1e999}}'])
def test_numbers_that_are_none(text: str) -> None:
    facts, problems = parse_overlay(text.encode())
    assert not facts.get("fields")
    assert len(problems) == 1
