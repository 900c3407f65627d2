"""Facets, views and annotations: the same moments as the hits, told in other ways."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from mediaflow.errors import UsageError
from mediaflow.search.gateway import Gateway
from mediaflow.search.post.facets import FACETS, Count
from mediaflow.search.query import AllOf, Clause, Dialogue, Filters, Label, Query, Visual
from mediaflow.search.views.characters import Characters
from mediaflow.search.views.timeline import Timeline
from mediaflow.storage.objects import FolderStore
from tests.search.world import LABEL, World, cue, shot

FILMS = {
    "harbour": {"genres": ["Drama", "Sea"], "year": 1994, "languages": ["en", "de"]},
    "meadow": {"genres": ["Drama"], "year": 2001, "languages": ["en"]},
    "night-s01e01": {"series": "Night", "season": 1, "episode": 1, "kind": "episode"},
}
CUES = 300


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """Three titles in which three people speak."""
    draw = np.random.default_rng(5)
    world = World(FolderStore(tmp_path_factory.mktemp("store")))
    for title_id, columns in FILMS.items():
        world.title(title_id, duration_ms=10_000, **columns)
    world.dialogue(
        *(
            cue(str(draw.choice(list(FILMS))), 30 * at, 30 * at + 20, "sail", speaker=draw.choice(["ANA", "Bo", None]))
            for at in range(CUES)
        )
    )
    world.visual(shot("harbour", 0, 5000, "red"), shot("harbour", 5000, 10_000, "green"))
    boat = {"start_ms": 100, "end_ms": 100, "label": "boat", "confidence": 0.5}
    world.algorithm(
        "things", "label", LABEL | {"size": LABEL["confidence"]}, [{"title_id": "harbour", "size": 2.0, **boat}]
    )
    return world.gateway()


@pytest.mark.parametrize("clause", [Dialogue("sail"), Visual("red"), AllOf((Dialogue("sail"), Visual("red")))])
def test_facets_count_all_hits(gateway: Gateway, clause: Clause) -> None:
    hits = gateway.search(Query((clause,), limit=1000)).hits
    found = gateway.facets(Query((clause,), limit=2), FACETS)
    by_title = Counter(hit.title_id for hit in hits)
    assert {one.value: one.hits for one in found["title"]} == by_title
    genres: Counter[str] = Counter()
    for title_id, count in by_title.items():
        genres.update(dict.fromkeys(FILMS[title_id].get("genres", []), count))  # type: ignore[call-overload]
    assert {one.value: one.hits for one in found["genre"]} == genres
    assert [one.hits for one in found["year"]] == sorted((one.hits for one in found["year"]), reverse=True)
    night = by_title["night-s01e01"]
    assert found["series"] == ([Count("Night", night)] if night else [])


def test_facets_are_filtered_like_hits(gateway: Gateway) -> None:
    query = Query((Dialogue("sail"),), Filters(genres=("Sea",)))
    assert [one.value for one in gateway.facets(query, ["title"])["title"]] == ["harbour"]
    nothing = Query((Dialogue("sail"),), Filters(years=((1800, 1801),)))
    assert gateway.facets(nothing, ["title", "genre"]) == {"title": [], "genre": []}


@pytest.mark.parametrize("bins", [1, 7, 50])
def test_a_timeline_is_the_hits_of_a_title_over_its_time(gateway: Gateway, bins: int) -> None:
    hits = [hit for hit in gateway.search(Query((Dialogue("sail"),), limit=1000)) if hit.title_id == "harbour"]
    shown = gateway.view(Query((Dialogue("sail"),)), Timeline("harbour", bins))
    assert (shown[0]["start_ms"], shown[-1]["end_ms"], len(shown)) == (0, 10_000, bins)
    for one, after in zip(shown, [*shown[1:], None], strict=True):
        inside = [hit for hit in hits if hit.start_ms < one["end_ms"] and hit.end_ms > one["start_ms"]]
        assert one["hits"] == len(inside)
        assert (one["score"] is None) == (not inside)
        assert after is None or one["end_ms"] == after["start_ms"]


def test_characters_are_those_who_speak(gateway: Gateway) -> None:
    hits = gateway.search(Query((Dialogue("sail"),), limit=1000)).hits
    spoken = Counter((hit.title_id, hit.sources[0].speaker) for hit in hits if hit.sources[0].speaker)
    shown = gateway.view(Query((Dialogue("sail"),)), Characters())
    assert {(one["title_id"], one["speaker"]): one["hits"] for one in shown} == spoken
    assert gateway.view(Query((Visual("red"),)), Characters()) == []


def test_annotations_are_all_rows_of_a_range(gateway: Gateway) -> None:
    rows = gateway.annotations("harbour", 90, 200)
    cues = [hit for hit in gateway.search(Query((Dialogue("sail"),), limit=1000)) if hit.title_id == "harbour"]
    wanted = sorted(hit.start_ms for hit in cues if hit.start_ms < 200 and hit.end_ms > 90)
    assert [row["start_ms"] for row in rows if row["algorithm"] == "dialogue"] == wanted
    (boat,) = (row for row in rows if row["algorithm"] == "things")
    assert (boat["label"], boat["size"], boat["revision"]) == ("boat", 2.0, "harbour-revision")
    assert [row["shot_no"] for row in rows if row["algorithm"] == "visual"] == [0]
    assert "vector" not in rows[0]
    assert gateway.annotations("harbour", 101, 200, ["things"]) == []
    assert [row["start_ms"] for row in rows] == sorted(row["start_ms"] for row in rows)


@pytest.mark.parametrize("wrong", ["facet", "bins", "title", "range", "algorithm"])
def test_what_there_is_not_is_a_sentence(gateway: Gateway, wrong: str) -> None:
    query = Query((Label("boat"),))
    with pytest.raises(UsageError):
        match wrong:
            case "facet":
                gateway.facets(query, ["colour"])
            case "bins":
                gateway.view(query, Timeline("harbour", 0))
            case "title":
                gateway.view(query, Timeline("nowhere"))
            case "range":
                gateway.annotations("harbour", 10, 10)
            case "algorithm":
                gateway.annotations("harbour", 0, 10, ["nothing"])
