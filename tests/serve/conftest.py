"""What tests of the faces share: one server in a process of its own, and clients that speak to it by sockets."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from mediaflow.search.engine import SearchEngine
from tests.conftest import ROOT
from tests.deployment.waiting import wait_until
from tests.serve.process import engine as make_engine
from tests.serve.process import publish

if TYPE_CHECKING:
    from selenium import webdriver

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
QUIET = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")
# Every name but the server's address leads nowhere.
ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"


@dataclass
class Server:
    """A server that runs."""

    home: Path
    process: subprocess.Popen[str]
    url: str
    grpc: str
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=60))

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Return what GraphQL answers; the request must have been one."""
        response = self.client.post(f"{self.url}/graphql", json={"query": query, "variables": variables})
        body: dict[str, Any] = response.json()
        return body


def start(home: Path, *command: str) -> Server:
    """Start a server, and wait until it is ready."""
    arguments = command or ("-m", "tests.serve.process", str(home))
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    said = process.stdout.readline() + process.stdout.readline()
    http = re.search(r"http://(\S+?)/graphql", said)
    grpc = re.search(r"gRPC answers at (\S+)\.", said)
    assert http and grpc, said
    server = Server(home, process, f"http://{http[1]}", grpc[1])
    wait_until(lambda: httpx.get(f"{server.url}/readyz").status_code == 200, 60, "it is ready", 0.05)
    return server


def stop(server: Server) -> int:
    """Tell a server to end; return its exit code."""
    server.client.close()
    server.process.terminate()
    return server.process.wait(30)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server over the harbour."""
    home = tmp_path_factory.mktemp("home")
    publish(home)
    server = start(home)
    yield server
    assert stop(server) == 0


@pytest.fixture(scope="session")
def engine(server: Server) -> Iterator[SearchEngine]:
    """The same, asked in this process."""
    from mediaflow.storage.objects import FolderStore

    with make_engine(FolderStore(server.home / "store")) as engine:
        yield engine


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    """A real browser, which can reach nothing but this machine."""
    from selenium import webdriver

    if not (CHROMIUM.exists() and DRIVER.exists()):
        pytest.skip("Chromium is not installed: 'bash scripts/debian.sh' installs it")
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for argument in (*QUIET, ALONE, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(str(DRIVER)))
    yield driver
    driver.quit()
