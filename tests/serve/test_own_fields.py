"""Own fields in GraphQL: typed members of the snapshot's own schema, which say the same as `where` does."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from graphql import assert_valid_schema
from hypothesis import given, settings
from hypothesis import strategies as st

from mediaflow.serve.graphql.limits import Documents
from mediaflow.serve.graphql.names import camel, members
from mediaflow.serve.graphql.schemas import Schemas
from mediaflow.serve.work import Work
from mediaflow.snapshots.manifest import AlgorithmPart
from tests.conftest import examples
from tests.serve.conftest import Server
from tests.serve.process import SCENES

HITS = "total hits { titleId startMs sources { algorithm fields own { __typename algorithm %s } } }"
SCENE = "... on ScenesRow { inDoor people pixels light mood tags lines corner place { floor roomNames } value_ }"
ASK = "query($clauses: [Clause!]!, $filters: Filters, $sortBy: SortBy) { search(clauses: $clauses, filters: $filters, "
ASK += f"sortBy: $sortBy) {{ {HITS % SCENE} }} }}"


def ask(server: Server, **variables: Any) -> Any:
    body = server.ask(ASK, **variables)
    assert "errors" not in body, body
    return body["data"]["search"]


def condition(field: str, value: Any, comparison: str = "EQUALS") -> dict[str, Any]:
    return {"field": field, "value": value, "comparison": comparison}


PAIRS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"value": "night"}, {"value": "night"}),
    (
        {"people": {"least": 0, "most": 3}},
        {"conditions": [condition("people", 0, "LEAST"), condition("people", 3, "MOST")]},
    ),
    (
        {"light": {"equals": 0.1}, "inDoor": {"equals": True}},
        {"conditions": [condition("light", 0.1), condition("in_door", True)]},
    ),
    ({"pixels": {"equals": str(2**60 + 1)}}, {"conditions": [condition("pixels", str(2**60 + 1))]}),
    ({"pixels": {"least": 5}}, {"conditions": [condition("pixels", 5, "LEAST")]}),
    ({"mood": {"equals": "CALM"}, "light": None}, {"conditions": [condition("mood", "calm")]}),
    ({"tags": {"contains": "NIGHT"}}, {"conditions": [condition("tags", "night", "CONTAINS")]}),
    ({"lines": {"contains": 3}}, {"conditions": [condition("lines", 3, "CONTAINS")]}),
    ({"corner": {"contains": 0.25}}, {"conditions": [condition("corner", 0.25, "CONTAINS")]}),
    ({"value_": {"most": 1.0}, "value": "day"}, {"value": "day", "conditions": [condition("value", 1.0, "MOST")]}),
]


@pytest.mark.parametrize(("by", "where"), PAIRS, ids=[str(list(by)) for by, _ in PAIRS])
def test_typed_members_say_what_a_clause_where_says(server: Server, by: Any, where: Any) -> None:
    clause = {"where": {"algorithm": "scenes", **where}}
    found = ask(server, clauses=[{"by": {"scenes": by}}])
    assert found == ask(server, clauses=[clause]) and found["total"]
    hello = {"dialogue": {"text": "hello"}}
    filtered = ask(server, clauses=[hello], filters={"by": [{"scenes": by}]})
    assert filtered == ask(server, clauses=[hello], filters={"rows": [clause["where"]]})
    # In the document itself, and below other clauses.
    written = f"search(clauses: [{{all: [{{by: {{scenes: {literal(by)}}}}}]}}]) {{ total }}"
    assert server.ask(f"{{ {written} }}") == {"data": {"search": {"total": found["total"]}}}


def literal(value: Any) -> str:
    """Return a value as it is written in a document."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {literal(one)}" for name, one in value.items()) + "}"
    return f"[{', '.join(map(literal, value))}]" if isinstance(value, list) else json.dumps(value)


def test_rows_show_their_own_fields_typed(server: Server) -> None:
    found = ask(server, clauses=[{"by": {"scenes": {}}}, {"dialogue": {"text": "you"}}])
    sources = [(hit["titleId"], source) for hit in found["hits"] for source in hit["sources"]]
    rows = {title: source for title, source in sources if source["algorithm"] == "scenes"}
    for scene in SCENES:
        own, fields = rows[scene["title_id"]]["own"], rows[scene["title_id"]]["fields"]
        assert own.pop("__typename") == "ScenesRow" and own.pop("algorithm") == "scenes"
        place = own.pop("place")
        if place is not None:
            place = {"floor": place["floor"], "room_names": place["roomNames"]}
        told = {
            "value" if name == "value_" else "in_door" if name == "inDoor" else name: one for name, one in own.items()
        }
        assert told | {"place": place} == fields
        light = scene.get("light")
        assert (own["light"] is None) == (light is None or math.isnan(light))
    (said,) = (source for _, source in sources if source["algorithm"] == "dialogue")
    assert said["own"] == {"__typename": "DialogueRow", "algorithm": "dialogue"}
    large = rows["harbour"]["own"]
    assert large["pixels"] == str(2**60 + 1) and large["lines"] == [str(2**60), 3]


