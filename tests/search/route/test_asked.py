"""An index that stands outside of the store is asked like any other, alone and within clauses of clauses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from mediaflow.errors import UsageError
from mediaflow.search.gateway import Gateway
from mediaflow.search.query import AllOf, Condition, Dialogue, Filters, Label, Not, Query, Region, TimeJoin, Where
from mediaflow.search.searchers.matches import MATCHES, ROWS
from mediaflow.storage.objects import FolderStore
from tests.search.world import LABEL, OneEncoder, RawPictures, World, cue

CROWD = 1_500


class Music:
    """Pieces of music by their composers: a list in memory, whose words are looked up in a dictionary."""

    ranks = False

    def __init__(self, pieces: Sequence[tuple[int, int, int, str]]) -> None:
        self._pieces = pieces
        self._by_word: dict[str, list[int]] = {}
        for at, piece in enumerate(pieces):
            for word in piece[3].lower().split():
                self._by_word.setdefault(word, []).append(at)

    def search(self, value: str, titles: frozenset[int] | None, limit: int | None) -> pl.DataFrame:
        rows: list[dict[str, Any]] = []
        for at in self._by_word.get(value.lower(), []):
            title_no, start_ms, end_ms, _ = self._pieces[at]
            if titles is None or title_no in titles:
                rows.append({"title_no": title_no, "start_ms": start_ms, "end_ms": end_ms, "score": 1.0, "row": at})
        return pl.DataFrame(rows, schema=MATCHES).head(len(rows) if limit is None else limit)

    def read(self, rows: Sequence[int]) -> pl.DataFrame:
        said = [
            {"row": at, "revision": "m1", "start_ms": piece[1], "end_ms": piece[2], "text": piece[3]}
            for at in rows
            for piece in [self._pieces[at]]
        ]
        return pl.DataFrame([dict.fromkeys(ROWS) | one for one in said], schema=ROWS)

    def count(self, titles: frozenset[int] | None) -> int:
        return sum(1 for piece in self._pieces if titles is None or piece[0] in titles)


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    """Two films with lines, labels, and music that only the index knows."""
    world = World(FolderStore(tmp_path))
    world.title("one")
    world.title("two")
    world.dialogue(cue("one", 0, 10, "we sail"), cue("one", 50, 60, "we sail"), cue("two", 0, 10, "we sail"))
    dog = {"start_ms": 5, "end_ms": 8, "label": "dog", "confidence": 0.9}
    world.algorithm("things", "label", LABEL, [{"title_id": "one", **dog}])
    music = Music([(0, 4, 55, "Clara Schumann"), (1, 0, 30, "Robert Schumann"), (1, 40, 50, "Clara Schumann")])
    return Gateway(world.reader(), OneEncoder(), RawPictures(), outside={"music": music})


def ranges(gateway: Gateway, query: Query) -> list[tuple[str, int, int]]:
    return sorted((hit.title_id, hit.start_ms, hit.end_ms) for hit in gateway.search(query))


def test_it_answers_alone_with_its_own_rows(gateway: Gateway) -> None:
    hits = gateway.search(Query((Where("music", "clara"),), Filters(titles=("two",)))).hits
    (source,) = hits[0].sources
    assert (len(hits), hits[0].start_ms, source.algorithm, source.text) == (1, 40, "music", "Clara Schumann")


def test_it_combines_with_tables(gateway: Gateway) -> None:
    both = AllOf((Dialogue("sail"), Where("music", "schumann")))
    assert ranges(gateway, Query((both,))) == [("one", 4, 10), ("one", 50, 55), ("two", 0, 10)]
    without = AllOf((Dialogue("sail"), Where("music", "clara"), Not(Label("dog"))))
    assert ranges(gateway, Query((without,))) == [("one", 50, 55)]
    join = TimeJoin(Dialogue("sail"), Where("music", "clara"), "before", 40)
    assert ranges(gateway, Query((join,))) == [("two", 0, 50)]
    fused = gateway.search(Query((Dialogue("sail"), Where("music", "robert"))))
    assert fused.hits[0].title_id == "two" and len(fused.hits[0].sources) == 2


def test_how_it_was_asked_is_told(gateway: Gateway) -> None:
    (step,) = gateway.explain(Query((Where("music", "schumann"),), Filters(titles=("one",))))
    assert (step.algorithm, step.how, step.may_answer, step.found) == ("music", "outside", 1, 1)


@pytest.mark.parametrize(
    "clause",
    [
        Where("music", conditions=(Condition("key", "clara"),)),
        Where("music"),
        Where("music", "clara", region=Region(0, 0, 1, 1)),
    ],
)
def test_it_has_no_fields_and_no_boxes(gateway: Gateway, clause: Where) -> None:
    with pytest.raises(UsageError, match="an index outside of the store"):
        gateway.search(Query((clause,)))


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """Very many titles with some cues and shots each."""
    draw = np.random.default_rng(6)
    world = World(FolderStore(tmp_path_factory.mktemp("store")))
    genres = [str(genre) for genre in draw.choice(["wide", "narrow"], CROWD, p=[0.6, 0.4])]
    for at, genre in enumerate(genres):
        world.title(f"film-{at}", genres=[genre])
    films = [f"film-{at}" for at in draw.integers(CROWD, size=6 * CROWD)]
    words = [" ".join(["sail", *draw.choice(["north", "home", "far"], draw.integers(0, 4))]) for _ in films]
    said = enumerate(zip(films, words, strict=True))
    world.dialogue(*(cue(film, 10 * at, 10 * at + 9, text) for at, (film, text) in said))
    return world.gateway()


@pytest.mark.parametrize("genre", ["wide", "narrow"])
@pytest.mark.parametrize("text", ["sail", "home", "north far"])
@pytest.mark.parametrize("limit", [20, 250])
def test_a_filter_of_very_many_titles_comes_before_the_ranking_too(
    crowd: Gateway, genre: str, text: str, limit: int
) -> None:
    query = Query((Dialogue(text),), Filters(genres=(genre,)), limit=limit)
    listed = crowd.catalogue.select(query.filters).title_nos
    assert listed is not None and len(listed) > 500
    everything = crowd.reader.table("dialogue-g1").to_table(columns=["title_no", "text"]).to_pylist()
    fitting = [row for row in everything if row["title_no"] in listed and set(text.split()) <= set(row["text"].split())]
    results = crowd.search(query)
    assert len(results) == min(limit, len(fitting))
    assert {hit.title_no for hit in results} <= listed
    # The very best of these titles, by what each title says alone.
    alone = [Filters(titles=(f"film-{number}",)) for number in sorted(listed)[:20]]
    best = max(hit.score for one in alone for hit in crowd.search(replace(query, filters=one)))
    assert results.hits[0].score >= best - 1e-9
    scores = [hit.score for hit in results]
    assert scores == sorted(scores, reverse=True)
    assert sum(hit.grouped for hit in crowd.search(replace(query, group_by="title", limit=1000))) == len(fitting)
