"""GraphQL over real sockets: what is answered, what is refused with which words, and what no request can do."""

from __future__ import annotations

import base64
import json
from typing import Any

import httpx
import pytest

from mediaflow.search.process.wire import write_query
from mediaflow.search.query import Dialogue, Query
from mediaflow.serve.cursors import Cursors, Place
from mediaflow.serve.forms import annotation
from mediaflow.serve.graphql.limits import MOST_COST, MOST_DEEP
from mediaflow.serve.http import MOST_BYTES
from tests.serve.conftest import Server
from tests.serve.process import KEY

HELLO = 'search(clauses: [{dialogue: {text: "hello"}}], first: %d) { total nextCursor hits { titleId startMs } }'


def error(body: dict[str, Any]) -> tuple[str, str]:
    """Return code and sentence of the first error."""
    first = body["errors"][0]
    return first["extensions"]["code"], first["message"]


def test_titles_are_listed_page_by_page_under_filters(server: Server) -> None:
    question = 'query($after: String) { titles(filters: {kinds: ["episode"]}, first: 2, after: $after) { %s } }'
    question %= "total nextCursor titles { titleId title kind year genres series season episode }"
    first = server.ask(question)["data"]["titles"]
    second = server.ask(question, after=first["nextCursor"])["data"]["titles"]
    ids = [title["titleId"] for page in (first, second) for title in page["titles"]]
    assert ids == ["night-shift-s01e01", "night-shift-s01e02", "night-shift-s02e01"]
    assert first["total"] == second["total"] == 3 and second["nextCursor"] is None
    one = {"kind": "episode", "year": 2009, "genres": [], "series": "Night Shift", "season": 1, "episode": 1}
    assert first["titles"][0] == {"titleId": ids[0], "title": "First", **one}


def test_algorithms_say_what_they_are(server: Server) -> None:
    found = server.ask("{ algorithms { algorithms { name owner shape rows pending titles fields { name type } } } }")
    by_name = {one["name"]: one for one in found["data"]["algorithms"]["algorithms"]}
    assert by_name["loud"] == {
        "name": "loud",
        "owner": "team:tests",
        "shape": "range",
        "rows": 2,
        "pending": 0,
        "titles": 5,
        "fields": [{"name": "level", "type": "Float32"}],
    }


def test_null_is_as_good_as_nothing(server: Server) -> None:
    nothing = """{ search(
        clauses: [{dialogue: {text: "hello", language: null, speaker: null}}, {visual: {text: "red", everything: null}}]
        filters: {titles: null, genres: null}, groupBy: null, sort: null, first: null, after: null
    ) { total } }"""
    plain = '{ search(clauses: [{dialogue: {text: "hello"}}, {visual: {text: "red"}}]) { total } }'
    assert server.ask(nothing) == server.ask(plain) and server.ask(plain)["data"]


def test_an_explanation_gives_the_steps(server: Server) -> None:
    found = server.ask('{ explain(clauses: [{dialogue: {text: "hello"}}]) { steps { algorithm how found cpuMs } } }')
    (step,) = found["data"]["explain"]["steps"]
    assert (step["algorithm"], step["how"], step["found"]) == ("dialogue", "words", 5)
    assert step["cpuMs"] > 0


def test_a_picture_is_uploaded_as_a_file_or_given_in_base64(server: Server) -> None:
    question = """query($picture: PictureClause!) {
        search(clauses: [{similar: {picture: $picture}}], first: 3) { hits { titleId startMs score } } }"""
    red = b"\xff\x00\x00"
    given = server.ask(question, picture={"data": base64.b64encode(red).decode()})["data"]["search"]["hits"]
    uploaded = upload(server, question, red)["data"]["search"]["hits"]
    assert uploaded == given and given[0]["titleId"] == "night-shift-s01e01"
    assert error(upload(server, question, b"four")) == (
        "UsageError",
        "still.jpg: That is no picture; give a JPEG or PNG.",
    )


