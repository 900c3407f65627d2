"""What one may ask for in a minute: costs add up, for each alone, over both faces and all pages of a stream."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

from mediaflow.serve.access.calls import cost
from mediaflow.serve.access.keys import Keys
from mediaflow.serve.access.rates import FAILURES, Rates, TooMany
from mediaflow.serve.graphql.limits import BESIDE, COSTS, MOST_COST
from mediaflow.serve.grpc import search_pb2 as messages
from mediaflow.serve.grpc import search_pb2_grpc as stubs
from mediaflow.serve.grpc.face import ERROR
from tests.serve.access.conftest import Locked
from tests.serve.conftest import start, stop
from tests.serve.faces import as_message
from tests.serve.process import publish

HELLO = {"clauses": [{"dialogue": {"text": "hello"}}], "limit": 1}
LIMIT = 1_000


@pytest.fixture
def limited(tmp_path: Path) -> Iterator[Locked]:
    """A server that lets each key ask for little."""
    keys = Keys(publish(tmp_path))
    given = [keys.add(name, ["search"], None, None, "")[1] for name in ("one", "other", "third")]
    server = start(tmp_path, "-m", "tests.serve.process", str(tmp_path), str(LIMIT))
    yield Locked(server, keys, *given)
    assert stop(server) == 0


def test_each_has_a_limit_of_its_own() -> None:
    rates = Rates(each=100)
    rates.charge("one", 60, keyed=True)
    with pytest.raises(TooMany, match="100 a minute") as refused:
        rates.charge("one", 60, keyed=True)
    assert 1 <= refused.value.fields["retry_after_s"] <= 60
    rates.charge("one", 40, keyed=True)
    rates.charge("other", 100, keyed=True)


def test_where_no_limit_is_set_there_is_none() -> None:
    for _ in range(100):
        Rates().charge("one", 10**6, keyed=True)
        Rates(each=10).charge("", 10**6, keyed=False)
    with pytest.raises(TooMany):
        Rates(open_=10).charge("127.0.0.1", 11, keyed=False)


def test_failures_are_counted_by_address() -> None:
    rates = Rates()
    for _ in range(FAILURES):
        rates.failed("10.0.0.7")
    with pytest.raises(TooMany):
        rates.failed("10.0.0.7")
    rates.failed("10.0.0.8")


@pytest.mark.parametrize(
    ("method", "request_", "expected"),
    [
        ("Search", messages.SearchRequest(query=as_message(HELLO)), COSTS["search"] + 1),
        ("SearchPages", messages.SearchRequest(query=as_message(HELLO | {"limit": 500})), COSTS["search"] + 500),
        ("Search", messages.SearchRequest(query=as_message(HELLO | {"limit": 2**31 - 1})), COSTS["search"] + MOST_COST),
        (
            "Search",
            messages.SearchRequest(query=as_message(HELLO), facets={"of": ["genre", "year"], "most": 5}, characters={}),
            COSTS["search"] + 1 + BESIDE["facets"] + 10 + BESIDE["characters"] + 20,
        ),
        ("Search", messages.SearchRequest(), COSTS["search"] + 20),
        ("Titles", messages.TitlesRequest(limit=7), COSTS["titles"] + 7),
        ("Titles", messages.TitlesRequest(limit=-7), COSTS["titles"]),
        ("Status", messages.StatusRequest(), COSTS["status"]),
    ],
)
def test_a_call_costs_what_the_same_costs_in_graphql(method: str, request_: object, expected: int) -> None:
    assert cost(f"/mediaflow.v1.Search/{method}", request_) == expected


def test_both_faces_keep_the_limit(limited: Locked) -> None:
    server, headers = limited.server, {"Authorization": f"Bearer {limited.all}"}
    body = {"query": '{ search(clauses: [{dialogue: {text: "hello"}}], first: 400) { total } }'}
    codes = [server.client.post(f"{server.url}/graphql", json=body, headers=headers).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    refused = server.client.post(f"{server.url}/graphql", json=body, headers=headers)
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["errors"][0]["extensions"]["code"] == "TooMany"
    with grpc.insecure_channel(server.grpc) as channel:
        stub, request = stubs.SearchStub(channel), messages.SearchRequest(query=as_message(HELLO | {"limit": 400}))
        with pytest.raises(grpc.RpcError) as ended:
            stub.Search(request, metadata=[("authorization", f"Bearer {limited.all}")])
        assert ended.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert dict(ended.value.trailing_metadata())[ERROR] == "TooMany"
        # Pages of one stream cost each.
        pages, pay = messages.SearchRequest(query=as_message(HELLO)), [("authorization", f"Bearer {limited.some}")]
        for _ in range(11):
            assert len(list(stub.SearchPages(pages, metadata=pay))) == 4
        with pytest.raises(grpc.RpcError) as ended:
            list(stub.SearchPages(pages, metadata=pay))
        assert ended.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
        assert stub.Search(pages, metadata=[("authorization", f"Bearer {limited.admin}")]).total == 4
