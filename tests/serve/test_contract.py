"""One question, all ways to ask it: Python, GraphQL, gRPC, the client and the command line give equal answers."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from mediaflow.search.engine import SearchEngine
from mediaflow.search.process.wire import LEAVES, MOST_DEEP, MOST_LEAVES, SIMILAR
from tests.serve.conftest import Server
from tests.serve.faces import (
    Answer,
    CommandLine,
    Face,
    GraphQL,
    Grpc,
    OverClient,
    Python,
    Refused,
    RemoteCommandLine,
    without_nulls,
)

HELLO = {"dialogue": {"text": "hello"}}
LOW = {"x": 0, "y": 0.4, "w": 1, "h": 0.6}
EXIT = {"where": {"algorithm": "signs", "value": "exit"}}
OUT = {"onscreen": {"text": '"way out"'}}
CLIP = base64.b64encode(b"\xff\x00\x00\x00\x00\xff").decode()
RED = base64.b64encode(b"\xff\x00\x00").decode()


def scene(field: str, value: Any, comparison: str = "equals") -> dict[str, Any]:
    """Return a clause on an own field."""
    return {"algorithm": "scenes", "conditions": [{"field": field, "value": value, "comparison": comparison}]}


def like(vector: list[float], **more: Any) -> dict[str, Any]:
    """Return a clause for faces in the crowd."""
    return {"similar": {"vector": {"vector": vector, "algorithm": "crowd", **more}}}


def nested(depth: int) -> dict[str, Any]:
    """Return a clause within others."""
    return {"any": [nested(depth - 1)]} if depth else HELLO


QUESTIONS: dict[str, dict[str, Any]] = {
    "words": {"clauses": [HELLO]},
    "language, kind, speaker": {"clauses": [{"dialogue": {"text": "hello", "language": "de", "kind": "dialogue"}}]},
    "a character says": {"clauses": [{"dialogue": {"text": "hello", "character": "maria"}}], "limit": 3},
    "label": {"clauses": [{"label": {"name": "face", "least_confidence": 0.5, "algorithm": "faces"}}]},
    "character": {"clauses": [{"character": {"name": "maria", "presence": "speaks"}}]},
    "in the cast": {"clauses": [{"character": {"name": "eve", "presence": "in cast"}}]},
    "talent": {"clauses": [{"talent": {"name": "bo ek"}}]},
    "where": {"clauses": [{"where": {"algorithm": "loud", "value": "0.5"}}]},
    "own field": {"clauses": [{"where": {"algorithm": "faces", "value": "35", "field": "age", "comparison": "most"}}]},
    "own fields of one row": {
        "clauses": [
            {
                "where": {
                    "algorithm": "scenes",
                    "value": "NIGHT",
                    "conditions": [
                        {"field": "in_door", "value": True},
                        {"field": "people", "value": 5, "comparison": "most"},
                        {"field": "light", "value": 0.5, "comparison": "least"},
                        {"field": "mood", "value": "CALM"},
                    ],
                }
            }
        ]
    },
    "in a list": {"clauses": [{"where": scene("tags", "night", "contains")}]},
    "in a list of large numbers": {"clauses": [{"where": scene("lines", str(2**60), "contains")}]},
    "a large number": {"clauses": [{"where": scene("pixels", str(2**60 + 1))}]},
    "all rows by a field": {
        "clauses": [{"where": {"algorithm": "scenes"}}],
        "sort": {"algorithm": "scenes", "field": "people", "descending": True},
    },
    "pages by a field": {
        "clauses": [{"where": {"algorithm": "scenes"}}, HELLO],
        "sort": {"algorithm": "scenes", "field": "light"},
        "limit": 3,
    },
    "titles by own fields": {"clauses": [HELLO], "filters": {"rows": [scene("people", 2) | {"value": "day"}]}},
    "boxes": {"clauses": [{"where": {"algorithm": "signs", "value": "exit", "region": LOW | {"relation": "inside"}}}]},
    "all and not": {"clauses": [{"all": [HELLO, {"not": {"dialogue": {"text": "hello", "language": "de"}}}]}]},
    "any, weighted": {"clauses": [{"any": [HELLO, {"weighted": {"clause": EXIT, "weight": 3.5}}]}]},
    "joined in time": {
        "clauses": [
            {
                "time_join": {
                    "left": EXIT,
                    "right": HELLO,
                    "relation": "before",
                    "most_ms": 5000,
                    "extent": "union",
                }
            }
        ]
    },
    "vectors in boxes": {"clauses": [like([0.6, 0.8], region=LOW)]},
    "vectors, the nearest": {"clauses": [like([0.0, 1.0], everything=False)], "limit": 2},
    "vectors joined in space": {
        "clauses": [{"space_join": {"left": like([1.0, 0.0]), "right": EXIT, "relation": "left_of"}}]
    },
    "on screen": {"clauses": [{"onscreen": {"text": "out", "region": LOW | {"y": 0}, "least_confidence": 0.5}}]},
    "joined in space": {"clauses": [{"space_join": {"left": OUT, "right": EXIT, "relation": "above"}}]},
    "filters": {
        "clauses": [HELLO],
        "filters": {"series": ["night shift"], "seasons": [1], "kinds": ["episode"], "years": [[2000, None]]},
    },
    "more filters": {
        "clauses": [HELLO],
        "filters": {
            "genres": ["drama", "comedie"],
            "years": [[1990, 1999], [None, 2005]],
            "characters": ["maria"],
            "rows": [{"algorithm": "faces", "field": "age", "value": "30", "comparison": "least"}],
        },
    },
    "a note": {"clauses": [HELLO], "filters": {"genres": ["western"]}},
    "grouped": {"clauses": [HELLO], "group_by": "title"},
    "in time": {"clauses": [HELLO], "sort": "time", "limit": 2},
    "nothing": {"clauses": [{"dialogue": {"text": "nobody says this"}}]},
}
# The command line has the models of the library, and none knows colours.
OF_COLOURS: dict[str, dict[str, Any]] = {
    "text": {"clauses": [{"text": {"text": "hello"}}]},
    "visual": {"clauses": [{"visual": {"text": "red car"}}], "limit": 500},
    "everything": {"clauses": [{"visual": {"text": "red", "everything": True}}]},
    "picture": {"clauses": [{"similar": {"picture": {"data": RED, "name": "red.png"}}}]},
    "shot": {"clauses": [{"similar": {"shot": {"title": "harbour", "time_ms": 100, "everything": False}}}]},
    "clip": {"clauses": [{"similar": {"clip": {"data": CLIP, "name": "clip.mp4"}}}]},
    "range": {"clauses": [{"similar": {"range": {"title": "harbour", "start_ms": 0, "end_ms": 9000}}}]},
    "vector": {"clauses": [{"similar": {"vector": {"vector": [0.5, 0.25] + [0.0] * 30, "algorithm": "motion"}}}]},
    "what is seen while it is said": {"clauses": [{"all": [{"visual": {"text": "red car"}}, HELLO]}]},
}
WRONG: dict[str, dict[str, Any]] = {
    "an unknown title": {"clauses": [HELLO], "filters": {"titles": ["no such film"]}},
    "an unknown algorithm": {"clauses": [{"where": {"algorithm": "smell", "value": "1"}}]},
    "an unknown score": {"clauses": [HELLO], "score": "nobody"},
    "vectors of another length": {"clauses": [like([1.0])]},
    "no boxes": {"clauses": [{"similar": {"vector": {"vector": [1.0] * 32, "algorithm": "motion", "region": LOW}}}]},
    "not alone": {"clauses": [{"not": HELLO}]},
    "too deep": {"clauses": [nested(MOST_DEEP)]},
    "too many": {"clauses": [{"any": [HELLO] * (MOST_LEAVES + 1)}]},
    "no clause": {"clauses": []},
    "no hits": {"clauses": [HELLO], "limit": 0},
    "an empty all": {"clauses": [{"all": []}]},
    "an unknown field": {"clauses": [{"where": scene("smell", 1)}]},
    "a value of another type": {"clauses": [{"where": scene("people", "many")}]},
    "a number for a text": {"clauses": [{"where": scene("mood", 5)}]},
    "a list that equals": {"clauses": [{"where": scene("tags", "night")}]},
    "a struct": {"clauses": [{"where": scene("place", 1)}]},
    "an unknown order": {"clauses": [HELLO], "sort": {"algorithm": "scenes", "field": "smell"}},
    "a wrong kind": {"clauses": [{"dialogue": {"text": "a", "kind": "song"}}]},
}


@pytest.fixture(scope="module")
def python(engine: SearchEngine) -> Python:
    return Python(engine)


@pytest.fixture(params=["GraphQL", "gRPC", "client", "command line", "command line over a server"])
def face(request: pytest.FixtureRequest, server: Server) -> Face:
    """Each other way to ask."""
    kinds = {"GraphQL": GraphQL, "gRPC": Grpc, "client": OverClient}
    kinds |= {"command line": CommandLine, "command line over a server": RemoteCommandLine}
    made: Face = kinds[request.param](server)
    return made


def common(answer: Answer, other: Answer) -> list[Answer]:
    """Return two answers without what one of them does not say."""
    names = (answer.keys() & other.keys()) | {"hits"}
    return [without_nulls({name: one[name] for name in names}) for one in (answer, other)]


@pytest.mark.parametrize("question", QUESTIONS)
def test_all_faces_give_equal_answers(question: str, python: Python, face: Face) -> None:
    expected, found = common(python.search(QUESTIONS[question]), face.search(QUESTIONS[question]))
    assert found == expected
    assert bool(expected["hits"]) == (question not in ("nothing", "a note"))
    assert bool(expected["notes"]) == (question == "a note")
    assert any(hit["grouped"] > 1 for hit in expected["hits"]) == (question == "grouped")


@pytest.mark.parametrize("question", OF_COLOURS)
@pytest.mark.parametrize("kind", [GraphQL, Grpc, OverClient, RemoteCommandLine])
def test_servers_give_equal_answers_on_what_is_seen(
    question: str, kind: type[Face], python: Python, server: Server
) -> None:
    face = kind(server)  # type: ignore[call-arg]
    expected, found = common(python.search(OF_COLOURS[question]), face.search(OF_COLOURS[question]))
    assert found == expected
    assert expected["hits"]


@pytest.mark.parametrize("question", WRONG)
def test_what_is_wrong_gets_the_same_sentence_everywhere(question: str, python: Python, face: Face) -> None:
    if question == "no hits" and not isinstance(face, CommandLine):
        pytest.skip("a page of the server has a size of its own, with its own sentence")
    with pytest.raises(Refused) as expected:
        python.search(WRONG[question])
    with pytest.raises(Refused) as found:
        face.search(WRONG[question])
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize("question", [*QUESTIONS, *WRONG])
@pytest.mark.parametrize("form", [["--json"], []])
def test_the_command_line_says_the_same_with_a_server_and_without(
    question: str, form: list[str], server: Server
) -> None:
    if question == "no hits":
        pytest.skip("a page of the server has a size of its own, with its own sentence")
    asked = [*form, "--query", json.dumps((QUESTIONS | WRONG)[question])]
    here, there = (one(server).run("search", *asked) for one in (CommandLine, RemoteCommandLine))
    assert (there.stdout, there.stderr, there.exit_code) == (here.stdout, here.stderr, here.exit_code)
    assert here.stdout or here.stderr or question == "nothing"


def test_the_questions_have_every_kind_of_clause() -> None:
    said = str([QUESTIONS, OF_COLOURS, WRONG])
    kinds = [*LEAVES, *SIMILAR, "similar", "all", "any", "not", "weighted", "time_join", "space_join"]
    assert not [kind for kind in kinds if f"{{'{kind}':" not in said]


@pytest.mark.parametrize("kind", [GraphQL, Grpc])
def test_pages_side_by_side_are_the_whole_answer(kind: type[GraphQL | Grpc], python: Python, server: Server) -> None:
    body = {"clauses": [HELLO], "limit": 2}
    whole = python.search({"clauses": [HELLO]})["hits"]
    found, cursor, face = [], None, kind(server)
    while not found or cursor:
        page = face.search(body, cursor)
        found += page["hits"]
        cursor = page.get("next_cursor")
    assert without_nulls(found) == without_nulls(whole)
    assert len(whole) == 4


def test_a_cursor_of_one_protocol_goes_on_in_the_other(server: Server) -> None:
    body = {"clauses": [HELLO], "limit": 2}
    one, other = GraphQL(server), Grpc(server)
    pages = [one.search(body, other.search(body)["next_cursor"]), other.search(body, one.search(body)["next_cursor"])]
    first, second = common(*pages)
    assert first == second
    assert pages[0]["hits"]