def upload(server: Server, question: str, data: bytes) -> dict[str, Any]:
    parts = {
        "operations": (None, json.dumps({"query": question, "variables": {"picture": {"file": None}}})),
        "map": (None, json.dumps({"0": ["variables.picture.file"]})),
        "0": ("still.jpg", data),
    }
    body: dict[str, Any] = httpx.post(f"{server.url}/graphql", files=parts).json()
    return body


@pytest.mark.parametrize(
    ("question", "code", "said"),
    [
        ('{ search(clauses: [{not: {dialogue: {text: "a"}}}]) { total } }', "UsageError", "stands in 'all'"),
        ("{ search(clauses: []) { total } }", "UsageError", "at least one clause"),
        ("{ search(clauses: [{}]) { total } }", "UsageError", "must specify exactly one key"),
        (
            '{ search(clauses: [{text: {text: "a"}, visual: {text: "b"}}]) { total } }',
            "UsageError",
            "must specify exactly one key",
        ),
        ("{ search(clauses: [{dialog: {}}]) { total } }", "UsageError", "'dialog' is not defined"),
        ("{ nothing }", "UsageError", "Cannot query field 'nothing'"),
        ("{ search(", "UsageError", "Syntax Error"),
        ("mutation { search }", "UsageError", "not configured to execute mutation"),
        ("{" + HELLO % 501 + "}", "UsageError", "from 1 to 500"),
        ("{" + HELLO % 0 + "}", "UsageError", "from 1 to 500"),
        ('{ titles(filters: {titles: ["no such"]}) { total } }', "UsageError", "There is no title 'no such'"),
        (
            '{ titles(filters: {rows: [{algorithm: "a", field: "b", value: "c"}]}) { total } }',
            "NoSuchAlgorithm",
            "has nothing of 'a'",
        ),
        ('{ search(clauses: [{text: {text: "a"}}], after: "x") { total } }', "WrongCursor", "no cursor of this server"),
        (
            '{ search(clauses: [{similar: {picture: {data: "?"}}}]) { total } }',
            "UsageError",
            "picture.data is not base64",
        ),
        ('{ search(clauses: [{similar: {picture: {file: "a"}}}]) { total } }', "UsageError", "not supported"),
    ],
)
def test_what_is_wrong_is_said_with_a_code_and_without_a_trace(
    server: Server, question: str, code: str, said: str
) -> None:
    body = server.ask(question)
    assert error(body)[0] == code and said in error(body)[1]
    assert body["errors"][0]["extensions"].keys() == {"code", "fields", "requestId"}
    assert "Traceback" not in str(body) and ".py" not in str(body)


def test_errors_carry_their_fields(server: Server) -> None:
    body = server.ask('{ titles(filters: {titles: ["no such"]}) { total } }')
    assert body["errors"][0]["extensions"]["fields"] == {"title": "no such"}


@pytest.mark.parametrize("release", ["-1", "twelve", "١", "9" * 16, ""])
def test_a_release_that_is_none_is_refused(server: Server, release: str) -> None:
    response = post(server, b'{"query": "{ status { ready } }"}', **{"mediaflow-release": release.encode()})
    assert response.status_code == 400 and error(response.json())[0] == "UsageError"
    assert "'Mediaflow-Release' takes the number of a release" in error(response.json())[1]


def test_a_cursor_belongs_to_its_question_and_to_this_server(server: Server) -> None:
    cursor = server.ask("{" + HELLO % 1 + "}")["data"]["search"]["nextCursor"]
    after = 'query($after: String) { search(clauses: [{dialogue: {text: "%s"}}], first: %d, after: $after) { total } }'
    assert "errors" not in server.ask(after % ("hello", 1), after=cursor)
    assert error(server.ask(after % ("you", 1), after=cursor))[0] == "WrongCursor"
    assert error(server.ask(after % ("hello", 2), after=cursor))[0] == "WrongCursor"
    forged = Cursors("another key, not this one").write(Place("1-aaaaaaaa", 1), None)
    for one in (forged, cursor[:-1], f"{cursor}a", "ü", "x" * 5000):
        assert error(server.ask(after % ("hello", 1), after=one))[0] == "WrongCursor", one


