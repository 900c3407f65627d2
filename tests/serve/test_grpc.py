"""gRPC over real sockets: streams, status codes, health, reflection; and stubs that are those of the proto file."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from mediaflow.search.process.wire import write_query
from mediaflow.search.query import Dialogue, Query
from mediaflow.serve.cursors import Cursors, Place
from mediaflow.serve.grpc import search_pb2 as messages
from mediaflow.serve.grpc import search_pb2_grpc as stubs
from mediaflow.serve.grpc.face import ERROR, FIELDS, SERVICE
from mediaflow.serve.http import MOST_BYTES
from tests.conftest import ROOT
from tests.serve.conftest import Server
from tests.serve.faces import as_dict, as_message, snake
from tests.serve.process import KEY

HELLO = {"clauses": [{"dialogue": {"text": "hello"}}], "limit": 1}


@pytest.fixture(scope="module")
def channel(server: Server) -> grpc.Channel:
    return grpc.insecure_channel(server.grpc)


@pytest.fixture(scope="module")
def stub(channel: grpc.Channel) -> stubs.SearchStub:
    return stubs.SearchStub(channel)


def refused(call: Any, request: Any, **options: Any) -> tuple[grpc.StatusCode, str, str, dict[str, Any]]:
    """Return status, sentence, type and fields of an error."""
    with pytest.raises(grpc.RpcError) as caught:
        call(request, **options)
    error: Any = caught.value
    told = dict(error.trailing_metadata())
    return error.code(), error.details(), told.get(ERROR, ""), json.loads(told.get(FIELDS, b"{}"))


def test_all_pages_come_in_one_stream(stub: stubs.SearchStub) -> None:
    pages = list(stub.SearchPages(messages.SearchRequest(query=as_message(HELLO))))
    whole = stub.Search(messages.SearchRequest(query=as_message(HELLO | {"limit": 20})))
    assert [hit for page in pages for hit in page.hits] == list(whole.hits)
    assert len(pages) == 4 and {page.snapshot for page in pages} == {whole.snapshot}
    rest = list(stub.SearchPages(messages.SearchRequest(query=as_message(HELLO), cursor=pages[1].next_cursor)))
    assert rest == pages[2:]


def test_titles_algorithms_and_explanations_are_those_of_graphql(stub: stubs.SearchStub, server: Server) -> None:
    titles = stub.Titles(messages.TitlesRequest(filters={"kinds": ["episode"]}, limit=1))
    fields = "titleId title kind year genres languages series season episode"
    body = server.ask(f'{{ titles(filters: {{kinds: ["episode"]}}, first: 1) {{ total titles {{ {fields} }} }} }}')
    found, expected = as_dict(titles), snake(body["data"]["titles"])
    assert found["titles"] == expected["titles"] and found["total"] == expected["total"] == 3
    second = stub.Titles(messages.TitlesRequest(filters={"kinds": ["episode"]}, limit=1, cursor=titles.next_cursor))
    assert second.titles[0].title_id == "night-shift-s01e02"
    algorithms = as_dict(stub.Algorithms(messages.AlgorithmsRequest()))["algorithms"]
    body = server.ask("{ algorithms { algorithms { name version fields { name type own comparisons } } } }")
    names = ("name", "version", "fields")
    listed = body["data"]["algorithms"]["algorithms"]
    for one in (field for algorithm in listed for field in algorithm["fields"]):
        one["comparisons"] = [how.lower() for how in one["comparisons"]]
    assert [{name: one[name] for name in names} for one in algorithms] == listed
    (step,) = stub.Explain(messages.ExplainRequest(query=as_message(HELLO))).steps
    assert (step.algorithm, step.how, step.found) == ("dialogue", "words", 5)
    assert stub.Status(messages.StatusRequest()).ready


def test_a_picture_is_bytes(stub: stubs.SearchStub) -> None:
    query = messages.Query(clauses=[{"similar": {"picture": {"data": b"\xff\x00\x00"}}}], limit=1)
    (hit,) = stub.Search(messages.SearchRequest(query=query)).hits
    assert hit.title_id == "night-shift-s01e01"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, "A query has 'clauses'"),
        ({"clauses": [{}]}, r"clauses\[0\] has nothing"),
        ({"clauses": [{"text": {}}]}, r"clauses\[0\]\.text\.text: Field required"),
        ({"clauses": [{"text": {"text": "a"}}], "sort": "best"}, "Input should be 'score' or 'time'"),
        ({"clauses": [{"weighted": {"clause": {"text": {"text": "a"}}}}]}, "weight: Field required"),
        ({"clauses": [{"similar": {}}]}, "similar has one member: picture or clip"),
        (HELLO | {"limit": 501}, "from 1 to 500"),
    ],
)
def test_what_is_wrong_is_an_invalid_argument(stub: stubs.SearchStub, body: dict[str, Any], said: str) -> None:
    code, sentence, kind, _ = refused(stub.Search, messages.SearchRequest(query=as_message(body)))
    assert (code, kind) == (grpc.StatusCode.INVALID_ARGUMENT, "UsageError")
    assert re.search(said, sentence)


def test_errors_are_typed(stub: stubs.SearchStub) -> None:
    request = messages.TitlesRequest(filters={"titles": ["no such"]})
    code, said, kind, fields = refused(stub.Titles, request)
    assert (code, kind, fields) == (grpc.StatusCode.INVALID_ARGUMENT, "UsageError", {"title": "no such"})
    assert said.startswith("There is no title 'no such'")
    forged = messages.SearchRequest(query=as_message(HELLO), cursor="forged")
    assert refused(stub.Search, forged)[2] == "WrongCursor"
    gone = Cursors(KEY).write(Place("0-bbbbbbbb", 1), write_query(Query((Dialogue("hello"),), limit=1)))
    code, _, kind, fields = refused(stub.Search, messages.SearchRequest(query=as_message(HELLO), cursor=gone))
    assert (code, kind) == (grpc.StatusCode.FAILED_PRECONDITION, "SnapshotExpired")
    assert fields["snapshot"] == "0-bbbbbbbb"


def test_a_message_may_be_so_large(stub: stubs.SearchStub) -> None:
    query = messages.Query(clauses=[{"similar": {"picture": {"data": bytes(MOST_BYTES)}}}])
    assert refused(stub.Search, messages.SearchRequest(query=query))[0] == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_deadline_is_kept(stub: stubs.SearchStub) -> None:
    request = messages.SearchRequest(query=as_message(HELLO))
    assert refused(stub.Search, request, timeout=1e-6)[0] == grpc.StatusCode.DEADLINE_EXCEEDED


def test_bytes_that_are_no_message_are_no_fault_of_the_server(channel: grpc.Channel, stub: stubs.SearchStub) -> None:
    raw = channel.unary_unary(f"/{SERVICE}/Search")
    code, said, *_ = refused(raw, b"\xff\xff\xff")
    assert code == grpc.StatusCode.INVALID_ARGUMENT and said.startswith("What was sent is no message of Search")
    assert stub.Status(messages.StatusRequest()).ready


def test_health_is_that_of_the_engine(channel: grpc.Channel) -> None:
    health = health_pb2_grpc.HealthStub(channel)
    for name in ("", SERVICE):
        assert (
            health.Check(health_pb2.HealthCheckRequest(service=name)).status == health_pb2.HealthCheckResponse.SERVING
        )
    code, said, *_ = refused(health.Check, health_pb2.HealthCheckRequest(service="other"))
    assert (code, said) == (grpc.StatusCode.NOT_FOUND, "There is no service 'other' here.")
    watch = health.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
    assert next(watch).status == health_pb2.HealthCheckResponse.SERVING
    watch.cancel()


def test_reflection_tells_the_service(channel: grpc.Channel) -> None:
    stub = reflection_pb2_grpc.ServerReflectionStub(channel)
    requests = [
        reflection_pb2.ServerReflectionRequest(list_services=""),
        reflection_pb2.ServerReflectionRequest(file_containing_symbol=SERVICE),
    ]
    listed, file = stub.ServerReflectionInfo(iter(requests))
    assert SERVICE in {one.name for one in listed.list_services_response.service}
    told = FileDescriptorProto.FromString(file.file_descriptor_response.file_descriptor_proto[0])
    assert "SearchPages" in {one.name for one in told.service[0].method}


def test_the_stubs_are_those_of_the_proto_file(tmp_path: Path) -> None:
    """`make stubs` gives what stands there."""
    line = next(line for line in (ROOT / "Makefile").read_text().splitlines() if "grpc_tools.protoc" in line)
    arguments = line.split("grpc_tools.protoc ")[1].replace("_out=.", f"_out={tmp_path}").split()
    subprocess.run([sys.executable, "-m", "grpc_tools.protoc", *arguments], cwd=ROOT, check=True, timeout=60)
    made = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert len(made) == 3
    for path in made:
        there = ROOT / path.relative_to(tmp_path)
        assert path.read_text() == there.read_text(), f"{there.name} is not what `make stubs` gives: run it"
