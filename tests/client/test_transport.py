"""Retries: what is tried again and how often, how long is waited, and that a budget holds for all calls together."""

from __future__ import annotations

import http.server
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest

from mediaflow.client import Client, NoAnswer, Retries, ServerError, Unreachable
from mediaflow.client.errors import KINDS, said
from mediaflow.errors import MediaflowError, UsageError
from mediaflow.serve.grpc.face import CODES
from mediaflow.serve.work import Busy
from mediaflow.snapshots.engine import BehindClient, EngineNotReady
from tests.serve.conftest import Server

FAST = Retries(few=100, first_s=0.001)
READY = {"data": {"status": {"ready": True, "snapshot": "s", "release": 7, "why": None}}}


def error(code: str, **fields: Any) -> dict[str, Any]:
    return {"data": None, "errors": [{"message": f"It is {code}.", "extensions": {"code": code, "fields": fields}}]}


class Scripted:
    """A server that gives what it is told, in order, and the last of it again and again; None: it hangs up."""

    def __init__(self) -> None:
        self.script: list[tuple[int, Any, dict[str, str]] | None] = [(200, READY, {})]
        self.asked: list[dict[str, str]] = []
        self.at: list[float] = []
        self.wait: Callable[[], object] = lambda: None
        told = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["content-length"]))
                told.asked.append({name.lower(): value for name, value in self.headers.items()})
                told.at.append(time.monotonic())
                told.wait()
                given = told.script.pop(0) if len(told.script) > 1 else told.script[0]
                if given is None:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                status, body, headers = given
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in (headers | {"Content-Length": str(len(data))}).items():
                    self.send_header(name, value)
                with suppress(OSError):
                    self.end_headers()
                    self.wfile.write(data)

            def log_message(self, format: str, *args: Any) -> None: ...

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    made = Scripted()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.mark.parametrize(
    "failure",
    [
        (200, error("Busy"), {}),
        (200, error("EngineNotReady"), {}),
        (200, error("BehindClient", seen=3), {}),
        (503, b"<html>no server is there</html>", {}),
        (502, {"detail": "bad gateway"}, {}),
        (429, error("TooManyRequests"), {}),
        None,
    ],
    ids=["Busy", "EngineNotReady", "BehindClient", "503", "502", "429", "hung up"],
)
def test_what_may_pass_is_tried_again(scripted: Scripted, failure: Any) -> None:
    scripted.script = [failure, failure, (200, READY, {})]
    with Client(scripted.url, retries=FAST) as client:
        assert client.status().ready
    assert len(scripted.asked) == 3


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        ((200, error("UsageError"), {}), UsageError),
        ((400, error("UsageError"), {}), UsageError),
        ((413, error("TooLarge"), {}), UsageError),
        ((200, error("InternalError"), {}), ServerError),
        ((200, error("TooSlow"), {}), MediaflowError),
        ((500, b"broken", {}), ServerError),
        ((404, {"detail": "Not Found"}, {}), ServerError),
        ((200, {"data": {"status": 5}}, {}), ServerError),
        ((200, b"[]", {}), ServerError),
        ((200, {"errors": ["no"]}, {}), ServerError),
        ((301, b"", {"Location": "/elsewhere"}), ServerError),
    ],
)
def test_what_will_not_pass_is_asked_once(scripted: Scripted, failure: Any, kind: type[MediaflowError]) -> None:
    scripted.script = [failure]
    with Client(scripted.url, retries=FAST) as client, pytest.raises(kind) as caught:
        client.status()
    assert len(scripted.asked) == 1
    assert caught.value.message.endswith((".", "check the address."))


@pytest.mark.parametrize(
    ("code", "kind"), [("Busy", Busy), ("EngineNotReady", EngineNotReady), ("BehindClient", BehindClient)]
)
def test_after_the_last_try_its_own_error_is_raised(scripted: Scripted, code: str, kind: type[MediaflowError]) -> None:
    scripted.script = [(200, error(code, engine="e"), {})]
    with Client(scripted.url, retries=FAST) as client, pytest.raises(kind, match=f"It is {code}") as caught:
        client.status()
    assert caught.value.fields == {"engine": "e"} and len(scripted.asked) == FAST.tries


