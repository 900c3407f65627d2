"""Whatever is sent, no face has a fault or takes too long: requests made of the schema by a fuzzer, and any bytes."""

from __future__ import annotations

import time
from typing import Any

import grpc
import pytest
from graphql import is_scalar_type, is_specified_scalar_type, print_schema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis_graphql import nodes, queries

from mediaflow.serve.graphql.limits import MOST_CHARACTERS
from mediaflow.serve.graphql.schema import make_schema
from mediaflow.serve.work import LIMIT_S, Work
from tests.conftest import examples
from tests.serve.access.anything import a_message
from tests.serve.access.library import METHODS
from tests.serve.conftest import Server

SCHEMA = make_schema(Work(1))
SCALARS = [
    name for name, kind in SCHEMA.type_map.items() if is_scalar_type(kind) and not is_specified_scalar_type(kind)
]
CUSTOM = dict.fromkeys(SCALARS, st.text(max_size=5).map(nodes.String) | st.just(nodes.Null))
# What may be said of a request: it was answered, was wrong, or came to the wrong time.
SAID = {
    grpc.StatusCode.OK,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
}
HELLO = '{ search(clauses: [{dialogue: {text: "hello"}}], first: 1, after: %s) { nextCursor } }'
fuzzing = settings(examples(0.7), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@pytest.fixture(scope="module")
def channel(server: Server) -> grpc.Channel:
    return grpc.insecure_channel(server.grpc)


def answered(server: Server, **request: Any) -> dict[str, Any]:
    """Return what GraphQL says, which is no fault, in time."""
    begun_s = time.monotonic()
    response = server.client.post(f"{server.url}/graphql", **request)
    assert time.monotonic() - begun_s < LIMIT_S
    assert response.status_code in (200, 400), response.text
    body: dict[str, Any] = response.json()
    assert "InternalError" not in [one["extensions"]["code"] for one in body.get("errors", ())], body
    return body


def called(channel: grpc.Channel, method: str, data: bytes) -> grpc.StatusCode:
    """Return what gRPC says."""
    kind = METHODS[method]
    path = f"/{kind.containing_service.full_name}/{method}"
    try:
        if kind.server_streaming:
            list(channel.unary_stream(path)(data, timeout=LIMIT_S))
        else:
            channel.unary_unary(path)(data, timeout=LIMIT_S)
    except grpc.RpcError as error:
        code: grpc.StatusCode = error.code()
        return code
    return grpc.StatusCode.OK


@fuzzing
@given(query=queries(print_schema(SCHEMA), custom_scalars=CUSTOM).filter(lambda one: len(one) < MOST_CHARACTERS))
def test_requests_made_of_the_schema(query: str, server: Server) -> None:
    answered(server, json={"query": query})


@fuzzing
@given(
    body=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["query", "variables", "operationName", "map", "0"]), inner)
        ),
    ),
    kind=st.sampled_from(
        ["application/json", "multipart/form-data; boundary=x", "text/plain", "application/json; x=é"]
    ),
)
def test_bodies_that_are_no_requests(body: Any, kind: str, server: Server) -> None:
    if isinstance(body, bytes):
        answered(server, content=body, headers={"Content-Type": kind.encode()})  # type: ignore[dict-item]
    else:
        answered(server, json=body)


@fuzzing
@given(data=st.data())
def test_bytes_that_are_sent_as_messages(data: st.DataObject, server: Server, channel: grpc.Channel) -> None:
    method = data.draw(st.sampled_from(sorted(METHODS)))
    # Of this method or of another one, whose fields are of other types.
    kind = METHODS[data.draw(st.sampled_from(sorted(METHODS)))].input_type
    sent = bytearray(a_message(kind, data.draw).SerializeToString())
    for at, new in data.draw(st.lists(st.tuples(st.integers(0, 500), st.binary(max_size=4)), max_size=3)):
        sent[at : at + len(new)] = new
    sent = sent[: data.draw(st.integers(0, len(sent)) | st.just(len(sent)))]
    said = called(channel, method, bytes(sent))
    assert said in SAID, (method, bytes(sent))


@fuzzing
@given(text=st.text(max_size=60) | st.binary(max_size=40).map(lambda some: some.hex()), data=st.data())
def test_cursors_of_any_kind(text: str, data: st.DataObject, server: Server, channel: grpc.Channel) -> None:
    good = answered(server, json={"query": HELLO % "null"})["data"]["search"]["nextCursor"]
    cut = data.draw(st.integers(0, len(good)))
    for cursor in (text, good[:cut] + text + good[cut:], good[:cut]):
        query = "query($after: String) " + HELLO % "$after"
        body = answered(server, json={"query": query, "variables": {"after": cursor}})
        codes = [one["extensions"]["code"] for one in body.get("errors", ())]
        assert codes == ["WrongCursor"] if cursor and cursor != good else not codes
        if cursor and cursor.isprintable():
            search = METHODS["Search"].input_type
            request = a_message(search, data.draw)
            request.cursor = cursor  # type: ignore[attr-defined]
            assert called(channel, "Search", request.SerializeToString()) == grpc.StatusCode.INVALID_ARGUMENT
