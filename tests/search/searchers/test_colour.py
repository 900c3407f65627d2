"""Colours are found by a name, or by their likeness to #rrggbb; other labels keep to what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from mediaflow.algorithms.palette import OKLAB, oklab
from mediaflow.errors import UsageError
from mediaflow.search.gateway import Gateway
from mediaflow.search.query import AllOf, Filters, Not, Query, Where
from mediaflow.search.searchers.colour import REACH, ColourSearcher, colour_of
from mediaflow.storage.objects import FolderStore
from tests.search.harbour import ask, moments
from tests.search.world import LABEL, World

PLACES = dict.fromkeys(OKLAB, pl.Float32)
# By title and start: the colours of a shot, with their names and shares.
SHOTS = {
    ("harbour", 0): [("#aa2200", "red", 0.5), ("#101010", "black", 0.4)],
    ("harbour", 1000): [("#b03010", "red", 0.9)],
    ("meadow", 0): [("#aa2200", "red", 0.2), ("#30a040", "green", 0.7)],
    ("meadow", 1000): [("#e0b0a0", "pink", 0.9)],
}


def row(title_id: str, start_ms: int, code: str, label: str, share: float) -> dict[str, object]:
    place = oklab(np.array(list(bytes.fromhex(code[1:])), np.uint8))
    found = {"title_id": title_id, "start_ms": start_ms, "end_ms": start_ms + 1000, "label": label, "confidence": share}
    return found | dict(zip(OKLAB, place.tolist(), strict=True))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(FolderStore(Path(tmp_path_factory.mktemp("colours"))))
    world.title("harbour", year=1990)
    world.title("meadow", year=2000)
    rows = [row(*shot, *colour) for shot, colours in SHOTS.items() for colour in colours]
    world.algorithm("palette", "label", {**LABEL, **PLACES}, rows, OKLAB)
    plain = [{"title_id": "meadow", "start_ms": 0, "end_ms": 9, "label": "#aa2200", "confidence": 1.0}]
    world.algorithm("tags", "label", LABEL, plain)
    return world


@pytest.fixture(scope="module")
def colours(world: World) -> Gateway:
    return world.gateway()


def test_a_colour_finds_what_is_near_it_by_share_and_distance(colours: Gateway) -> None:
    hits = ask(colours, Where("palette", " #AA2200 "))
    distance = np.linalg.norm(np.subtract(colour_of("#aa2200"), colour_of("#b03010")))
    assert 0.02 < distance < REACH / 2
    assert [hit.score for hit in hits] == pytest.approx([0.9 * (1 - distance / REACH), 0.5, 0.2], abs=1e-5)
    assert moments(hits) == [("harbour", 1000, 2000), ("harbour", 0, 1000), ("meadow", 0, 1000)]
    assert [source.text for source in hits[0].sources] == ["red"]


def test_a_name_finds_the_label(colours: Gateway) -> None:
    assert moments(ask(colours, Where("palette", "Green"))) == [("meadow", 0, 1000)]
    assert moments(ask(colours, Where("palette", "pink"))) == [("meadow", 1000, 2000)]


def test_filters_limits_and_other_clauses_hold(colours: Gateway) -> None:
    clause = Where("palette", "#aa2200")
    assert moments(ask(colours, clause, years=((2000, 2000),))) == [("meadow", 0, 1000)]
    assert moments(list(colours.search(Query((clause,), Filters(), limit=1)))) == [("harbour", 1000, 2000)]
    without_green = AllOf((clause, Not(Where("palette", "#30a040"))))
    assert {hit.title_id for hit in ask(colours, without_green)} == {"harbour"}


def test_where_there_are_no_places_a_label_is_a_label(colours: Gateway) -> None:
    assert moments(ask(colours, Where("tags", "#AA2200"))) == [("meadow", 0, 9)]


@pytest.mark.parametrize("code", ["#", "#aa22", "#aa22000", "#gg2200", "# aa2200", "#٣٣٣٣٣٣"])
def test_what_is_no_colour_gets_a_sentence(colours: Gateway, code: str) -> None:
    with pytest.raises(UsageError, match="is no colour; write #rrggbb, such as #aa2200"):
        ask(colours, Where("palette", code))


def test_matches_are_those_of_a_plain_comparison(world: World) -> None:
    generator = np.random.default_rng(3)
    rows = []
    for number in range(2_000):
        place = generator.uniform((0.2, -0.2, -0.2), (0.9, 0.2, 0.2))
        rows.append(
            {"title_id": "meadow", "start_ms": number, "end_ms": number + 1, "label": "x", "confidence": 0.5}
            | dict(zip(OKLAB, place.tolist(), strict=True))
        )
    world.algorithm("many", "label", {**LABEL, **PLACES}, rows, OKLAB)
    table = world.reader().table(world.parts["many"].table)
    places = np.array([[one[name] for name in OKLAB] for one in rows])
    for code in ("#808080", "#203050", "#c08040"):
        distances = np.linalg.norm(places - colour_of(code), axis=1)
        found = ColourSearcher(colour_of(code)).search(table, "start_ms >= 500", None)
        expected = {number for number in np.flatnonzero(distances < REACH) if number >= 500}
        assert expected and set(found["start_ms"]) == expected
        assert np.allclose(found["score"], 0.5 * (1 - distances[found["start_ms"]] / REACH), atol=1e-5)
        assert found["score"].is_sorted(descending=True)
        first = ColourSearcher(colour_of(code)).search(table, "start_ms >= 500", 3)
        assert first.equals(found.head(3))