def test_a_cursor_whose_snapshot_has_gone_says_so(server: Server) -> None:
    question = write_query(Query((Dialogue("hello"),), limit=1))
    gone = Cursors(KEY).write(Place("0-bbbbbbbb", 1), question)
    body = server.ask(
        'query($a: String) { search(clauses: [{dialogue: {text: "hello"}}], first: 1, after: $a) { total } }', a=gone
    )
    assert error(body)[0] == "SnapshotExpired"
    assert body["errors"][0]["extensions"]["fields"]["snapshot"] == "0-bbbbbbbb"


def test_a_request_may_cost_so_much(server: Server) -> None:
    many = " ".join(f"a{at}: {HELLO % 230}" for at in range(4))
    assert "errors" not in server.ask(f"{{{many}}}"), "4 * (230 + 20)"
    assert f"costs {MOST_COST + 1}" in error(server.ask(f"{{{many} status {{ ready }}}}"))[1]
    spread = f"{{...A}} fragment A on Query {{ {many} status {{ ready }} }}"
    assert f"costs {MOST_COST + 1}" in error(server.ask(spread))[1]
    inline = f"{{... {{ {many} }} ... on Query {{ status {{ ready }} }} }}"
    assert f"costs {MOST_COST + 1}" in error(server.ask(inline))[1]
    varied = "query($n: Int = 500) { %s }"
    some = " ".join(f"a{at}: " + HELLO.replace("%d", "$n") for at in range(2))
    assert "costs 1040" in error(server.ask(varied % some))[1]
    assert "errors" not in server.ask(varied % some, n=5)
    assert "costs 1040" in error(server.ask(varied % some, n=500))[1]


def test_a_request_may_be_so_deep(server: Server) -> None:
    def schema(depth: int) -> str:
        return "{ __schema { types { name " + "ofType { " * depth + "name" + " }" * depth + " } } }"

    assert "errors" not in server.ask(schema(MOST_DEEP - 3))
    assert f"at most {MOST_DEEP} deep" in error(server.ask(schema(MOST_DEEP - 2)))[1]
    around = "{...A} fragment A on Query { ...B ...B } fragment B on Query { ...A ...C } fragment C on Query { ...A }"
    assert "Cannot spread fragment" in error(server.ask(around))[1]
    doubled = "".join(f"fragment F{at} on Query {{ ...F{at + 1} ...F{at + 1} }} " for at in range(60))
    assert "errors" not in server.ask(f"{{ ...F0 }} {doubled} fragment F60 on Query {{ status {{ ready }} }}")
    assert "nested too deeply" in error(server.ask("{a" * 1900))[1]


def test_the_schema_tells_itself(server: Server) -> None:
    found = server.ask('{ __type(name: "Clause") { isOneOf inputFields { name description } } }')["data"]["__type"]
    assert found["isOneOf"] and "timeJoin" in {one["name"] for one in found["inputFields"]}


def test_numbers_that_no_json_has_are_null() -> None:
    row = {"algorithm": "loud", "score": float("inf"), "x": 0.5, "y": None}
    own = {"level": [float("nan"), {"a": -0.5}], "whole": 2**53, "beyond": -(2**53) - 1, "so": True}
    told = annotation(row | own, list(own))
    assert told.pop("fields") == own | {"level": [None, {"a": -0.5}], "beyond": "-9007199254740993"}
    assert told == {"algorithm": "loud", "score": None}


def test_a_field_of_an_authors_own_is_no_column_of_the_shape() -> None:
    assert annotation({"algorithm": "loud", "text": "a"}, ["text"]) == {"algorithm": "loud", "fields": {"text": "a"}}


def post(server: Server, data: bytes, kind: str = "application/json", **headers: str | bytes) -> httpx.Response:
    return httpx.post(f"{server.url}/graphql", content=data, headers={"content-type": kind, **headers}, timeout=30)


