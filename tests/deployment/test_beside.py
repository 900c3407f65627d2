"""The search server beside Dagster: neither takes the other down while it can go on."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.deployment.place import ROOT, Place
from tests.deployment.test_up import ready
from tests.deployment.waiting import wait_until


@pytest.fixture
def dagster() -> Iterator[subprocess.Popen[bytes]]:
    """A process that stands for Dagster: it ends when it is told to."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def start(place: Place, dagster: subprocess.Popen[bytes], port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sensors.beside", str(dagster.pid), str(port)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, cwd=ROOT, env=place.env(), stdout=pipe, stderr=pipe, text=True)


def test_it_ends_with_dagster(tmp_path: Path, dagster: subprocess.Popen[bytes]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    beside = start(Place(tmp_path), dagster, port)
    assert beside.stdout and f":{port}/graphql" in beside.stdout.readline()
    wait_until(lambda: "Nothing is published" in ready(port)[1], 30, "it has looked", 0.05)
    dagster.communicate(b"\n")
    _, said = beside.communicate(timeout=60)
    assert (beside.returncode, said) == (0, "")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/healthz")


def test_a_server_that_fails_says_so_and_dagster_goes_on(tmp_path: Path, dagster: subprocess.Popen[bytes]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        beside = start(Place(tmp_path), dagster, busy.getsockname()[1])
        _, said = beside.communicate(timeout=60)
    assert beside.returncode == 2
    assert "Address already in use" in said and "The search server has ended (code 2), and Dagster goes on" in said
    assert dagster.poll() is None