def test_annotations_have_them_typed_too(server: Server) -> None:
    own = "own { ... on ScenesRow { people place { floor } } ... on FacesRow { age } }"
    some = 'title: "harbour", algorithms: ["scenes", "faces", "visual"]'
    found = server.ask(f"{{ annotations({some}) {{ rows {{ {own} }} }} }}")
    rows = [row["own"] for row in found["data"]["annotations"]["rows"]]
    assert rows == [{"age": 30}, {"people": 2, "place": {"floor": 1}}, None, None]


def test_a_row_without_own_fields_has_none(server: Server) -> None:
    found = ask(server, clauses=[{"by": {"signs": {"region": {"x": 0, "y": 0, "w": 1, "h": 1}}}}])
    assert found["total"] == 1 and found["hits"][0]["sources"][0] == {"algorithm": "signs", "fields": None, "own": None}


def test_hits_are_sorted_by_a_field_of_the_schema(server: Server) -> None:
    for descending in (False, True):
        plain = {"algorithm": "scenes", "field": "people", "descending": descending}
        found = ask(server, clauses=[{"by": {"scenes": {}}}], sortBy={"own": "SCENES_PEOPLE", "descending": descending})
        assert found == ask(server, clauses=[{"by": {"scenes": {}}}], sortBy=plain)
        titles = [hit["titleId"] for hit in found["hits"]]
        some = ["night-shift-s01e01", "harbour", "meadow"]
        assert titles == [*(some[::-1] if descending else some), "night-shift-s01e02"]


@pytest.mark.parametrize(
    ("sort", "said"),
    [
        ({"own": "SCENES_PEOPLE", "field": "mood"}, "not as both"),
        ({"field": "mood"}, "sort.algorithm: Field required"),
    ],
)
def test_an_order_is_said_in_one_way(server: Server, sort: dict[str, Any], said: str) -> None:
    written = sort | ({"own": "$"} if "own" in sort else {})
    document = f"{{ search(clauses: [{{by: {{scenes: {{}}}}}}], sortBy: {literal(written)}) {{ total }} }}"
    twice = 'sort: TIME, sortBy: {algorithm: "a", field: "b"}'
    bodies = [
        server.ask(ASK, clauses=[{"by": {"scenes": {}}}], sortBy=sort),
        server.ask(document.replace('"$"', "SCENES_PEOPLE")),
        server.ask(f"{{ search(clauses: [{{by: {{scenes: {{}}}}}}], {twice}) {{ total }} }}"),
    ]
    for body, sentence in zip(bodies, (said, said, "not both"), strict=True):
        (error,) = body["errors"]
        assert error["extensions"]["code"] == "UsageError" and sentence in error["message"], error


NOT = {"by": {"faces": {"shoe": {}}}}
MISSING: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "by": ({"clauses": [{"by": {"scenes": {"smell": {"equals": 1}}}}]}, {"algorithm": "scenes", "field": "smell"}),
    "deeper": ({"clauses": [{"all": [{"not": NOT}]}]}, {"algorithm": "faces", "field": "shoe"}),
    "filter": ({"filters": {"by": [{"loud": {"peak": {"least": 1}}}]}}, {"algorithm": "loud", "field": "peak"}),
    "algorithm": ({"clauses": [{"by": {"smells": {}}}]}, {"algorithm": "smells"}),
    "order": ({"sortBy": {"own": "SCENES_SMELL"}}, {"field": "SCENES_SMELL"}),
}


@pytest.mark.parametrize("what", MISSING)
def test_what_is_not_there_is_a_typed_error(server: Server, what: str) -> None:
    """In variables, and in the document itself."""
    given, fields = MISSING[what]
    variables: dict[str, Any] = {"clauses": [{"text": {"text": "a"}}], **given}
    written = ", ".join(f"{name}: {literal(one)}" for name, one in variables.items())
    written = written.replace('"SCENES_SMELL"', "SCENES_SMELL")
    for body in (server.ask(ASK, **variables), server.ask(f"{{ search({written}) {{ total }} }}")):
        (error,) = body["errors"]
        assert error["extensions"]["code"] == ("NoSuchAlgorithm" if what == "algorithm" else "NoSuchField")
        assert error["locations"]
        told = error["extensions"]["fields"]
        assert {name: told[name] for name in fields} == fields and told["there"]
        assert all(one in error["message"] for one in told["there"])


@pytest.mark.parametrize("own", ["... on ScenesRow { smell }", "... on SmellsRow { x }", "...F"])
def test_a_row_that_has_not_what_is_selected_is_a_typed_error(server: Server, own: str) -> None:
    fragment = "fragment F on SmellsRow { x }" if own == "...F" else ""
    body = server.ask(f'{{ search(clauses: [{{text: {{text: "a"}}}}]) {{ {HITS % own} }} }} {fragment}')
    (error,) = body["errors"]
    assert error["extensions"]["code"] == "NoSuchField"
    assert ("mood" if "smell" in own else "ScenesRow") in error["extensions"]["fields"]["there"]


