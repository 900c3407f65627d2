"""The gateway on a whole small snapshot: clauses by shape, hits and their sources, fusion, and what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from mediaflow.errors import UsageError
from mediaflow.search.gateway import Gateway
from mediaflow.search.query import (
    Clause,
    Condition,
    Dialogue,
    FreeText,
    Query,
    SimilarToPicture,
    SimilarToShot,
    Visual,
    Where,
)
from mediaflow.search.results import Box
from mediaflow.storage.objects import FolderStore
from tests.search.harbour import ask, make_world, moments
from tests.search.world import (
    MODEL,
    RANGE,
    OneEncoder,
    RawPictures,
    World,
    cue,
    shot,
)

CLAUSES: list[tuple[Clause, list[tuple[str, int, int]]]] = [
    (Visual("red"), [("night-shift-s01e01", 0, 4000), ("harbour", 0, 5000)]),
    (Visual("blue car"), [("harbour", 5000, 10_000)]),
    (SimilarToPicture(b"\0\xff\0"), [("meadow", 0, 8000)]),
    (SimilarToShot("harbour", 100), [("night-shift-s01e01", 0, 4000)]),
    (SimilarToShot("Harbour", 4999), [("night-shift-s01e01", 0, 4000)]),
    (SimilarToShot("harbour", 5000), [("night-shift-s02e01", 0, 4000), ("harbour", 0, 5000)]),
    (Dialogue('"hello hello"'), [("harbour", 8000, 9000)]),
    (Where("visual", "green tree"), [("meadow", 0, 8000)]),
    (Where("dialogue", '"from the deep"'), [("night-shift-s01e02", 100, 900)]),
    (Where("dialogue", conditions=(Condition("kind", "chapter"),)), [("night-shift-s01e01", 100, 900)]),
    (
        Where("dialogue", conditions=(Condition("speaker", "maria"),)),
        [("harbour", 4000, 6000), ("night-shift-s01e02", 100, 900)],
    ),
    (Where("signs", "exit no"), [("meadow", 500, 900)]),
    (Where("faces", "FACE"), [("meadow", 0, 3000), ("harbour", 0, 3000)]),
    (Where("faces", conditions=(Condition("name", "o'neil"),)), [("meadow", 0, 3000)]),
    (Where("faces", conditions=(Condition("age", "30"),)), [("harbour", 0, 3000)]),
    (Where("faces", conditions=(Condition("seen", "yes"),)), [("harbour", 0, 3000)]),
    (Where("faces", conditions=(Condition("seen", "false"),)), [("meadow", 0, 3000)]),
    (Where("loud", "0.9"), [("harbour", 0, 1000)]),
    (Where("loud", "0.1"), [("harbour", 0, 1000), ("meadow", 0, 1000)]),
    (Where("loud", conditions=(Condition("level", "-3.5"),)), [("harbour", 0, 1000)]),
]


@pytest.mark.parametrize(("clause", "expected"), CLAUSES, ids=[str(clause)[:60] for clause, _ in CLAUSES])
def test_every_clause_finds_its_rows_best_first(
    gateway: Gateway, clause: Clause, expected: list[tuple[str, int, int]]
) -> None:
    found = moments(ask(gateway, clause))
    if isinstance(clause, Where) and clause.algorithm != "visual":
        assert found == expected
    assert found[: len(expected)] == expected


def test_a_shot_is_not_similar_to_itself(gateway: Gateway) -> None:
    assert ("harbour", 0, 5000) not in moments(ask(gateway, SimilarToShot("harbour", 100)))


def test_a_hit_says_where_it_comes_from(gateway: Gateway) -> None:
    sign = ask(gateway, Where("signs", "exit"))[0]
    assert (sign.sources[0].text, sign.sources[0].box) == ("No Exit", Box(0.25, 0.5, 0.125, 0.0625))
    body = json.loads(json.dumps(ask(gateway, Visual("yellow lamp"))[0].as_json()))
    score = body["score"]
    assert body == {
        "title_id": "night-shift-s01e02",
        "title": "Second",
        "start_ms": 0,
        "end_ms": 4000,
        "score": pytest.approx(1.0, abs=1e-3),
        "grouped": 1,
        "sources": [
            {
                "algorithm": "visual",
                "generation": "visual-generation",
                "model": MODEL,
                "revision": "night-shift-s01e02-revision",
                "score": score,
                "start_ms": 0,
                "end_ms": 4000,
                "clause": 0,
                "rank": 1,
            }
        ],
        "snapshot": "1-aaaaaaaa",
        "series": "Night Shift",
        "season": 1,
        "episode": 2,
    }
    spoken = ask(gateway, Dialogue("out there"))[0].as_json()
    assert set(spoken) == {"title_id", "title", "start_ms", "end_ms", "score", "grouped", "sources", "snapshot"}
    assert spoken["sources"][0]["text"] == "Hello out there"
    assert (spoken["sources"][0]["language"], spoken["sources"][0]["speaker"]) == ("en", "MARIA")
    assert spoken["sources"][0]["model"] is None


def test_results_become_a_frame(gateway: Gateway) -> None:
    results = gateway.search(Query((Where("signs", "exit"), Dialogue("hello you"))))
    frame = results.to_polars()
    assert frame["title_id"].to_list() == [hit.title_id for hit in results]
    assert frame["sources"].list.len().to_list() == [len(hit.sources) for hit in results]
    assert frame["sources"].explode().struct.field("box").drop_nulls()[0]["x"] == 0.25
    empty = gateway.search(Query((Dialogue("nothing like this"),))).to_polars()
    assert empty.schema == frame.schema


def test_clauses_are_fused_over_the_time_that_they_share(gateway: Gateway) -> None:
    hits = ask(gateway, Dialogue("out there"), Visual("blue car"))
    assert moments(hits)[0] == ("harbour", 5000, 6000)
    assert {source.algorithm for source in hits[0].sources} == {"dialogue", "visual"}


def test_free_text_asks_pictures_and_dialogue(gateway: Gateway) -> None:
    hits = ask(gateway, FreeText("deep"))
    assert {"night-shift-s01e02", "night-shift-s01e01"} == {hit.title_id for hit in hits[:2]}
    assert {source.algorithm for hit in hits for source in hit.sources} == {"dialogue", "visual"}
    assert {hit.title_id for hit in ask(gateway, FreeText("red")) if len(hit.sources) == 1} >= {"harbour"}
    assert gateway.search(Query((FreeText("red"),))).notes == ()


def test_translations_of_a_line_come_as_one_hit(gateway: Gateway) -> None:
    hits = [hit for hit in ask(gateway, Dialogue("hello")) if hit.title_id == "harbour" and hit.start_ms >= 8000]
    assert moments(hits) == [("harbour", 8000, 9000)]
    assert {source.language for source in hits[0].sources} == {"en", "de"}


WRONG: list[tuple[Query, str]] = [
    (Query(()), "Say what to look for"),
    (Query((Visual("red"),), limit=0), "The limit must be from 1 to 1000"),
    (Query((Visual(" "),)), "description of the picture is empty"),
    (Query((Dialogue("hello", kind="song"),)), "no kind of cue 'song'"),
    (Query((Where("objects", "car"),)), "nothing of 'objects'; it can be asked for dialogue, faces"),
    (
        Query((Where("faces", conditions=(Condition("shoes", "x"),)),)),
        "no field 'shoes'; its fields are age, name, seen",
    ),
    (Query((Where("signs", conditions=(Condition("text` = 'a' OR `text", "x"),)),)), "no field"),
    (Query((Where("faces", conditions=(Condition("age", "old"),)),)), "of type Int32, and 'old' is none"),
    (Query((Where("faces", conditions=(Condition("age", str(10**30)),)),)), "of type Int32"),
    (Query((Where("faces", conditions=(Condition("seen", "perhaps"),)),)), "of type Boolean"),
    (Query((Where("loud", "very"),)), "give the least score as a number"),
    (Query((Where("loud", "nan"),)), "give the least score as a number"),
    (Query((Where("motion", "red"),)), "no model that could compare"),
    (Query((SimilarToPicture(b"no picture", "still.png"),)), "^still.png: That is no picture"),
]


@pytest.mark.parametrize(("query", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_what_cannot_be_asked_gets_a_sentence(gateway: Gateway, query: Query, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        gateway.search(query)


def test_free_text_does_with_what_the_snapshot_has_and_says_so(tmp_path: Path) -> None:
    world = World(FolderStore(tmp_path))
    world.title("a")
    with pytest.raises(UsageError, match="nothing of 'visual'; nothing in it can be searched yet"):
        world.gateway().search(Query((FreeText("red"),)))
    world.dialogue(cue("a", 0, 9, "a red car"))
    spoken = world.gateway().search(Query((FreeText("red"),)))
    assert moments(list(spoken)) == [("a", 0, 9)]
    assert spoken.notes == ("The snapshot has nothing of 'visual' yet: this answer is without it.",)
    with pytest.raises(UsageError, match="nothing of 'visual'; it can be asked for dialogue"):
        world.gateway().search(Query((Visual("red"),)))


def test_pictures_alone_answer_free_text_without_words(tmp_path: Path) -> None:
    world = World(FolderStore(tmp_path))
    world.title("a")
    world.visual(shot("a", 0, 9, "red"))
    world.dialogue(cue("a", 0, 9, "hello"))
    assert moments(list(world.gateway().search(Query((FreeText("?!"),))))) == [("a", 0, 9)]


def test_only_what_must_be_encoded_loads_an_encoder(tmp_path: Path) -> None:
    world = make_world(tmp_path)
    encoders = OneEncoder()
    gateway = Gateway(world.reader(), encoders, RawPictures())
    for clause in (Dialogue("hello"), Where("faces", "face"), SimilarToShot("harbour", 0)):
        gateway.search(Query((clause,)))
    assert encoders.asked == []
    gateway.search(Query((Visual("red"),)))
    assert encoders.asked == [MODEL]


def test_an_empty_snapshot_answers_with_nothing(tmp_path: Path) -> None:
    world = World(FolderStore(tmp_path))
    world.dialogue()
    world.visual()
    world.algorithm("loud", "range", {**RANGE, "score": pl.Float32}, [])
    gateway = world.gateway()
    for clause in (Dialogue('"hello" there'), Visual("red"), FreeText("red"), Where("loud", "0")):
        assert len(gateway.search(Query((clause,)))) == 0
