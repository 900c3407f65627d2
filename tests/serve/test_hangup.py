"""Who hangs up leaves no search behind: over HTTP and over gRPC what was begun ends at its next step."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import grpc
import polars as pl
import pytest
import uvicorn

from mediaflow.search.gateway import Gateway
from mediaflow.search.searchers.matches import MATCHES, ROWS
from mediaflow.search.stopping import check
from mediaflow.serve.cursors import Cursors
from mediaflow.serve.desk import Desk
from mediaflow.serve.grpc import search_pb2 as messages
from mediaflow.serve.grpc import search_pb2_grpc as stubs
from mediaflow.serve.grpc.face import make_server
from mediaflow.serve.http import make_app
from mediaflow.serve.service import Service
from mediaflow.serve.work import Work
from mediaflow.storage.objects import FolderStore
from tests.search.world import OneEncoder, RawPictures, World

SLOW, NEXT = {"where": {"algorithm": "slow", "value": "x"}}, {"where": {"algorithm": "next", "value": "x"}}


class Slow:
    """An index that takes until it is let on, or nobody waits for it any more."""

    ranks = False

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.on = threading.Event()
        self.ended = threading.Event()

    def search(self, value: str, titles: frozenset[int] | None, limit: int | None) -> pl.DataFrame:
        self.asked.set()
        try:
            while not self.on.wait(0.01):
                check()
        finally:
            self.ended.set()
        return pl.DataFrame(schema=MATCHES)

    def read(self, rows: Sequence[int]) -> pl.DataFrame:
        return pl.DataFrame(schema=ROWS)

    def count(self, titles: frozenset[int] | None) -> int:
        return 0


class Engine:
    """An engine of one gateway."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def behind(self, seen: int) -> bool:
        return False

    @contextmanager
    def gateway(self, snapshot: str | None = None, seen: int = 0) -> Iterator[Gateway]:
        yield self._gateway


@pytest.fixture
def slow() -> Iterator[Slow]:
    slow = Slow()
    yield slow
    slow.on.set()


@pytest.fixture
def following(slow: Slow) -> Slow:
    """What the slow one is asked before; it lets everybody on."""
    following = Slow()
    following.on.set()
    return following


@pytest.fixture
def service(tmp_path: Path, slow: Slow, following: Slow) -> Service:
    world = World(FolderStore(tmp_path))
    world.title("one")
    world.dialogue()
    gateway = Gateway(world.reader(), OneEncoder(), RawPictures(), outside={"slow": slow, "next": following})
    return Service(Engine(gateway), Cursors())  # type: ignore[arg-type]


@asynccontextmanager
async def over_http(service: Service, work: Work) -> AsyncIterator[int]:
    config = uvicorn.Config(make_app(Desk(service, work), "127.0.0.1"), port=0, log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await serving


async def free(work: Work) -> bool:
    """Return whether the only thread takes something else up."""
    return await work.do(lambda: True)


@pytest.mark.parametrize("hangs_up", [True, False])
def test_over_http(service: Service, slow: Slow, following: Slow, hangs_up: bool) -> None:
    work = Work(threads=1)
    question = "query($c: [Clause!]!) { search(clauses: $c) { total } }"
    body = json.dumps({"query": question, "variables": {"c": [{"all": [SLOW, NEXT]}]}}).encode()

    async def ask() -> bytes:
        async with over_http(service, work) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            head = (
                "POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
            )
            writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            assert await asyncio.to_thread(slow.asked.wait, 30)
            if hangs_up:
                writer.close()
            else:
                slow.on.set()
            answer = await reader.read() if not hangs_up else b""
            assert await asyncio.to_thread(slow.ended.wait, 10), "it ends long before its time is over"
            assert await free(work)
            return answer

    answer = asyncio.run(ask())
    work.close()
    assert following.asked.is_set() is not hangs_up
    assert (b'"total":0' in answer) is not hangs_up


@pytest.mark.parametrize("hangs_up", [True, False])
def test_over_grpc(service: Service, slow: Slow, following: Slow, hangs_up: bool) -> None:
    work = Work(threads=1)
    query = messages.Query(clauses=[{"all": {"clauses": [SLOW, NEXT]}}])

    async def ask() -> None:
        server = make_server(Desk(service, work), 2**20)
        port = server.add_insecure_port("127.0.0.1:0")
        await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            call = stubs.SearchStub(channel).Search(messages.SearchRequest(query=query))
            asking = asyncio.ensure_future(call)
            assert await asyncio.to_thread(slow.asked.wait, 30)
            if hangs_up:
                call.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asking
            else:
                slow.on.set()
                assert (await asking).total == 0
            assert await asyncio.to_thread(slow.ended.wait, 10), "it ends long before its time is over"
            assert await free(work)
        await server.stop(None)

    asyncio.run(ask())
    work.close()
    assert following.asked.is_set() is not hangs_up
