"""The door of gRPC: calls without a valid key are ended before their message is read, and what is no message is told.

It stands before every method, those included that are added later. Health is open to all, as `/healthz` is; reflection
tells what there is and takes a key, as the schema of GraphQL does.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from grpc_health.v1 import health_pb2

from mediaflow.errors import MediaflowError, UsageError
from mediaflow.serve.access import audit
from mediaflow.serve.access.door import Door
from mediaflow.serve.caller import Caller, asking, asks
from mediaflow.serve.graphql.limits import BESIDE, COSTS, MOST_COST, PAGES

OPEN = f"/{health_pb2.DESCRIPTOR.services_by_name['Health'].full_name}/"
"""What the methods begin with that are answered to anybody."""
COST = 10
"""What a call costs of which nothing else is known."""

SIZES = ("limit", "most", "bins")
"""Fields that say how many entries a list has at most."""

_NAMES = {code.value[0]: code.name for code in grpc.StatusCode} | {code: code.name for code in grpc.StatusCode}

Ends = Callable[[MediaflowError, Any], Awaitable[None]]


class Doorkeeper(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Answers who may call, and counts each call, of a stream each message.

    Parameters
    ----------
    door : Door
        Says who asks.
    ends : callable
        Ends a call with an error.
    """

    def __init__(self, door: Door, ends: Ends) -> None:
        self._door = door
        self._ends = ends
        self._known: dict[str, Any] = {}
        self._refused = grpc.stream_unary_rpc_method_handler(self._refuse)

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        """Return what answers a call."""
        handler = await continuation(details)
        if handler is None:
            return None
        if not details.method.startswith(OPEN):
            caller = self._caller(details.invocation_metadata)
            if caller is None:
                return self._refused
            asks(caller)
        if details.method not in self._known:
            self._known[details.method] = self._guarded(handler, details.method)
        return self._known[details.method]

    def _caller(self, metadata: Any) -> Caller | None:
        try:
            caller = self._door.known(_authorization(metadata))
        except MediaflowError:
            return None
        return caller if caller and "search" in caller.roles else None

    async def _refuse(self, _: Any, context: Any) -> None:
        """End a call: as one that is sent a stream, before it has read what was sent."""
        try:
            caller = self._door.enter(_authorization(context.invocation_metadata()), _address(context))
            asks(caller)
            caller.require("search")
        except MediaflowError as error:
            with _audited("enter", context):
                await self._ends(error, context)

    def _guarded(self, handler: Any, method: str) -> Any:
        """Return a handler that pays, audits, and parses what was sent itself, where it can say what is wrong."""
        if handler.request_streaming:
            return handler

        async def one(data: bytes, context: Any) -> Any:
            request = await self._begun(handler, method, data, context)
            with _audited(method, context):
                return await handler.unary_unary(request, context)

        async def several(data: bytes, context: Any) -> AsyncIterator[Any]:
            request, pages = await self._begun(handler, method, data, context), 0
            with _audited(method, context):
                async for answer in handler.unary_stream(request, context):
                    if pages:
                        await self._pay(method, request, context)
                    pages += 1
                    yield answer

        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(several, None, handler.response_serializer)
        return grpc.unary_unary_rpc_method_handler(one, None, handler.response_serializer)

    async def _begun(self, handler: Any, method: str, data: bytes, context: Any) -> Any:
        """Return the message of a call, which is paid for; or end it."""
        if not asking().account:
            asks(dataclasses.replace(asking(), account=_address(context)))
        try:
            request = handler.request_deserializer(data)
        except DecodeError:
            name = method.rpartition("/")[2]
            await self._ends(UsageError(f"What was sent is no message of {name}: it cannot be parsed."), context)
        await self._pay(method, request, context)
        return request

    async def _pay(self, method: str, request: Any, context: Any) -> None:
        if not method.startswith(OPEN):
            try:
                self._door.charge(cost(method, request))
            except MediaflowError as error:
                await self._ends(error, context)


def cost(method: str, request: Any) -> int:
    """Return what a call costs, as in GraphQL: for the method, and 1 for each entry of the lists that it asks for."""
    name = method.rpartition("/")[2].removesuffix("Pages")
    name = name[:1].lower() + name[1:]
    total = COSTS.get(name, COST) + _size(getattr(request, "query", request), name)
    for beside, worth in BESIDE.items():
        if beside in request.DESCRIPTOR.fields_by_name and request.HasField(beside):
            body = getattr(request, beside)
            total += worth + _size(body, beside) * max(1, len(getattr(body, "of", ())))
    return total


def _size(body: Any, name: str) -> int:
    """Return how many entries a list of that name has."""
    for size in SIZES:
        if size in body.DESCRIPTOR.fields_by_name and body.HasField(size):
            return min(max(0, int(getattr(body, size))), MOST_COST)
    return PAGES.get(name, 0)


@contextmanager
def _audited(method: str, context: Any) -> Iterator[None]:
    """Leave a line on a call with the key of an admin."""
    try:
        yield
    finally:
        caller = asking()
        if caller.key and "admin" in caller.roles:
            code = context.code() or 0
            audit.said(caller.name, method, _NAMES.get(code, str(code)), key=caller.key)


def _authorization(metadata: Iterable[tuple[str, str | bytes]] | None) -> str | None:
    return next((value for name, value in metadata or () if name == "authorization" and isinstance(value, str)), None)


def _address(context: Any) -> str:
    """Return the address that calls, without its port: `ipv4:10.0.0.7:41234` has it in the middle."""
    peer: str = context.peer()
    return peer.partition(":")[2].rpartition(":")[0] or peer