def test_where_nobody_listens_there_is_a_sentence(scripted: Scripted) -> None:
    scripted.server.server_close()
    with Client(scripted.url, retries=FAST) as client, pytest.raises(Unreachable, match="'mediaflow serve' runs"):
        client.status()


def test_all_calls_together_are_tried_again_within_the_budget(scripted: Scripted) -> None:
    scripted.script = [(503, b"", {})]
    calls, retries = 200, Retries(share=0.1, few=3, first_s=0.0001)
    with Client(scripted.url, retries=retries) as client, ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(client.status) for _ in range(calls)]
        assert all(isinstance(one.exception(), ServerError) for one in asking)
    assert calls < len(scripted.asked) <= calls * 1.1 + 3


def test_a_server_that_says_how_long_is_waited_for_just_so_long(scripted: Scripted) -> None:
    scripted.script = [(503, b"", {"Retry-After": "0.2"}), (200, READY, {})]
    with Client(scripted.url, retries=FAST) as client:
        client.status()
        first, second = scripted.at
        assert second - first >= 0.2
        scripted.script = [(503, b"", {"Retry-After": "3600"})]
        with pytest.raises(ServerError):
            client.status()
    assert len(scripted.asked) == 3, "what is longer than the time limit is not waited for"


def test_a_call_takes_so_long_at_most(scripted: Scripted) -> None:
    gate = threading.Event()
    scripted.wait = gate.wait
    late = pytest.raises(NoAnswer, match=r"did not answer within 0\.1 s")
    with Client(scripted.url, limit_s=0.1, retries=FAST) as client, late:
        client.status()
    gate.set()
    assert len(scripted.asked) == 1, "what is slow is not asked again"


def test_the_key_and_the_last_release_are_sent(scripted: Scripted) -> None:
    older = {"data": {"status": {"ready": True, "snapshot": "s", "release": 5, "why": None}}}
    nothing = {"data": {"status": {"ready": False, "snapshot": None, "release": None, "why": "no"}}}
    scripted.script = [(200, one, {}) for one in (READY, older, nothing, READY)]
    with Client(f"{scripted.url}/graphql/", key="secret", retries=FAST) as client:
        for _ in range(4):
            client.status()
        assert client.release == 7
    assert [one.get("mediaflow-release") for one in scripted.asked] == [None, "7", "7", "7"]
    assert {one["authorization"] for one in scripted.asked} == {"Bearer secret"}
    with Client(scripted.url) as client:
        client.status()
    assert "authorization" not in scripted.asked[-1]


@pytest.mark.parametrize("url", ["", "127.0.0.1:8000", "ftp://a", "http://", "http://a:port"])
def test_what_is_no_address_is_a_sentence(url: str) -> None:
    with pytest.raises(UsageError, match="is no address of a server"):
        Client(url)


@pytest.mark.parametrize("key", ["schlüssel", "a\nb"])
def test_a_key_that_is_none_is_a_sentence(key: str) -> None:
    with pytest.raises(UsageError, match="The API key has characters") as caught:
        Client("http://127.0.0.1:1", key)
    assert key not in caught.value.message


def test_the_client_knows_each_error_that_a_server_has_a_code_for(server: Server) -> None:
    import mediaflow.serve.server  # noqa: F401 - with all that it can answer

    def below(kind: type[MediaflowError]) -> Iterator[type[MediaflowError]]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    wrong = {one for one in below(UsageError) if one.__module__.startswith(("mediaflow.search", "mediaflow.serve"))}
    assert len(wrong) > 3
    assert {one.__name__ for one in wrong | {kind for kind, _ in CODES}} <= KINDS.keys()
    for name in KINDS:
        assert type(said({"message": "m", "extensions": {"code": name}}, 200)).__name__ == name
