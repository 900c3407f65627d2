"""Follows requests of both faces from beginning to end: as a layer of the application, and between calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mediaflow.serve.watch import record as records
from mediaflow.serve.watch.log import log
from mediaflow.serve.watch.metrics import Metrics
from mediaflow.serve.watch.record import HEADER, Record

OK, HUNG_UP = "OK", "HungUp"
_NAMES = {"/graphql": "", "/healthz": "healthz", "/readyz": "readyz", "/metrics": "metrics", "/": "page"}
_FOLDERS = {"/media/thumbnail/": "thumbnail", "/media/preview/": "preview"}
# They are asked all the time, by machines.
_UNLOGGED = ("healthz", "readyz", "metrics")


class Watcher:
    """Counts and logs the requests of one server."""

    def __init__(self) -> None:
        self.metrics = Metrics()

    def ended(self, record: Record) -> None:
        """Count and log a request that has ended."""
        record.operation = record.operation or "none"
        self.metrics.count(record)
        if record.operation not in _UNLOGGED:
            log(record)


class Requests:
    """The layer of the HTTP application that follows its requests.

    Parameters
    ----------
    app : ASGIApp
        What it stands before.
    watcher : Watcher
        Is told of them.
    """

    def __init__(self, app: ASGIApp, watcher: Watcher) -> None:
        self._app = app
        self._watcher = watcher

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(HEADER.encode(), b"").decode("latin-1")
        path = scope["path"]
        record = records.begin("graphql" if path == "/graphql" else "http", given, _operation(path))
        status = 0

        async def named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), (HEADER.encode(), record.id.encode())]
            await send(message)

        try:
            await self._app(scope, receive, named)
        except Exception:
            status = 500
            raise
        finally:
            whole = OK if record.face == "graphql" and status == 200 else str(status) if status else HUNG_UP
            record.code = record.code or whole
            self._watcher.ended(record)


class Calls(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Follows the calls of one gRPC service.

    Parameters
    ----------
    watcher : Watcher
        Is told of them.
    service : str
        The service's full name.
    """

    def __init__(self, watcher: Watcher, service: str) -> None:
        self._watcher = watcher
        self._prefix = f"/{service}/"

    async def intercept_service(
        self, continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]], handler_call_details: Any
    ) -> Any:
        """Return what handles a call, followed."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or not method.startswith(self._prefix):
            return handler
        operation = method.removeprefix(self._prefix)
        metadata = dict(handler_call_details.invocation_metadata or ())
        ways = {
            "request_deserializer": handler.request_deserializer,
            "response_serializer": handler.response_serializer,
        }
        if handler.request_streaming:
            # No method takes a stream: so a call is ended that may not be made.
            followed = self._call(handler.stream_unary, operation, metadata.get(HEADER))
            return grpc.stream_unary_rpc_method_handler(followed, **ways)
        if handler.response_streaming:
            followed = self._stream(handler.unary_stream, operation, metadata.get(HEADER))
            return grpc.unary_stream_rpc_method_handler(followed, **ways)
        followed = self._call(handler.unary_unary, operation, metadata.get(HEADER))
        return grpc.unary_unary_rpc_method_handler(followed, **ways)

    def _call(self, answer: Any, operation: str, given: Any) -> Any:
        async def followed(request: Any, context: Any) -> Any:
            record = self._begun(operation, given, context)
            try:
                return await answer(request, context)
            except asyncio.CancelledError:
                record.code = HUNG_UP
                raise
            finally:
                self._ended(record, context)

        return followed

    def _stream(self, answer: Any, operation: str, given: Any) -> Any:
        async def followed(request: Any, context: Any) -> AsyncIterator[Any]:
            record = self._begun(operation, given, context)
            try:
                async for message in answer(request, context):
                    yield message
            except (asyncio.CancelledError, GeneratorExit):
                record.code = HUNG_UP
                raise
            finally:
                self._ended(record, context)

        return followed

    def _begun(self, operation: str, given: Any, context: Any) -> Record:
        record = records.begin("grpc", given if isinstance(given, str) else None, operation)
        context.set_trailing_metadata(((HEADER, record.id),))
        return record

    def _ended(self, record: Record, context: Any) -> None:
        record.code = record.code or (OK if not context.code() else grpc.StatusCode(context.code()).name)
        self._watcher.ended(record)


def _operation(path: str) -> str:
    if path in _NAMES:
        return _NAMES[path]
    return next((name for folder, name in _FOLDERS.items() if path.startswith(folder)), "other")