def test_other_mistakes_stay_what_they_are(server: Server) -> None:
    body = server.ask('{ search(clauses: [{by: {scenes: {people: {equals: "many"}}}}]) { total } }')
    told = body["errors"][0]["extensions"]
    assert (told["code"], told["fields"]) == ("UsageError", {})
    body = server.ask(
        "query($c: [Clause!]!) { search(clauses: $c) { total } }", c=[{"by": {"scenes": {"people": {"equals": 1.5}}}}]
    )
    assert "Int cannot represent" in body["errors"][0]["message"]
    body = server.ask('{ search(clauses: [{by: {scenes: {tags: {equals: "a"}}}}]) { total } }')
    assert "not defined by type 'TextsCondition'" in body["errors"][0]["message"]


def test_the_schema_tells_what_the_authors_say(server: Server) -> None:
    question = '{ __type(name: "ByAlgorithm") { isOneOf inputFields { name description type { name } } } }'
    found = server.ask(question)["data"]["__type"]
    told = {one["name"]: one for one in found["inputFields"]}
    assert found["isOneOf"] and told["scenes"]["type"]["name"] == "ScenesWhere"
    assert "team:tests" in told["scenes"]["description"]
    listed = server.ask("{ algorithms { algorithms { name member fields { name member own comparisons } } } }")
    by_name = {one["name"]: one for one in listed["data"]["algorithms"]["algorithms"]}
    fields = {one["name"]: one for one in by_name["scenes"]["fields"]}
    assert by_name["onscreen_text"]["member"] == "onscreenText"
    assert fields["value"] == {
        "name": "value",
        "member": "value_",
        "own": True,
        "comparisons": ["EQUALS", "LEAST", "MOST"],
    }
    assert fields["place"]["comparisons"] == [] and fields["tags"]["comparisons"] == ["CONTAINS"]


names = st.one_of(
    st.sampled_from(["a", "a_b", "aB", "a__b", "_a", "__a", "9a", "ä", "a b", "", "value", "region", "algorithm"]),
    st.sampled_from(["own", "source", "by_algorithm", "true", "null", "clause", "sort_by", "query", "a_", "_", "A"]),
    st.text("ab_1", min_size=1, max_size=4),
)
kinds = st.recursive(
    st.sampled_from(["Int8", "UInt64", "Float32", "Boolean", "String", "Foo", "", "Datetime(time_unit='us')"]),
    lambda inner: st.one_of(
        inner.map(lambda one: f"List({one})"),
        inner.map(lambda one: f"Array({one}, shape=(2,))"),
        st.dictionaries(names, inner, max_size=3).map(
            lambda some: f"Struct({{{', '.join(f'{name!r}: {one}' for name, one in some.items())}}})"
        ),
    ),
    max_leaves=4,
)
parts = st.dictionaries(
    names,
    st.builds(
        AlgorithmPart,
        generation=st.just("g"),
        table=st.just("t"),
        shape=st.sampled_from(["label", "text", "boxed_text", "range", "shot_vector", "smell"]),
        version=st.just("1"),
        owner=st.sampled_from(["team:x", '"""']),
        description=st.text(max_size=9),
        fields=st.dictionaries(names, kinds, max_size=4),
        model=st.none(),
        shots=st.none(),
    ),
    max_size=4,
)


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    return Schemas(Work(), lambda cost: None)


@settings(examples(0.3))
@given(parts)
def test_no_author_can_break_the_schema(schemas: Schemas, parts: dict[str, AlgorithmPart]) -> None:
    made = schemas.of(parts)
    assert_valid_schema(made.schema)
    assert schemas.of(dict(reversed(list(parts.items())))) is made, "made once"
    # What has a name that GraphQL can have, has a member.
    for name in ("a", "a_b", "value"):
        assert (name in parts) == (name in made.own.algorithms)


def test_a_document_is_valid_by_one_schema_and_not_by_another(schemas: Schemas) -> None:
    part = AlgorithmPart("g", "t", "label", "1", "team:x", "", {"a": "Int8"}, None, None)
    one, other = (schemas.of({name: part}).schema for name in ("first", "second"))
    documents = Documents(lambda cost: None)
    document = documents.parse(None, {"query": "{ search(clauses: [{by: {first: {}}}]) { total } }"})
    for _ in range(2):
        assert not documents.validate(one, document)
        assert documents.validate(other, document)


@pytest.mark.parametrize(
    ("given_names", "expected"),
    [
        (["oklab_l", "oklab_a"], {"oklab_l": "oklabL", "oklab_a": "oklabA"}),
        (["a_1", "a1"], {"a1": "a1", "a_1": "a1_"}),
        (["a_1", "a1", "a1_"], {"a1": "a1", "a1_": "a1_", "a_1": "a1__"}),
        (["value", "text"], {"value": "value_", "text": "text"}),
        (["9a", "__a", "ä", "a b", "", "_a"], {"_a": "_a"}),
    ],
)
def test_names_follow_the_rules(given_names: list[str], expected: dict[str, str]) -> None:
    assert members(given_names, ("value",)) == expected
    assert members(given_names[::-1], ("value",)) == expected


def test_a_name_begins_as_it_did() -> None:
    assert [camel(name) for name in ("on_screen", "_a_b", "a__b", "a_")] == ["onScreen", "_aB", "aB", "a_"]
