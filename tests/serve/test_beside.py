"""What stands beside hits, and rows without a search: the same over Python, GraphQL and gRPC, and of one snapshot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import grpc
import pytest

from mediaflow.errors import MediaflowError
from mediaflow.search.engine import SearchEngine
from mediaflow.search.post.facets import FACETS
from mediaflow.search.process.wire import read_query
from mediaflow.search.query import Condition, Filters, Where
from mediaflow.search.results import in_json
from mediaflow.search.route.fields import own_fields
from mediaflow.search.views.characters import Characters
from mediaflow.search.views.timeline import Timeline
from mediaflow.serve.forms import plain
from mediaflow.serve.grpc import search_pb2 as messages
from tests.serve.conftest import Server
from tests.serve.faces import Grpc, Refused, as_dict, as_message, camel, snake, without_nulls

HELLO = {"clauses": [{"dialogue": {"text": "hello"}}], "limit": 2}
QUESTIONS: dict[str, dict[str, Any]] = {
    "words": HELLO,
    "grouped": HELLO | {"group_by": "series"},
    "seen": {"clauses": [{"visual": {"text": "red car"}}]},
    "fused": {"clauses": [{"text": {"text": "hello"}}, {"label": {"name": "face"}}], "limit": 3},
    "filtered": HELLO | {"filters": {"kinds": ["episode"]}},
    "nothing": HELLO | {"filters": {"genres": ["western"]}},
}


class Python:
    """The gateways of an engine, as a program uses them."""

    def __init__(self, engine: SearchEngine) -> None:
        self._engine = engine

    def beside(self, body: dict[str, Any], of: tuple[str, ...], title: str, bins: int, most: int) -> dict[str, Any]:
        query = read_query(body)
        with self._engine.gateway() as gateway:
            facets, timeline = gateway.facets(query, of), gateway.view(query, Timeline(title, bins))
            speakers = gateway.view(query, Characters())
        return {
            "facets": [
                {
                    "facet": name,
                    "values": [asdict(one) | {"value": str(one.value)} for one in facets[name][:most]],
                    "total": len(facets[name]),
                }
                for name in of
            ],
            "timeline": timeline,
            "characters": {"speakers": speakers[:most], "total": len(speakers)},
        }

    def rows(self, title: str, **part: Any) -> list[dict[str, Any]]:
        with self._engine.gateway() as gateway:
            rows = gateway.annotations(title, **part)
            parts = gateway.reader.manifest.algorithms
        found = []
        for row in rows:
            # A number that is none, or has no end, is null in JSON.
            own = {name: plain(row.pop(name)) for name in own_fields(parts[row["algorithm"]])}
            box = {name: row.pop(name) for name in ("x", "y", "w", "h") if name in row}
            found.append(row | ({"box": box} if box else {}) | {"fields": in_json(own)})
        return found

    def titles(self, rows: list[dict[str, str]]) -> list[str]:
        with self._engine.gateway() as gateway:
            wanted = tuple(
                Where(
                    one["algorithm"],
                    conditions=(Condition(one["field"], one["value"], one.get("comparison", "equals")),),
                )  # type: ignore[arg-type]
                for one in rows
            )
            numbers = gateway.select(Filters(rows=wanted)).title_nos
            assert numbers is not None
            titles = gateway.catalogue.titles
            return sorted(titles["title_id"].gather(titles["title_no"].is_in(sorted(numbers)).arg_true()))


class GraphQL:
    """GraphQL, with all that there is to select."""

    def __init__(self, server: Server) -> None:
        self._ask = server.ask

    def beside(self, body: dict[str, Any], of: tuple[str, ...], title: str, bins: int, most: int) -> dict[str, Any]:
        variables = {"clauses": camel(body["clauses"]), "filters": camel(body.get("filters"))}
        variables |= {"groupBy": body.get("group_by", "").upper() or None, "first": body.get("limit", 20)}
        own = {"of": [name.upper() for name in of], "title": title, "bins": bins, "most": most}
        found: dict[str, Any] = snake(self._told(BESIDE, **variables, **own)["search"])
        for one in found["facets"]:
            one["facet"] = one["facet"].lower()
        return found

    def rows(self, title: str, **part: Any) -> list[dict[str, Any]]:
        return list(self.annotations(title, first=500, **camel(part))["rows"])

    def annotations(self, title: str, **given: Any) -> dict[str, Any]:
        told = self._told(ANNOTATIONS, title=title, **given)["annotations"]
        typed = [row.pop("own") for row in told["rows"]]
        assert [one is not None for one in typed] == [bool(row["fields"]) for row in told["rows"]]
        found: dict[str, Any] = snake(told)
        return found

    def titles(self, rows: list[dict[str, str]]) -> list[str]:
        given = [one | {"comparison": one["comparison"].upper()} for one in rows]
        told = self._told("query($r: [HasRow!]) { titles(filters: {rows: $r}) { titles { titleId } } }", r=given)
        return [one["titleId"] for one in told["titles"]["titles"]]

    def _told(self, query: str, **variables: Any) -> dict[str, Any]:
        said = self._ask(query, **variables)
        if "errors" in said:
            raise Refused(said["errors"][0]["message"])
        data: dict[str, Any] = said["data"]
        return data


class ByGrpc:
    """gRPC."""

    def __init__(self, server: Server) -> None:
        self.stub = Grpc(server).stub

    def beside(self, body: dict[str, Any], of: tuple[str, ...], title: str, bins: int, most: int) -> dict[str, Any]:
        wanted = {"facets": {"of": of, "most": most}, "timeline": {"title": title, "bins": bins}}
        request = messages.SearchRequest(query=as_message(body), characters={"most": most}, **wanted)
        return dict(self._told(self.stub.Search, request))

    def rows(self, title: str, **part: Any) -> list[dict[str, Any]]:
        return list(self.annotations(title, limit=500, **part)["rows"])

    def annotations(self, title: str, **given: Any) -> dict[str, Any]:
        request = messages.AnnotationsRequest(title=title, **given)
        return dict(self._told(self.stub.Annotations, request))

    def titles(self, rows: list[dict[str, str]]) -> list[str]:
        told = self._told(self.stub.Titles, messages.TitlesRequest(filters={"rows": rows}))
        return [one["title_id"] for one in told["titles"]]

    def _told(self, method: Callable[[Any], Any], request: Any) -> Any:
        try:
            return as_dict(method(request))
        except grpc.RpcError as error:
            raise Refused(error.details()) from error


@pytest.fixture(scope="module")
def python(engine: SearchEngine) -> Python:
    return Python(engine)


@pytest.fixture(params=[GraphQL, ByGrpc])
def face(request: pytest.FixtureRequest, server: Server) -> GraphQL | ByGrpc:
    made: GraphQL | ByGrpc = request.param(server)
    return made


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize("most", [1, 20])
def test_facets_timeline_and_characters_are_those_of_python(
    question: str, most: int, python: Python, face: GraphQL | ByGrpc
) -> None:
    body = QUESTIONS[question]
    expected = python.beside(body, FACETS, "harbour", 7, most)
    found = face.beside(body, FACETS, "harbour", 7, most)
    assert without_nulls({name: found.get(name, {}) for name in expected}) == without_nulls(expected)
    counted = [one["hits"] for facet in found["facets"] for one in facet["values"]]
    assert bool(counted) == (question != "nothing")
    if question == "words":
        assert found["total"] == 4 and len(found["hits"]) == 2, "they are of all pages, and beside one"
        (titles,) = (one for one in found["facets"] if one["facet"] == "title")
        assert titles["total"] == 3 and len(titles["values"]) == min(most, 3)
        assert sum(one["hits"] for one in found["timeline"]) >= 2


PARTS: dict[str, dict[str, Any]] = {
    "all": {},
    "a part": {"start_ms": 600, "end_ms": 3000},
    "of two": {"algorithms": ["signs", "faces"]},
    "instant": {"start_ms": 8, "end_ms": 9, "algorithms": ["motion"]},
}


@pytest.mark.parametrize("part", PARTS)
def test_annotations_are_those_of_python(part: str, python: Python, face: GraphQL | ByGrpc) -> None:
    expected, found = python.rows("meadow", **PARTS[part]), face.rows("meadow", **PARTS[part])
    assert without_nulls(found) == without_nulls(expected)
    assert found
    if part == "all":
        (named,) = (row for row in found if row["fields"].get("name"))
        assert named["fields"] == {"name": "O'Neil", "age": 40, "seen": False} and named["label"] == "face"
        (sign,) = (row for row in found if row["algorithm"] == "signs")
        assert sign["box"] == {"x": 0.25, "y": 0.5, "w": 0.125, "h": 0.0625}
        assert {row["algorithm"] for row in found} >= {"dialogue", "visual", "loud", "motion", "onscreen_text"}


def test_pages_of_annotations_side_by_side_are_all_of_them(face: GraphQL | ByGrpc) -> None:
    size, cursor = ("first", "after") if isinstance(face, GraphQL) else ("limit", "cursor")
    found: list[Any] = []
    page: dict[str, Any] = {}
    while not found or page.get("next_cursor"):
        page = face.annotations("meadow", **{size: 2}, **({cursor: page["next_cursor"]} if found else {}))
        found += page["rows"]
        assert page["snapshot"] == "1-aaaaaaaa" and page["release"] == 1
    whole = face.annotations("meadow", **{size: 500})
    assert found == whole["rows"] and len(found) == whole["total"] == page["total"] > 4
    with pytest.raises(Refused, match="belongs to another question"):
        face.annotations("harbour", **{size: 2, cursor: face.annotations("meadow", **{size: 2})["next_cursor"]})


@pytest.mark.parametrize(
    ("rows", "titles"),
    [
        ([{"algorithm": "faces", "field": "age", "value": "35", "comparison": "least"}], ["meadow"]),
        ([{"algorithm": "faces", "field": "age", "value": "30", "comparison": "least"}], ["harbour", "meadow"]),
        (
            [
                {"algorithm": "faces", "field": "age", "value": "30", "comparison": "least"},
                {"algorithm": "loud", "field": "level", "value": "-10", "comparison": "least"},
            ],
            ["harbour"],
        ),
    ],
)
def test_titles_are_found_by_what_algorithms_found_in_them(
    rows: list[dict[str, str]], titles: list[str], python: Python, face: GraphQL | ByGrpc
) -> None:
    assert face.titles(rows) == python.titles(rows) == titles


WRONG: dict[str, Callable[[Any], Any]] = {
    "no such title": lambda face: face.rows("no such film"),
    "several titles": lambda face: face.rows("night shift"),
    "no such algorithm": lambda face: face.rows("meadow", algorithms=["smell"]),
    "backwards": lambda face: face.rows("meadow", start_ms=9, end_ms=9),
    "a timeline of nothing": lambda face: face.beside(HELLO, (), "no such film", 7, 1),
    "too many bins": lambda face: face.beside(HELLO, (), "harbour", 0, 1),
    "rows of nothing": lambda face: face.titles(
        [{"algorithm": "smell", "field": "a", "value": "1", "comparison": "least"}]
    ),
    "rows of no field": lambda face: face.titles(
        [{"algorithm": "faces", "field": "size", "value": "1", "comparison": "least"}]
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_gets_the_sentence_of_python(wrong: str, python: Python, face: GraphQL | ByGrpc) -> None:
    with pytest.raises(MediaflowError) as expected:
        WRONG[wrong](python)
    with pytest.raises(Refused) as found:
        WRONG[wrong](face)
    assert str(found.value) == expected.value.message


@pytest.mark.parametrize("most", [0, 501])
def test_lists_have_a_size(most: int, face: GraphQL | ByGrpc) -> None:
    with pytest.raises(Refused, match=r"from 1 to 500|costs 1\d+, and may cost"):
        face.beside(HELLO, ("genre",), "harbour", 7, most)


def test_an_unknown_facet_is_a_sentence(server: Server) -> None:
    with pytest.raises(Refused, match="There is no facet 'colour'; there are title, series"):
        ByGrpc(server).beside(HELLO, ("colour",), "harbour", 7, 1)
    with pytest.raises(Refused, match="'COLOUR' does not exist in 'Facet' enum"):
        GraphQL(server).beside(HELLO, ("colour",), "harbour", 7, 1)


def test_in_a_stream_they_come_with_the_first_page(server: Server) -> None:
    request = messages.SearchRequest(query=as_message(HELLO | {"limit": 1}), facets={"of": ["genre"]}, characters={})
    first, *rest = ByGrpc(server).stub.SearchPages(request)
    assert first.facets[0].total == 3 and first.characters.total == 4
    assert len(rest) == 3 and not any(page.facets or page.HasField("characters") for page in rest)


def test_what_is_worked_out_beside_an_answer_costs_what_a_search_does(server: Server) -> None:
    def cost(*fields: str, around: str = "") -> str:
        body = " ".join(f"a{at}: {field}" for at, field in enumerate(fields))
        said = server.ask(f'{{ search(clauses: [{{dialogue: {{text: "hello"}}}}], first: 1) {{ {body} }} }} {around}')
        return str(said["errors"][0]["message"]) if "errors" in said else ""

    title = 'timeline(title: "harbour"%s) { hits }'
    assert not cost(*["facets(of: [GENRE], most: 28) { total }"] * 20), "21 + 20 * (20 + 28)"
    assert "costs 1029" in cost(*["facets(of: [GENRE], most: 28) { total }"] * 21)
    assert "costs 1041" in cost("facets(of: [GENRE, YEAR], most: 500) { total }")
    assert "costs 1011" in cost(title % ", bins: 950", "characters(most: 0) { total }")
    assert not cost(title % ", bins: 950")
    spread = f"fragment F on Answer {{ b0: {title % ', bins: 900'} b1: {title % ''} }}"
    assert "costs 1011" in cost("total ...F ...F", around=spread)
    assert "costs 1011" in cost("total ... on Answer { ...F }", around=spread)
    rows = 'annotations(title: "harbour", first: %d) { total }'
    assert "errors" not in server.ask("{" + " ".join(f"a{at}: {rows % 230}" for at in range(4)) + "}")
    assert "costs 1004" in str(server.ask("{" + " ".join(f"a{at}: {rows % 231}" for at in range(4)) + "}"))


BESIDE = """
query Ask(
  $clauses: [Clause!]!, $filters: Filters, $groupBy: GroupBy, $first: Int
  $of: [Facet!]!, $title: String!, $bins: Int, $most: Int
) {
  search(clauses: $clauses, filters: $filters, groupBy: $groupBy, first: $first) {
    total hits { titleId }
    facets(of: $of, most: $most) { facet values { value hits } total }
    timeline(title: $title, bins: $bins) { startMs endMs hits score }
    characters(most: $most) { speakers { titleId speaker hits startMs endMs score } total }
  }
}
"""
ANNOTATIONS = """
query Read($title: String!, $startMs: Int, $endMs: Int, $algorithms: [String!], $first: Int, $after: String) {
  annotations(
    title: $title, startMs: $startMs, endMs: $endMs, algorithms: $algorithms, first: $first, after: $after
  ) {
    snapshot release total nextCursor
    rows {
      algorithm startMs endMs revision shotNo text label confidence score box { x y w h } fields own { algorithm }
    }
  }
}
"""
