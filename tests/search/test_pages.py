"""Pages: side by side they are the whole answer, whatever its order, with nothing twice and nothing missing."""

from __future__ import annotations

import numpy as np
import pytest

from mediaflow.search.gateway import Gateway
from mediaflow.search.query import AnyOf, Character, Clause, Dialogue, FreeText, Label, Query, Sort, Visual
from mediaflow.search.results import Hit
from mediaflow.storage.objects import FolderStore
from tests.search.world import LABEL, OneEncoder, RawPictures, World, cue, shot

CUES = 1_500


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """Films in which one word is said much more often than any page is long, with many equal scores."""
    draw = np.random.default_rng(3)
    world = World(FolderStore(tmp_path_factory.mktemp("store")))
    for title_id in ("one", "two", "three"):
        world.title(title_id, cast={"Ana Lima": "Rosa"} if title_id == "two" else None, duration_ms=CUES * 10)
    films = [str(draw.choice(["one", "two", "three"])) for _ in range(CUES)]
    words = [" ".join(["sail", *draw.choice(["north", "home", "far"], draw.integers(0, 4))]) for _ in range(CUES)]
    world.dialogue(
        *(cue(film, 10 * at, 10 * at + 9, text) for at, (film, text) in enumerate(zip(films, words, strict=True)))
    )
    world.visual(*(shot("one", 10 * at, 10 * at + 10, "red" if at % 3 else "green") for at in range(300)))
    labels = [
        {"title_id": "three", "start_ms": 7 * at, "end_ms": 7 * at + 5, "label": "boat", "confidence": 1.0}
        for at in range(CUES)
    ]
    world.algorithm("things", "label", LABEL, labels)
    return world.gateway()


def key(hit: Hit) -> tuple[str, int, int]:
    return hit.title_id, hit.start_ms, hit.end_ms


def pages(gateway: Gateway, query: Query) -> list[Hit]:
    """Return the hits of all pages."""
    found: list[Hit] = []
    offset: int | None = 0
    while offset is not None:
        page = gateway.search(query, offset)
        assert offset == 0 or page.hits
        assert len(page) == query.limit or page.next_offset is None
        found += page.hits
        assert page.total >= len(found)
        offset = page.next_offset
    assert page.counted and page.total == len(found)
    return found


@pytest.mark.parametrize("sort", ["score", "time"])
@pytest.mark.parametrize("clause", [Dialogue("sail"), Dialogue("sail home"), Label("boat")])
def test_all_that_fits_is_on_one_page(gateway: Gateway, clause: Clause, sort: Sort) -> None:
    whole = pages(gateway, Query((clause,), sort=sort, limit=97))
    assert len({key(hit) for hit in whole}) == len(whole)
    reference = gateway.search(Query((clause,), sort=sort, limit=1000))
    assert [key(hit) for hit in whole][:1000] == [key(hit) for hit in reference]
    if clause != Dialogue("sail home"):
        assert len(whole) == CUES
    if sort == "score":
        assert [hit.score for hit in whole] == sorted((hit.score for hit in whole), reverse=True)
    else:
        order = {"one": 0, "three": 1, "two": 2}
        assert whole == sorted(whole, key=lambda hit: (order[hit.title_id], hit.start_ms))


def test_another_process_goes_on_where_one_has_stopped(gateway: Gateway) -> None:
    query = Query((Dialogue("sail"),), limit=50)
    first = gateway.search(query)
    other = Gateway(gateway.reader, OneEncoder(), RawPictures())
    second = other.search(query, 50)
    assert [key(hit) for hit in (*first, *second)] == [key(hit) for hit in pages(gateway, query)][:100]


@pytest.mark.parametrize(
    "clause", [Visual("red"), FreeText("sail red"), AnyOf((Visual("red"), Dialogue("sail north"), Label("boat")))]
)
@pytest.mark.parametrize("sort", ["score", "time"])
def test_what_is_ranked_ends_with_its_candidates(gateway: Gateway, clause: Clause, sort: Sort) -> None:
    whole = pages(gateway, Query((clause,), sort=sort, limit=30))
    assert 30 < len(whole) < CUES + 800
    assert len({key(hit) for hit in whole}) == len(whole)


def test_a_page_beyond_the_end_is_empty(gateway: Gateway) -> None:
    beyond = gateway.search(Query((Visual("red"),), limit=30), 5000)
    assert not beyond.hits and beyond.next_offset is None


def test_groups_are_counted_and_paged(gateway: Gateway) -> None:
    whole = pages(gateway, Query((Dialogue("sail"),), group_by="title", limit=2))
    assert {hit.title_id for hit in whole} == {"one", "two", "three"}
    assert sum(hit.grouped for hit in whole) == CUES


def test_who_is_in_the_cast_has_the_whole_title(gateway: Gateway) -> None:
    (hit,) = gateway.search(Query((Character("rosa"),)))
    assert key(hit) == ("two", 0, CUES * 10)
    assert [source.algorithm for source in hit.sources] == ["titles"]
    assert not gateway.search(Query((Character("rosa", "speaks"),))).hits
