"""A server as its operators see it: metrics that count, a line a request, and ids that come back."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from mediaflow.serve.grpc import search_pb2 as messages
from mediaflow.serve.grpc import search_pb2_grpc as stubs
from tests.conftest import ROOT
from tests.deployment.waiting import wait_until
from tests.serve.conftest import Server
from tests.serve.process import publish

SECRET = "a word that nobody is to read"
ASKED = "query($w: String!) { search(clauses: [{dialogue: {text: $w}}], first: 2) { nextCursor hits { title } } }"


class Logged:
    """`mediaflow serve` over the harbour, whose log is read once it has ended."""

    def __init__(self, home: Path, *options: str) -> None:
        publish(home)
        environment = {**os.environ, "MEDIAFLOW_HOME": str(home)}
        command = [sys.executable, "-m", "mediaflow.cli.main", "serve", "--port", "0", "--grpc-port", "0", *options]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True)
        assert self.process.stdout
        url, address = (self.process.stdout.readline().split()[-1] for _ in range(2))
        self.server = Server(home, self.process, url.removesuffix("/graphql."), address.removesuffix("."))
        wait_until(lambda: httpx.get(f"{self.server.url}/readyz").status_code == 200, 60, "it is ready", 0.05)

    def lines(self) -> list[str]:
        """End it; return what it has logged."""
        self.server.client.close()
        self.process.send_signal(signal.SIGTERM)
        _, said = self.process.communicate(timeout=60)
        return said.splitlines()


def values(server: Server) -> dict[tuple[str, ...], float]:
    """Return the samples by name and labels."""
    answer = httpx.get(f"{server.url}/metrics")
    assert answer.status_code == 200 and answer.headers["content-type"].startswith("text/plain; version=")
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value for family in families for sample in family.samples
    }


def test_requests_are_counted_by_what_came_of_them(server: Server) -> None:
    stub = stubs.SearchStub(grpc.insecure_channel(server.grpc))
    hello = messages.SearchRequest(query={"clauses": [{"dialogue": {"text": "hello"}}]})

    def ask() -> None:
        server.ask(ASKED, w="hello")
        server.ask('{ search(clauses: [{dialogue: {text: "a", kind: "song"}}]) { total } }')
        server.ask("{ status { ready } algorithms { snapshot } }")
        server.ask("{ nothing }")
        stub.Search(hello)
        list(stub.SearchPages(hello))
        with pytest.raises(grpc.RpcError):
            stub.Search(messages.SearchRequest())
        httpx.get(f"{server.url}/no/such/page")
        httpx.get(f"{server.url}/media/thumbnail/forged.jpg")

    before = values(server)
    ask()
    after = values(server)
    name = "mediaflow_requests_total"
    expected = {
        ("OK", "graphql", "search"),
        ("UsageError", "graphql", "search"),
        ("OK", "graphql", "several"),
        ("UsageError", "graphql", "none"),
        ("OK", "Search", "grpc"),
        ("OK", "SearchPages", "grpc"),
        ("Search", "UsageError", "grpc"),
        ("404", "http", "other"),
        ("WrongLink", "http", "thumbnail"),
    }
    grown = {key[1:]: value - before.get(key, 0) for key, value in after.items() if key[0] == name}
    counted = {key: value for key, value in grown.items() if value and "metrics" not in key}
    assert counted == dict.fromkeys({tuple(sorted(one)) for one in expected}, 1)
    count = ("mediaflow_request_seconds_count", "graphql", "search")
    assert after[count] - before.get(count, 0) == 2


def test_how_the_server_stands_is_told(server: Server) -> None:
    server.ask('{ search(clauses: [{visual: {text: "a red thing that nobody asked for"}}]) { total } }')
    found = values(server)
    assert found["mediaflow_snapshot_info", "1-aaaaaaaa"] == 1
    assert found["mediaflow_ready",] == found["mediaflow_release",] == 1
    assert found["mediaflow_answers_threads",] >= 4 and found["mediaflow_answers_taken",] >= 1
    assert found["mediaflow_encoded_texts_total",] >= found["mediaflow_encoded_batches_total",] >= 1
    assert found["process_resident_memory_bytes",] > 1e7
    # However much is asked, there are no more of them.
    for number in range(5):
        server.ask(ASKED, w=f"hello {number}")
        httpx.get(f"{server.url}/page/{number}")
    assert values(server).keys() - found.keys() <= {key for key in values(server) if "other" in key or "search" in key}


def test_an_id_comes_back_over_both_protocols(server: Server) -> None:
    given = {"x-request-id": "my-request-1"}
    answer = server.client.post(f"{server.url}/graphql", json={"query": "{ nothing }"}, headers=given)
    assert answer.headers["x-request-id"] == "my-request-1"
    assert answer.json()["errors"][0]["extensions"]["requestId"] == "my-request-1"
    made = [httpx.get(f"{server.url}/healthz", headers={"x-request-id": "no id"}) for _ in range(2)]
    ids = {one.headers["x-request-id"] for one in made}
    assert len(ids) == 2 and all(re.fullmatch("[0-9a-f]{16}", one) for one in ids)
    refused = server.client.get(f"{server.url}/media/thumbnail/forged.jpg", headers=given)
    assert refused.json()["errors"][0]["extensions"]["requestId"] == "my-request-1"
    stub = stubs.SearchStub(grpc.insecure_channel(server.grpc))
    metadata = (("x-request-id", "my-call-1"),)
    _, call = stub.Status.with_call(messages.StatusRequest(), metadata=metadata)
    assert dict(call.trailing_metadata())["x-request-id"] == "my-call-1"
    with pytest.raises(grpc.RpcError) as caught:
        stub.Search(messages.SearchRequest(), metadata=metadata)
    error: Any = caught.value
    assert dict(error.trailing_metadata())["x-request-id"] == "my-call-1"


def test_each_request_is_a_line_and_no_line_tells_a_secret(tmp_path: Path) -> None:
    logged = Logged(tmp_path)
    server = logged.server
    cursor = server.ask(ASKED, w="hello")["data"]["search"]["nextCursor"]
    server.ask(ASKED, w=SECRET)
    server.client.post(
        f"{server.url}/graphql?key={SECRET}",
        json={"query": f'{{ search(first: "{SECRET}") {{ total }} }}'},
        headers={"authorization": f"Bearer {SECRET}", "x-request-id": "wrong-one"},
    )
    stub = stubs.SearchStub(grpc.insecure_channel(server.grpc))
    hello = {"clauses": [{"dialogue": {"text": "hello"}}], "limit": 2}
    stub.Search(messages.SearchRequest(query=hello, cursor=cursor))
    with pytest.raises(grpc.RpcError):
        stub.Search(messages.SearchRequest(query=hello, cursor=f"{cursor}x"), metadata=(("x-request-id", "call-2"),))
    lines = logged.lines()
    said = [json.loads(line) for line in lines]
    assert len(said) == 5
    first, _, wrong, call, refused = said
    assert (first["face"], first["operation"], first["code"], first["hits"]) == ("graphql", "search", "OK", 2)
    assert first["snapshot"] == "1-aaaaaaaa" and first["level"] == "INFO"
    assert first["cpu_ms"] > 0 and 0 < first["duration_ms"] < 30_000 and "time" in first and first["request"]
    assert (wrong["code"], wrong["request"]) == ("UsageError", "wrong-one") and "hits" not in wrong
    assert (call["face"], call["operation"], call["code"], call["hits"]) == ("grpc", "Search", "OK", 2)
    assert (refused["code"], refused["request"]) == ("WrongCursor", "call-2")
    text = "\n".join(lines)
    assert SECRET not in text and cursor not in text and "hello" not in text


@pytest.mark.parametrize(("form", "count"), [("text", 1), ("off", 0)])
def test_the_log_may_be_for_people_or_none(tmp_path: Path, form: str, count: int) -> None:
    logged = Logged(tmp_path, "--log", form)
    logged.server.ask(ASKED, w="hello")
    lines = logged.lines()
    assert len(lines) == count
    assert all(re.search(r"graphql search OK [\d.]+ ms, request [0-9a-f]{16}$", line) for line in lines)
