"""Filters and people: which titles may answer, before anything is searched, and who is said to speak."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediaflow.errors import UsageError
from mediaflow.search.gateway import Gateway
from mediaflow.search.query import (
    Dialogue,
    Filters,
    Query,
    SimilarToShot,
    Visual,
)
from mediaflow.storage.objects import FolderStore
from tests.search.harbour import ask, moments
from tests.search.world import (
    World,
    shot,
)

FILTERS = [
    ({"titles": ("harbour",)}, {"harbour"}),
    ({"titles": ("HARBOUR", "meadow")}, {"harbour", "meadow"}),
    ({"genres": ("drama",)}, {"harbour"}),
    ({"genres": ("sci fi",)}, {"harbour"}),
    ({"genres": ("comedie",)}, {"meadow"}),
    ({"years": ((1994, 1994),)}, {"harbour"}),
    ({"years": ((2000, None),)}, {"meadow", "night-shift-s01e02"}),
    ({"years": ((None, 1999), (2010, 2010))}, {"harbour", "night-shift-s01e02"}),
    ({"series": ("night shift",)}, {"night-shift-s01e02"}),
    ({"series": ("night shift",), "seasons": (2,)}, set()),
    ({"seasons": (1,)}, {"night-shift-s01e02"}),
    ({"kinds": ("movie",)}, {"harbour", "meadow"}),
    ({"genres": ("drama",), "years": ((2001, 2001),)}, set()),
    ({"characters": ("strom",)}, {"harbour"}),
    ({"characters": ("maria",)}, {"harbour", "meadow", "night-shift-s01e02"}),
    ({"talents": ("ann lee",)}, {"harbour", "meadow"}),
    ({"talents": ("ann",), "characters": ("maria",)}, {"harbour"}),
    ({"talents": ("bo",), "genres": ("drama",)}, {"harbour"}),
    ({"talents": ("bo", "cy")}, {"harbour", "meadow", "night-shift-s01e02"}),
]


@pytest.mark.parametrize(("filters", "expected"), FILTERS, ids=[str(filters) for filters, _ in FILTERS])
def test_filters_leave_the_titles_that_fit(gateway: Gateway, filters: dict[str, object], expected: set[str]) -> None:
    assert {hit.title_id for hit in ask(gateway, Dialogue("hello"), **filters)} == expected


def test_filters_come_before_the_search(tmp_path: Path) -> None:
    """The only fitting row is the worst of more rows than a search ever brings."""
    world = World(FolderStore(tmp_path))
    world.title("crowd")
    world.title("lonely")
    world.visual(*(shot("crowd", at, at + 1, "red") for at in range(1500)), shot("lonely", 0, 9, "blue"))
    hits = list(world.gateway().search(Query((Visual("red"),), Filters(titles=("lonely",)))))
    assert moments(hits) == [("lonely", 0, 9)]


def test_a_hit_says_whether_a_character_speaks_or_is_in_the_cast(gateway: Gateway) -> None:
    hits = ask(gateway, Dialogue("hello"), characters=("MARIA",))
    said = {(hit.title_id, hit.start_ms): hit.match for hit in hits}
    assert said == {
        ("harbour", 4000): "speaks",
        ("harbour", 8000): "in cast",
        ("meadow", 1000): "in cast",
        ("night-shift-s01e02", 100): "speaks",
    }
    assert [hit.match for hit in hits] == ["speaks", "speaks", "in cast", "in cast"]
    assert {hit.as_json()["match"] for hit in hits} == {"speaks", "in cast"}


def test_a_talent_speaks_where_their_character_does(gateway: Gateway) -> None:
    hits = ask(gateway, Dialogue("hello"), talents=("Ann Lee",))
    said = {(hit.title_id, hit.start_ms): hit.match for hit in hits}
    assert said == {("harbour", 4000): "speaks", ("harbour", 8000): "in cast", ("meadow", 1000): "speaks"}


def test_shots_of_a_title_with_the_character_are_in_cast(gateway: Gateway) -> None:
    hits = ask(gateway, Visual("red"), characters=("maria",))
    assert {hit.title_id: hit.match for hit in hits} == {
        "harbour": "in cast",
        "meadow": "in cast",
        "night-shift-s01e02": None,
    }


def test_an_unknown_name_is_noted_with_what_may_have_been_meant(gateway: Gateway) -> None:
    for filters, near in [
        (Filters(characters=("Mariah Rivera",)), "did you mean Maria Rivera"),
        (Filters(genres=("Dramma",)), "did you mean Drama"),
        (Filters(series=("Knight Shift",)), "did you mean Night Shift"),
    ]:
        results = gateway.search(Query((Dialogue("hello"),), filters))
        assert not results.hits
        assert near in results.notes[0]


def test_an_unknown_title_is_an_error_with_what_may_have_been_meant(gateway: Gateway) -> None:
    with pytest.raises(UsageError, match=r"no title 'harbor'.*did you mean harbour"):
        ask(gateway, Dialogue("hello"), titles=("harbor",))
    with pytest.raises(UsageError, match=r"no title 'zzz'.*mediaflow titles"):
        ask(gateway, SimilarToShot("zzz", 0))


def test_a_shot_of_several_titles_or_beyond_the_end_is_an_error(tmp_path: Path, gateway: Gateway) -> None:
    world = World(FolderStore(tmp_path))
    world.title("dune-1984", title="Dune")
    world.title("dune-2021", title="Dune")
    world.visual(shot("dune-1984", 0, 9, "red"))
    with pytest.raises(UsageError, match=r"2 titles fit 'dune'.*dune-1984, dune-2021"):
        world.gateway().search(Query((SimilarToShot("dune", 0),)))
    for time_ms in (10_000, -1, 10**20, -(10**20)):
        with pytest.raises(UsageError, match=rf"no shot at {time_ms / 1000:.3f} s"):
            ask(gateway, SimilarToShot("harbour", time_ms))
