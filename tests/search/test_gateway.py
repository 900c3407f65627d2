"""The gateway on a whole small snapshot: clauses by shape, filters, people, fusion, groups, and what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from mediaflow.errors import UsageError
from mediaflow.search.gateway import Gateway
from mediaflow.search.query import (
    Clause,
    Dialogue,
    Filters,
    FreeText,
    Query,
    SimilarToPicture,
    SimilarToShot,
    Visual,
    Where,
)
from mediaflow.search.results import Box, Hit
from mediaflow.storage.objects import FolderStore
from tests.search.world import (
    BOX,
    LABEL,
    MODEL,
    RANGE,
    SCORE,
    SHOT_VECTOR,
    TEXT,
    ColourEncoder,
    OneEncoder,
    RawPictures,
    World,
    cue,
    shot,
)


def make_world(folder: Path) -> World:
    world = World(FolderStore(folder))
    world.title("harbour", {"Ann Lee": "Maria Rivera", "Bo Ek": "Captain Ström"}, year=1994, genres=["Drama", "Sci-Fi"])
    world.title("meadow", {"Ann Lee": "Eve", "Cy Dow": "Maria"}, year=2001, genres=["Comédie"])
    episode = {"kind": "episode", "series": "Night Shift", "season": 1}
    world.title("night-shift-s01e02", {"Bo Ek": None}, title="Second", year=2010, **(episode | {"episode": 2}))
    world.title("night-shift-s01e01", title="First", year=2009, **(episode | {"episode": 1}))
    world.title("night-shift-s02e01", title="Third", **(episode | {"season": 2, "episode": 1}))
    world.visual(
        shot("harbour", 0, 5000, "red car"),
        shot("harbour", 5000, 10_000, "blue car"),
        shot("meadow", 0, 8000, "green tree"),
        shot("night-shift-s01e02", 0, 4000, "yellow lamp"),
        shot("night-shift-s01e01", 0, 4000, "red red lamp"),
        shot("night-shift-s02e01", 0, 4000, "white"),
    )
    world.dialogue(
        cue("harbour", 4000, 6000, "Hello out there", speaker="MARIA"),
        cue("harbour", 8000, 9000, "Hello hello", speaker="Ström (off)"),
        cue("harbour", 8100, 9100, "Hallo hello", language="de", speaker="Ström (off)"),
        cue("meadow", 1000, 2000, "Hello you", speaker="Eve"),
        cue("night-shift-s01e02", 100, 900, "hello from the deep", speaker="Maria"),
        cue("night-shift-s01e01", 100, 900, "The deep end", kind="chapter"),
    )
    world.algorithm("faces", "label", {**LABEL, "name": pl.String, "age": pl.Int32, "seen": pl.Boolean}, FACES, OWN)
    world.algorithm("signs", "boxed_text", {**TEXT, **BOX}, SIGNS)
    world.algorithm("loud", "range", {**SCORE, "level": pl.Float32}, LOUD, ("level",))
    plain = [
        {
            "title_id": "meadow",
            "start_ms": 0,
            "end_ms": 9,
            "shot_no": 0,
            "vector": ColourEncoder().encode_texts(["red"])[0],
        }
    ]
    world.algorithm("motion", "shot_vector", SHOT_VECTOR, plain)
    return world


OWN = ("name", "age", "seen")
FACES = [
    {
        "title_id": "harbour",
        "start_ms": 0,
        "end_ms": 3000,
        "label": "Face",
        "confidence": 0.4,
        "name": "Ann",
        "age": 30,
        "seen": True,
    },
    {
        "title_id": "meadow",
        "start_ms": 0,
        "end_ms": 3000,
        "label": "face",
        "confidence": 0.9,
        "name": "O'Neil",
        "age": 40,
        "seen": False,
    },
    {
        "title_id": "meadow",
        "start_ms": 3000,
        "end_ms": 6000,
        "label": "Faces",
        "confidence": 0.9,
        "name": None,
        "age": None,
        "seen": None,
    },
]
SIGNS = [
    {
        "title_id": "meadow",
        "start_ms": 500,
        "end_ms": 900,
        "text": "No Exit",
        "confidence": 0.8,
        "x": 0.25,
        "y": 0.5,
        "w": 0.125,
        "h": 0.0625,
    }
]
LOUD = [
    {"title_id": "harbour", "start_ms": 0, "end_ms": 1000, "score": 0.9, "level": -3.5},
    {"title_id": "meadow", "start_ms": 0, "end_ms": 1000, "score": 0.3, "level": -20.0},
]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return make_world(Path(tmp_path_factory.mktemp("world"))).gateway()


def ask(gateway: Gateway, *clauses: Clause, **filters: object) -> list[Hit]:
    return list(gateway.search(Query(clauses, Filters(**filters))))  # type: ignore[arg-type]


def moments(hits: list[Hit]) -> list[tuple[str, int, int]]:
    return [(hit.title_id, hit.start_ms, hit.end_ms) for hit in hits]


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
    (Where("dialogue", "chapter", "kind"), [("night-shift-s01e01", 100, 900)]),
    (Where("dialogue", "maria", "speaker"), [("harbour", 4000, 6000), ("night-shift-s01e02", 100, 900)]),
    (Where("signs", "exit no"), [("meadow", 500, 900)]),
    (Where("faces", "FACE"), [("meadow", 0, 3000), ("harbour", 0, 3000)]),
    (Where("faces", "o'neil", "name"), [("meadow", 0, 3000)]),
    (Where("faces", "30", "age"), [("harbour", 0, 3000)]),
    (Where("faces", "yes", "seen"), [("harbour", 0, 3000)]),
    (Where("faces", "false", "seen"), [("meadow", 0, 3000)]),
    (Where("loud", "0.9"), [("harbour", 0, 1000)]),
    (Where("loud", "0.1"), [("harbour", 0, 1000), ("meadow", 0, 1000)]),
    (Where("loud", "-3.5", "level"), [("harbour", 0, 1000)]),
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
        "sources": [
            {
                "algorithm": "visual",
                "generation": "visual-generation",
                "model": MODEL,
                "revision": "night-shift-s01e02-revision",
                "score": score,
            }
        ],
        "snapshot": "1-aaaaaaaa",
        "series": "Night Shift",
        "season": 1,
        "episode": 2,
    }
    spoken = ask(gateway, Dialogue("out there"))[0].as_json()
    assert set(spoken) == {"title_id", "title", "start_ms", "end_ms", "score", "sources", "snapshot"}
    assert spoken["sources"][0]["text"] == "Hello out there"
    assert spoken["sources"][0]["model"] is None


def test_results_become_a_frame(gateway: Gateway) -> None:
    results = gateway.search(Query((Where("signs", "exit"), Dialogue("hello you"))))
    frame = results.to_polars()
    assert frame["title_id"].to_list() == [hit.title_id for hit in results]
    assert frame["sources"].list.len().to_list() == [len(hit.sources) for hit in results]
    assert frame["sources"].explode().struct.field("box").drop_nulls()[0]["x"] == 0.25
    empty = gateway.search(Query((Dialogue("nothing like this"),))).to_polars()
    assert empty.schema == frame.schema


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


def test_groups_reach_beyond_the_hits_of_one_title(tmp_path: Path) -> None:
    world = World(FolderStore(tmp_path))
    world.title("crowd")
    world.title("lonely")
    world.visual(*(shot("crowd", at, at + 1, "red") for at in range(1500)), shot("lonely", 0, 9, "blue"))
    hits = world.gateway().search(Query((Visual("red"),), group_by="title"))
    assert [(hit.title_id, hit.grouped) for hit in hits] == [("crowd", 1500), ("lonely", 1)]


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
    with pytest.raises(UsageError, match=r"no shot at 10\.000 s"):
        ask(gateway, SimilarToShot("harbour", 10_000))


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


def test_groups_show_the_best_of_each(gateway: Gateway) -> None:
    by_title = gateway.search(Query((Dialogue("hello"),), group_by="title"))
    assert sorted(hit.title_id for hit in by_title) == ["harbour", "meadow", "night-shift-s01e02"]
    assert {hit.title_id: hit.grouped for hit in by_title}["harbour"] == 2
    by_series = gateway.search(Query((Visual("red"),), group_by="series"))
    assert [hit.title_id for hit in by_series] == ["night-shift-s01e01", "harbour", "meadow"]
    assert gateway.search(Query((Visual("red"),), group_by="series", limit=1)).hits == by_series.hits[:1]


def test_sorted_by_time_the_best_come_in_order_of_titles_and_time(gateway: Gateway) -> None:
    hits = gateway.search(Query((Visual("red"),), sort="time"))
    assert moments(list(hits)) == [
        ("night-shift-s01e01", 0, 4000),
        ("night-shift-s01e02", 0, 4000),
        ("night-shift-s02e01", 0, 4000),
        ("harbour", 0, 5000),
        ("harbour", 5000, 10_000),
        ("meadow", 0, 8000),
    ]
    best = gateway.search(Query((Visual("red"),), sort="time", limit=2))
    assert moments(list(best)) == [("night-shift-s01e01", 0, 4000), ("harbour", 0, 5000)]


WRONG: list[tuple[Query, str]] = [
    (Query(()), "Say what to look for"),
    (Query((Visual("red"),), limit=0), "The limit must be from 1 to 1000"),
    (Query((Visual(" "),)), "description of the picture is empty"),
    (Query((Dialogue("hello", kind="song"),)), "no kind of cue 'song'"),
    (Query((Where("objects", "car"),)), "nothing of 'objects'; it can be asked for dialogue, faces"),
    (Query((Where("faces", "x", "shoes"),)), "no field 'shoes'; its fields are age, name, seen"),
    (Query((Where("signs", "x", "text` = 'a' OR `text"),)), "no field"),
    (Query((Where("faces", "old", "age"),)), "the type int32|of type int32, and 'old' is none"),
    (Query((Where("faces", str(10**30), "age"),)), "of type int32"),
    (Query((Where("faces", "perhaps", "seen"),)), "of type bool"),
    (Query((Where("loud", "very"),)), "give the least score as a number"),
    (Query((Where("loud", "nan"),)), "give the least score as a number"),
    (Query((Where("motion", "red"),)), "no model that could compare"),
    (Query((SimilarToPicture(b"no picture"),)), "That is no picture"),
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
