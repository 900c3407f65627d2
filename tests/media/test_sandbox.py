"""What a worker takes from itself is really gone."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent

CONFINED = """
import os, resource, socket, sys, tempfile
from mediaflow.media import sandbox
before = os.readlink("/proc/self/ns/net")
sandbox.confine(2**30)
print("same" if os.readlink("/proc/self/ns/net") == before else "new")
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), 5)
    print("connected")
except OSError:
    print("cut off")
try:
    bytearray(2**31)
    print("allocated")
except MemoryError:
    print("refused")
with tempfile.TemporaryFile() as file:
    try:
        file.write(bytes(2**21))
        file.flush()
        print("written")
    except OSError:
        print("too large")
print(resource.getrlimit(resource.RLIMIT_CORE)[0])
"""


def test_network_memory_and_files() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = subprocess.run(
            [sys.executable, "-c", CONFINED, str(server.getsockname()[1])],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=True,
        )
    namespace, network, memory, file, core = done.stdout.split("\n")[:5]
    assert (memory, file, core) == ("refused", "too large", "0")
    if namespace == "same":
        pytest.skip("this system lets no process make a network namespace; the other limits hold")
    assert network == "cut off"
