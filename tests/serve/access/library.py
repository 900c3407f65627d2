"""A library that answers over both faces in this process, with the doors before them, for those who have its keys."""

from __future__ import annotations

import asyncio
import dataclasses
import threading
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import grpc
import httpx
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from mediaflow.search.engine import SearchEngine
from mediaflow.search.titles.rights import Rights
from mediaflow.serve.access.door import Door
from mediaflow.serve.access.keys import Keys
from mediaflow.serve.cursors import Cursors
from mediaflow.serve.desk import Desk
from mediaflow.serve.grpc import search_pb2
from mediaflow.serve.grpc.face import make_server
from mediaflow.serve.http import MOST_BYTES, make_app
from mediaflow.serve.service import Service
from mediaflow.serve.watch.record import HEADER
from mediaflow.serve.work import Work
from mediaflow.storage.objects import FolderStore
from tests.serve.process import KEY

METHODS = {method.name: method for method in search_pb2.DESCRIPTOR.services_by_name["Search"].methods}

Done = TypeVar("Done")


@dataclasses.dataclass
class Library:
    """A library that answers over both faces.

    Attributes
    ----------
    keys : dict of str
        Keys by the names that they were opened with.
    """

    loop: asyncio.AbstractEventLoop
    client: httpx.AsyncClient
    channel: grpc.Channel
    keys: dict[str, str]

    def graphql(self, who: str, body: dict[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = self.post(who, json=body).json()
        return told

    def post(self, who: str, **request: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.keys[who]}"}
        return self.run(self.client.post("http://localhost/graphql", headers=headers, **request))

    def grpc(self, who: str, method: str, request: Message | bytes) -> list[Any]:
        """Return the answers, or what the error says: its code first."""
        kind = METHODS[method]
        path, answer = f"/{kind.containing_service.full_name}/{method}", GetMessageClass(kind.output_type)
        metadata = [("authorization", f"Bearer {self.keys[who]}")]
        data = request if isinstance(request, bytes) else request.SerializeToString()
        ask = self.channel.unary_stream if kind.server_streaming else self.channel.unary_unary
        try:
            said = ask(path, response_deserializer=answer.FromString)(data, metadata=metadata)
            return list(said) if kind.server_streaming else [said]
        except grpc.RpcError as error:
            # Each call has an id of its own.
            said = sorted(one for one in error.trailing_metadata() if one[0] != HEADER)
            return [error.code(), error.details(), said]

    def run(self, what: Awaitable[Done]) -> Done:
        async def doing() -> Done:
            return await what

        return asyncio.run_coroutine_threadsafe(doing(), self.loop).result(120)


@contextmanager
def opened(store: FolderStore, engine: SearchEngine, rights: dict[str, Rights | None]) -> Iterator[Library]:
    """Answer what is asked by keys with these names and rights."""
    keys, work, loop = Keys(store), Work(2), asyncio.new_event_loop()
    given = {name: keys.add(name, ["search"], some, None, "")[1] for name, some in rights.items()}
    running = threading.Thread(target=loop.run_forever, daemon=True)
    running.start()
    with engine, Door(keys) as door:
        desk = Desk(Service(engine, Cursors(KEY)), work, door)

        async def begun() -> tuple[httpx.AsyncClient, grpc.aio.Server, int]:
            app = httpx.ASGITransport(make_app(desk, "localhost"))
            server = make_server(desk, MOST_BYTES)
            port = server.add_insecure_port("127.0.0.1:0")
            await server.start()
            return httpx.AsyncClient(transport=app, timeout=120), server, port

        client, server, port = asyncio.run_coroutine_threadsafe(begun(), loop).result(60)
        with grpc.insecure_channel(
            f"127.0.0.1:{port}", options=[("grpc.max_send_message_length", 2 * MOST_BYTES)]
        ) as channel:
            yield Library(loop, client, channel, given)
        asyncio.run_coroutine_threadsafe(server.stop(None), loop).result(60)
        asyncio.run_coroutine_threadsafe(client.aclose(), loop).result(60)
    work.close()
    loop.call_soon_threadsafe(loop.stop)
    running.join()
    loop.close()
