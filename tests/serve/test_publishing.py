"""Pages while publishes go on: what was begun stays with its snapshot, what begins is of the newest one."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mediaflow.serve.grpc import search_pb2 as messages
from mediaflow.storage.objects import FolderStore
from tests.conftest import ROOT
from tests.deployment.waiting import wait_until
from tests.publishing.world import World
from tests.serve.conftest import Server, stop
from tests.serve.faces import GraphQL, Grpc, as_dict, as_message

LINES = [f"ship number {at}" for at in range(12)]
QUESTION = {"clauses": [{"dialogue": {"text": "ship"}}], "limit": 2}


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(FolderStore(tmp_path / "store"))
    world.stage("objects", model=None)
    world.film("alps", lines=tuple(LINES[:6]))
    world.film("bees", lines=tuple(LINES[6:]))
    world.compute()
    world.publish()
    return world


@pytest.fixture
def served(world: World, tmp_path: Path) -> Iterator[Server]:
    """`mediaflow serve` over the films."""
    environment = {**os.environ, "MEDIAFLOW_HOME": str(tmp_path), "MEDIAFLOW_ENGINE_TTL_S": "0.5"}
    command = [sys.executable, "-m", "mediaflow.cli.main", "serve", "--port", "0", "--grpc-port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    url, grpc = (process.stdout.readline().split()[-1] for _ in range(2))
    server = Server(tmp_path, process, url.removesuffix("/graphql."), grpc.removesuffix("."))
    wait_until(lambda: httpx.get(f"{server.url}/readyz").status_code == 200, 60, "it is ready", 0.05)
    yield server
    assert stop(server) == 0


@pytest.mark.parametrize("kind", [GraphQL, Grpc])
def test_pages_stay_with_their_snapshot_while_others_are_published(
    kind: type[GraphQL | Grpc], served: Server, world: World
) -> None:
    face, pages, cursor = kind(served), [], None
    for at in range(7):
        page = face.search(QUESTION, cursor)
        pages.append(page)
        cursor = page.get("next_cursor")
        if cursor is None:
            break
        # Half of the lines go, and others come, between each page and the next.
        world.film("bees", lines=(f"ship of the year {at}",))
        world.compute()
        assert world.publish().outcome == "released"
        new = world.reader().id
        wait_until(lambda new=new: current(face) == new, 30, "new questions are of the new snapshot", 0.02)  # type: ignore[misc]
    assert {page["snapshot"] for page in pages} == {pages[0]["snapshot"]}
    assert sorted(text(hit) for page in pages for hit in page["hits"]) == sorted(LINES)
    assert face.search(QUESTION)["total"] == 7


def test_a_stream_is_of_one_snapshot(served: Server, world: World) -> None:
    face = Grpc(served)
    stream = face.stub.SearchPages(messages.SearchRequest(query=as_message(QUESTION)))
    pages = [as_dict(next(stream))]
    world.film("bees", lines=("nothing",))
    world.compute()
    assert world.publish().outcome == "released"
    pages += [as_dict(page) for page in stream]
    assert sorted(text(hit) for page in pages for hit in page["hits"]) == sorted(LINES)


def current(face: GraphQL | Grpc) -> str:
    return str(face.search(QUESTION)["snapshot"])


def text(hit: dict[str, Any]) -> str:
    # What is computed says by which version.
    return str(hit["sources"][0]["text"]).removesuffix(" v1")
