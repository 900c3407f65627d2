"""The server as a process: where it listens, when it is ready, and how it ends."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from mediaflow.errors import UsageError
from mediaflow.serve.access.door import Door
from mediaflow.serve.access.keys import Keys
from mediaflow.serve.server import Address, refuse_strangers
from mediaflow.storage.objects import FolderStore
from tests.conftest import ROOT
from tests.deployment.waiting import wait_until
from tests.serve.conftest import Server, start, stop
from tests.serve.process import publish

QUESTION = '{ search(clauses: [{dialogue: {text: "hello"}}]) { snapshot total } }'


def mediaflow(home: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, and let it end."""
    environment = {**os.environ, "MEDIAFLOW_HOME": str(home)}
    command = [sys.executable, "-m", "mediaflow.cli.main", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, **options)


STRANGE = ["0.0.0.0", "::", "192.168.1.7", "films.example", ""]


def door(tmp_path: Path, required: bool | None, *made: str) -> Door:
    keys = Keys(FolderStore(tmp_path))
    for name in made:
        keys.add(name, ["search"], None, None, "tests")
    return Door(keys, required)


@pytest.mark.parametrize("host", STRANGE)
@pytest.mark.parametrize("required", [None, False])
def test_an_address_that_others_reach_takes_keys(host: str, required: bool | None, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not this machine alone, and nothing would ask"):
        refuse_strangers(Address(host), door(tmp_path, required, "one"))


@pytest.mark.parametrize("host", STRANGE)
def test_without_any_key_such_an_address_is_refused(host: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="'mediaflow keys add'"):
        refuse_strangers(Address(host), door(tmp_path, True))
    revoked = door(tmp_path, True, "one")
    refuse_strangers(Address(host, names=("films.example",)), revoked)
    Keys(FolderStore(tmp_path)).revoke("one", "tests")
    with pytest.raises(UsageError, match="'mediaflow keys add'"):
        refuse_strangers(Address(host, names=("films.example",)), revoked)


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_every_address_of_a_machine_is_asked_by_names(host: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--name"):
        refuse_strangers(Address(host), door(tmp_path, True, "one"))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.7", "::1", "localhost"])
@pytest.mark.parametrize("required", [None, False, True])
def test_an_address_of_this_machine_is_taken(host: str, required: bool | None, tmp_path: Path) -> None:
    refuse_strangers(Address(host), door(tmp_path, required))


def test_the_command_refuses_in_a_sentence(tmp_path: Path) -> None:
    done = mediaflow(tmp_path, "serve", "--host", "0.0.0.0", "--no-auth")
    assert done.returncode == 2 and done.stderr.startswith("The host '0.0.0.0' is not this machine alone, and nothing")
    done = mediaflow(tmp_path, "serve", "--host", "0.0.0.0")
    assert done.returncode == 2 and done.stderr.startswith("The host '0.0.0.0' is not this machine alone, and nobody")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = mediaflow(tmp_path, "serve", "--port", port)
        assert done.returncode == 2 and "Address already in use" in done.stderr and "another --port" in done.stderr
        done = mediaflow(tmp_path, "serve", "--port", "0", "--grpc-port", port)
        assert done.returncode == 2 and "give another --grpc-port" in done.stderr


def test_the_command_answers_what_comes_to_be_published(tmp_path: Path) -> None:
    environment = {**os.environ, "MEDIAFLOW_HOME": str(tmp_path), "MEDIAFLOW_ENGINE_TTL_S": "0.5"}
    command = [sys.executable, "-m", "mediaflow.cli.main", "serve", "--host", "127.0.0.7", "--port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    url = process.stdout.readline().split()[-1].removesuffix("/graphql.")
    server = Server(tmp_path, process, url, "")
    assert httpx.get(f"{url}/healthz").status_code == 200
    wait_until(lambda: "Nothing is published" in httpx.get(f"{url}/readyz").text, 30, "it has looked", 0.05)
    assert httpx.get(f"{url}/readyz").status_code == 503
    assert server.ask(QUESTION)["errors"][0]["extensions"]["code"] == "NothingPublished"
    publish(tmp_path)
    wait_until(lambda: httpx.get(f"{url}/readyz").status_code == 200, 30, "it goes over", 0.05)
    assert server.ask(QUESTION)["data"]["search"] == {"snapshot": "1-aaaaaaaa", "total": 4}
    assert stop(server) == 0
    assert not list((tmp_path / "store" / "engines").iterdir()), "the lease is taken away"


def test_what_was_begun_is_answered_before_the_end(tmp_path: Path) -> None:
    publish(tmp_path)
    server = start(tmp_path)
    host, port = server.url.removeprefix("http://").split(":")
    body = json.dumps({"query": QUESTION}).encode()
    with socket.create_connection((host, int(port)), timeout=30) as late:
        head = f"POST /graphql HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"
        late.sendall(f"{head}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body[:-1])
        # An answer to another request shows that the first part of this one has come in before.
        assert "data" in server.ask(QUESTION)
        server.process.terminate()
        wait_until(lambda: refused(host, int(port)), 30, "nothing new is let in", 0.05)
        with pytest.raises(subprocess.TimeoutExpired):
            server.process.wait(1)
        late.sendall(body[-1:])
        answer = b"".join(iter(lambda: late.recv(65536), b""))
    assert b'"total":4' in answer
    assert server.process.wait(30) == 0


def refused(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=5).close()
    except ConnectionRefusedError:
        return True
    return False


def test_many_at_once_get_their_own_answers(server: Server) -> None:
    words = ["hello", "deep", "out", "you", "exit"] * 8
    expected = {word: total(server, word) for word in set(words)}
    found: list[tuple[str, int]] = []
    threads = [threading.Thread(target=lambda word=word: found.append((word, total(server, word)))) for word in words]  # type: ignore[misc]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == sorted((word, expected[word]) for word in words)
    assert len(set(expected.values())) > 2


def total(server: Server, word: str) -> int:
    body = server.ask("query($w: String!) { search(clauses: [{dialogue: {text: $w}}]) { total } }", w=word)
    return int(body["data"]["search"]["total"])
