"""What tests of pictures and previews share: a library of three small films, and servers over copies of it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import mediaflow
from mediaflow.library import Library
from tests.conftest import ROOT
from tests.deployment.films import Films
from tests.deployment.waiting import wait_until
from tests.refreshing import refresh
from tests.serve.conftest import Server, stop

ALPHA, BRAVO, CHARLIE = "alpha-2001", "bravo-2001", "charlie-2001"
KEY = "a key of the tests alone"
HITS = """query($titles: [String!]) {
  search(clauses: [{dialogue: {text: "the"}}], filters: {titles: $titles}, sort: TIME) {
    hits { titleId startMs endMs snapshot thumbnailUrl previewUrl }
  } }"""


class House:
    """A folder of films and its workspace."""

    def __init__(self, folder: Path) -> None:
        self.films, self.home = folder / "films", folder / "home"

    def open(self, **changes: Any) -> Library:
        settings = {"home": self.home, "library": self.films, "settle_s": 0, "built_in": ["dialogue"]}
        return mediaflow.open(**settings, decode_workers=1, **changes)

    def remove(self, title: str) -> None:
        for file in self.films.glob(f"{title}*"):
            file.unlink()

    def serve(self, **settings: Any) -> Server:
        """Start `mediaflow serve` over it, ready."""
        given = {"HOME": self.home, "LIBRARY": self.films, "CURSOR_KEY": KEY} | settings
        variables = {f"MEDIAFLOW_{name}": str(value) for name, value in given.items()}
        command = [sys.executable, "-m", "mediaflow.cli.main", "serve", "--port", "0", "--grpc-port", "0"]
        process = subprocess.Popen(
            command, cwd=ROOT, env=os.environ | variables, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stdout
        url, grpc = (process.stdout.readline().split()[-1] for _ in range(2))
        server = Server(self.home, process, url.removesuffix("/graphql."), grpc.removesuffix("."))
        wait_until(lambda: httpx.get(f"{server.url}/readyz").status_code == 200, 60, "it is ready", 0.05)
        return server


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Three films, published. To be copied, not changed."""
    house = House(tmp_path_factory.mktemp("house"))
    house.films.mkdir()
    films = Films(tmp_path_factory.mktemp("rendered"))
    for seed, title in enumerate((ALPHA, BRAVO, CHARLIE)):
        films.put(house.films, title, seed=seed)
    with house.open() as library:
        refresh(library)
    return house


@pytest.fixture
def house(built: House, tmp_path: Path) -> House:
    """A copy of it, without what was cut; its files have their times still."""
    shutil.copytree(built.home.parent, tmp_path / "house", ignore=shutil.ignore_patterns("previews"))
    return House(tmp_path / "house")


@pytest.fixture(scope="session")
def shown(built: House) -> Iterator[Server]:
    """A server over the three films."""
    server = built.serve()
    yield server
    assert stop(server) == 0


def hits(server: Server, *titles: str) -> list[dict[str, Any]]:
    """Return what is said in some titles, or in all, in the order of time, as soon as the server answers."""
    data = wait_until(lambda: server.ask(HITS, titles=list(titles) or None)["data"], 30, "it answers", 0.1)
    found: list[dict[str, Any]] = data["search"]["hits"]
    return found


def fetched(server: Server, path: str) -> httpx.Response:
    """Return what a link leads to, as soon as the server answers."""
    return wait_until(
        lambda: answer if (answer := server.client.get(server.url + path)).status_code != 503 else None,
        30,
        "it answers",
        0.1,
    )