BOUNDARY = "multipart/form-data; boundary=x"


def form(**fields: str) -> bytes:
    parts = [
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    return "".join([*parts, "--x--\r\n"]).encode()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "application/json"),
        (b"{", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[]", "application/json"),
        (b"null", "application/json"),
        (b'{"query": 5}', "application/json"),
        (b'{"query": "{ status { ready } }", "variables": []}', "application/json"),
        (b'{"query": "{ status { ready } }", "operationName": "Other"}', "application/json"),
        (b'{"query": "{ status { ready } }", "variables": {"a": "\\ud800"}}', "application/json"),
        (
            b'{"query": "query($a: String!) {search(clauses: [{dialogue: {text: $a}}]) {total}}",'
            b'"variables": {"a": "\\udc00"}}',
            "application/json",
        ),
        (b'{"query": "{ titles(after: \\"\\ud800\\") { total } }"}', "application/json"),
        (b'{"query": "{ \\ud800 }"}', "application/json"),
        (b"[" * 100_000, "application/json"),
        (
            b'{"query": "{ status { ready } }", "variables": {"a": ' + b"[" * 900 + b"]" * 900 + b"}}",
            "application/json",
        ),
        (b'{"query": "{ status { ready } }"}', "text/plain"),
        (form(operations="[1]", map="{}"), BOUNDARY),
        (form(operations="{}", map="[]"), BOUNDARY),
        (form(map="{}"), BOUNDARY),
        (form(operations='{"query": "{ status { ready } }"}', map='{"0": ["variables.a"]}'), BOUNDARY),
        (b"nothing of the kind", BOUNDARY),
        (b"", "multipart/form-data"),
    ],
)
def test_no_body_is_an_internal_error(server: Server, data: bytes, kind: str) -> None:
    response = post(server, data, kind)
    assert response.status_code in (200, 400) and "InternalError" not in response.text
    if response.status_code == 400 and "json" in response.headers["content-type"]:
        assert error(response.json())[0] == "UsageError"


def test_clauses_too_deep_for_anything_are_refused(server: Server) -> None:
    deep = '{"any": [' * 450 + '{"text": {"text": "a"}}' + "]}" * 450
    question = "query($c: [Clause!]!) { search(clauses: $c) { total } }"
    response = post(server, f'{{"query": "{question}", "variables": {{"c": [{deep}]}}}}'.encode())
    code, said = error(response.json())
    assert code == "UsageError" and "deep" in said


def test_a_body_may_be_so_large(server: Server) -> None:
    response = post(server, b'{"query": "' + b" " * MOST_BYTES + b'"}')
    assert response.status_code == 413 and error(response.json())[0] == "TooLarge"

    def chunks() -> Any:
        for _ in range(MOST_BYTES // 2**20 + 1):
            yield b" " * 2**20

    response = httpx.post(
        f"{server.url}/graphql", content=chunks(), headers={"content-type": "application/json"}, timeout=30
    )
    assert response.status_code == 413 and "at most 64 MiB" in error(response.json())[1]


def test_the_page_comes_from_here_alone(server: Server) -> None:
    page = httpx.get(server.url)
    assert page.status_code == 200 and "http:" not in page.text and "https:" not in page.text
    for path in ("/try.js", "/try.css"):
        assert path in page.text and httpx.get(server.url + path).status_code == 200
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy and page.headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in page.headers


def test_another_name_of_this_machine_is_refused(server: Server) -> None:
    """A page elsewhere can make its own name lead here, and would then read what is answered."""
    assert httpx.get(f"{server.url}/healthz", headers={"host": "films.example"}).status_code == 400
    assert httpx.get(f"{server.url}/healthz", headers={"host": "localhost:1"}).json() == {"alive": True}


def test_there_is_nothing_else(server: Server) -> None:
    assert httpx.get(f"{server.url}/try.html").status_code == 404
    assert httpx.get(f"{server.url}/graphql").status_code == 405
