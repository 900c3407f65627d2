"""Both faces ask who asks: without a key nothing is answered, with one what it may see, until it is revoked."""

from __future__ import annotations

import json
from typing import Any

import grpc
import httpx
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from mediaflow.serve.access.audit import FILE
from mediaflow.serve.access.rates import FAILURES
from mediaflow.serve.grpc import search_pb2 as messages
from mediaflow.serve.grpc import search_pb2_grpc as stubs
from mediaflow.serve.grpc.face import ERROR
from tests.deployment.waiting import wait_until
from tests.serve.access.conftest import Locked
from tests.serve.faces import as_message

HELLO = '{ search(clauses: [{dialogue: {text: "hello"}}]) { total hits { titleId } } }'
QUERY = {"clauses": [{"dialogue": {"text": "hello"}}], "limit": 1}


def post(locked: Locked, given: str | None, query: str = HELLO) -> httpx.Response:
    headers = {} if given is None else {"Authorization": given}
    return locked.server.client.post(f"{locked.server.url}/graphql", json={"query": query}, headers=headers)


def call(locked: Locked, given: str | None) -> Any:
    """Return the answer over gRPC, or the code and type of the error."""
    with grpc.insecure_channel(locked.server.grpc) as channel:
        metadata = [] if given is None else [("authorization", given)]
        try:
            return stubs.SearchStub(channel).Search(messages.SearchRequest(query=as_message(QUERY)), metadata=metadata)
        except grpc.RpcError as error:
            return error.code(), dict(error.trailing_metadata())[ERROR]


@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer mf_000000000000_x", "Basic YTpi"])
def test_without_a_valid_key_nothing_is_answered(locked: Locked, given: str | None) -> None:
    refused = post(locked, given)
    assert refused.status_code == 401 and refused.headers["www-authenticate"] == "Bearer"
    assert refused.headers["x-content-type-options"] == "nosniff"
    (error,) = refused.json()["errors"]
    assert error["extensions"]["code"] == "Unauthenticated" and "'Authorization: Bearer KEY'" in error["message"]
    assert call(locked, given) == (grpc.StatusCode.UNAUTHENTICATED, "Unauthenticated")


def test_a_key_sees_its_titles_alone(locked: Locked) -> None:
    everything, some = post(locked, f"Bearer {locked.all}").json(), post(locked, f"bearer {locked.some}").json()
    assert everything["data"]["search"]["total"] == 4
    assert {hit["titleId"] for hit in some["data"]["search"]["hits"]} == {"meadow", "night-shift-s01e02"}
    assert some["data"]["search"]["total"] == call(locked, f"Bearer {locked.some}").total == 2
    told = post(locked, f"Bearer {locked.some}", '{ titles(filters: {titles: ["harbour"]}) { total } }').json()
    assert told["errors"][0]["message"].startswith("There is no title 'harbour'")


def test_a_key_without_the_role_is_refused(locked: Locked) -> None:
    refused = post(locked, f"Bearer {locked.admin}")
    assert refused.status_code == 403 and refused.json()["errors"][0]["extensions"]["code"] == "Forbidden"
    assert call(locked, f"Bearer {locked.admin}") == (grpc.StatusCode.PERMISSION_DENIED, "Forbidden")
    metrics = f"{locked.server.url}/metrics"
    assert httpx.get(metrics, headers={"Authorization": f"Bearer {locked.all}"}).status_code == 403
    assert httpx.get(metrics, headers={"Authorization": f"Bearer {locked.admin}"}).status_code not in (401, 403)


def test_a_key_that_is_made_or_revoked_counts_within_seconds(locked: Locked) -> None:
    _, given = locked.keys.add("for a while", ["search"], None, None, "tests")
    wait_until(lambda: post(locked, f"Bearer {given}").status_code == 200, 10, "the key counts", 0.1)
    locked.keys.revoke("for a while", "tests")
    wait_until(lambda: post(locked, f"Bearer {given}").status_code == 401, 10, "it does not any more", 0.1)
    assert call(locked, f"Bearer {given}") == (grpc.StatusCode.UNAUTHENTICATED, "Unauthenticated")


def test_what_tells_nothing_of_the_library_is_open(locked: Locked) -> None:
    for path in ("/healthz", "/readyz", "/", "/try.js", "/try.css"):
        assert httpx.get(locked.server.url + path).status_code == 200
    for path in ("/graphql", "/other", "/healthz/x", "//"):
        assert httpx.get(locked.server.url + path).status_code == 401
    with grpc.insecure_channel(locked.server.grpc) as channel:
        health = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
        assert health.status == health_pb2.HealthCheckResponse.SERVING
        reflection = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo
        wanted = reflection_pb2.ServerReflectionRequest(list_services="")
        with pytest.raises(grpc.RpcError) as refused:
            next(reflection(iter([wanted])))
        assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
        (listed,) = reflection(iter([wanted]), metadata=[("authorization", f"Bearer {locked.all}")])
        assert listed.list_services_response.service


def test_a_large_message_without_a_key_is_not_read(locked: Locked) -> None:
    query = messages.Query(clauses=[{"similar": {"picture": {"data": bytes(2**25)}}}])
    with grpc.insecure_channel(locked.server.grpc) as channel, pytest.raises(grpc.RpcError) as refused:
        stubs.SearchStub(channel).Search(messages.SearchRequest(query=query))
    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED


def test_an_act_of_an_admin_leaves_a_line_and_no_key_stands_in_any(locked: Locked) -> None:
    secret = "mf_000000000000_" + "secret" * 8
    httpx.get(f"{locked.server.url}/metrics", headers={"Authorization": f"Bearer {locked.admin}"})
    post(locked, f"Bearer {secret}")
    post(locked, f"Bearer {locked.some[:-1]}")
    call(locked, f"Bearer {locked.admin}")
    told = (locked.server.home / FILE).read_text()
    lines = [json.loads(line) for line in told.splitlines()]
    acts = {(line["who"], line["what"], line["outcome"]) for line in lines}
    assert {
        ("admin", "enter", "PERMISSION_DENIED"),
        ("some", "enter", "refused"),
        ("unknown", "enter", "refused"),
    } <= acts
    assert any(who == "admin" and what == "GET /metrics" for who, what, _ in acts)
    assert not [
        given for given in (secret, locked.admin, locked.some, locked.all) if given.split("_", 2)[2][:-1] in told
    ]
    assert all(line["at_ms"] > 0 for line in lines)


def test_what_an_admin_who_may_search_does_is_told_by_both_faces(locked: Locked) -> None:
    _, both = locked.keys.add("both", ["search", "admin"], None, None, "tests")
    wait_until(lambda: post(locked, f"Bearer {both}").status_code == 200, 30, "the key is known")
    assert call(locked, f"Bearer {both}").hits
    told = [json.loads(line) for line in (locked.server.home / FILE).read_text().splitlines()]
    acts = {(line["what"], line["outcome"]) for line in told if line["who"] == "both"}
    assert {("POST /graphql", "200"), ("/mediaflow.v1.Search/Search", "OK")} <= acts


def test_many_failures_are_answered_shortly_and_a_valid_key_all_the_same(locked: Locked) -> None:
    codes = [post(locked, "Bearer mf_000000000000_wrong").status_code for _ in range(FAILURES + 1)]
    assert codes[-1] == 429
    refused = post(locked, "Bearer mf_000000000000_wrong")
    assert int(refused.headers["retry-after"]) > 0 and refused.json()["errors"][0]["extensions"]["code"] == "TooMany"
    assert call(locked, None) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "TooMany")
    assert post(locked, f"Bearer {locked.all}").status_code == 200
