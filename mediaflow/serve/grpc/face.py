"""The gRPC methods over the service, and the health of it; errors are status codes with the sentence."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

import grpc
from google.protobuf.json_format import MessageToDict, SerializeToJsonError
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from mediaflow.errors import MediaflowError, SystemFault, UsageError
from mediaflow.serve.access.calls import Doorkeeper
from mediaflow.serve.access.rates import TooMany
from mediaflow.serve.bodies import as_query, as_wire
from mediaflow.serve.caller import Forbidden, Unauthenticated, who_asks
from mediaflow.serve.desk import Desk
from mediaflow.serve.grpc import search_pb2 as messages
from mediaflow.serve.grpc import search_pb2_grpc as stubs
from mediaflow.serve.media.links import Links
from mediaflow.serve.service import Service
from mediaflow.serve.watch.record import HEADER, failed, request_id
from mediaflow.serve.watch.watcher import Calls
from mediaflow.serve.work import Busy, TooSlow, Work
from mediaflow.snapshots.engine import BehindClient, EngineNotReady
from mediaflow.snapshots.reader import NothingPublished, SnapshotExpired

SERVICE = str(messages.DESCRIPTOR.services_by_name["Search"].full_name)
ERROR, FIELDS = "mediaflow-error", "mediaflow-fields-bin"
"""Trailing metadata of an error: the name of its type, and its fields as JSON."""

CODES: tuple[tuple[type[MediaflowError], grpc.StatusCode], ...] = (
    (UsageError, grpc.StatusCode.INVALID_ARGUMENT),
    (SnapshotExpired, grpc.StatusCode.FAILED_PRECONDITION),
    (EngineNotReady, grpc.StatusCode.UNAVAILABLE),
    (BehindClient, grpc.StatusCode.UNAVAILABLE),
    (NothingPublished, grpc.StatusCode.UNAVAILABLE),
    (SystemFault, grpc.StatusCode.UNAVAILABLE),
    (Busy, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (TooSlow, grpc.StatusCode.DEADLINE_EXCEEDED),
    (Unauthenticated, grpc.StatusCode.UNAUTHENTICATED),
    (Forbidden, grpc.StatusCode.PERMISSION_DENIED),
    (TooMany, grpc.StatusCode.RESOURCE_EXHAUSTED),
)
_HEALTH_EVERY_S = 1.0
_LOG = logging.getLogger(__name__)

Given = TypeVar("Given")


def make_server(desk: Desk, most_bytes: int) -> grpc.aio.Server:
    """Return a server of all methods, of health and of reflection, behind a door, which has no port yet."""
    service, work, links = desk.service, desk.work, desk.media.links if desk.media else None
    server = grpc.aio.server(
        interceptors=[Calls(desk.watcher, SERVICE), Doorkeeper(desk.door, _end)],
        options=[("grpc.max_receive_message_length", most_bytes), ("grpc.so_reuseport", 0)],
    )
    stubs.add_SearchServicer_to_server(Face(service, work, links), server)  # type: ignore[no-untyped-call]
    health_pb2_grpc.add_HealthServicer_to_server(Health(service, work), server)
    names = (SERVICE, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name, reflection.SERVICE_NAME)
    reflection.enable_server_reflection(names, server)
    return server


class Face(stubs.SearchServicer):
    """Answers the methods of `search.proto`.

    Parameters
    ----------
    service : Service
        What answers.
    work : Work
        Where it is called.
    links : Links, optional
        Gives hits their pictures.
    """

    def __init__(self, service: Service, work: Work, links: Links | None = None) -> None:
        self._of = service.of
        self._work = work
        self._links = links

    async def Search(self, request: Any, context: Any) -> Any:
        """Answer a page."""
        return self._shown(await _told(self._first(request, context), context))

    async def SearchPages(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Answer all pages."""
        page = await _told(self._first(request, context), context)
        yield self._shown(page)
        body = as_query(_body(request.query))
        while page["next_cursor"] is not None:
            page = await _told(self._do("search", context, body, page["next_cursor"]), context)
            yield self._shown(page)

    async def Explain(self, request: Any, context: Any) -> Any:
        """Say how a question is answered."""
        return messages.Explanation(**await _told(self._explained(request, context), context))

    async def Titles(self, request: Any, context: Any) -> Any:
        """List titles."""
        return messages.TitlesAnswer(**await _told(self._titles(request, context), context))

    async def Annotations(self, request: Any, context: Any) -> Any:
        """List rows of algorithms."""
        part = _given(request, "start_ms", "end_ms", "limit", "cursor")
        found = self._do("annotations", context, request.title, algorithms=list(request.algorithms), **part)
        return messages.AnnotationsAnswer(**await _told(found, context))

    async def Algorithms(self, request: Any, context: Any) -> Any:
        """List algorithms."""
        return messages.AlgorithmsAnswer(**await _told(self._do("algorithms", context), context))

    async def Status(self, request: Any, context: Any) -> Any:
        """Say whether requests are answered."""
        return messages.StatusAnswer(**await _told(self._do("status", context), context))

    def _shown(self, page: dict[str, Any]) -> Any:
        """Return a page whose hits have their links."""
        if self._links:
            page = page | {"hits": [hit | self._links.both(hit) for hit in page["hits"]]}
        return messages.Answer(**page)

    async def _first(self, request: Any, context: Any) -> dict[str, Any]:
        """Return the page that is asked for, and what is to be told beside it."""
        body = as_query(_body(request.query))
        page: dict[str, Any] = await self._do("search", context, body, _cursor(request))
        wanted = {
            "facets": {"of": list(request.facets.of), **_given(request.facets, "most")},
            "timeline": {"title": request.timeline.title, **_given(request.timeline, "bins")},
            "characters": _given(request.characters, "most"),
        }
        told = {
            name: (await self._do(name, context, body, beside=page, **given))[name]
            for name, given in wanted.items()
            if request.HasField(name)
        }
        return page | told

    async def _explained(self, request: Any, context: Any) -> dict[str, Any]:
        found: dict[str, Any] = await self._do("explain", context, as_query(_body(request.query)))
        return found

    async def _titles(self, request: Any, context: Any) -> dict[str, Any]:
        filters, page = as_wire(_body(request.filters)), _given(request, "limit", "cursor")
        found: dict[str, Any] = await self._do("titles", context, filters, **page)
        return found

    async def _do(self, method: str, context: Any, *given: Any, **named: Any) -> Any:
        """Return what a method of the service says to who asks."""
        metadata = context.invocation_metadata() or ()
        caller = who_asks({name: value for name, value in metadata if isinstance(value, str)})
        return await self._work.do(getattr(self._of(caller), method), *given, **named)


class Health(health_pb2_grpc.HealthServicer):  # type: ignore[misc]
    """The standard health service: what is asked for serves while the engine can answer new requests.

    Parameters
    ----------
    service, work
        As for `Face`.
    """

    def __init__(self, service: Service, work: Work) -> None:
        self._service = service
        self._work = work

    async def Check(self, request: Any, context: Any) -> Any:
        """Answer once."""
        if request.service not in ("", SERVICE):
            await context.abort(grpc.StatusCode.NOT_FOUND, f"There is no service {request.service!r} here.")
        return health_pb2.HealthCheckResponse(status=await self._state())

    async def Watch(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Answer now, and whenever it changes."""
        said = None
        while True:
            known = request.service in ("", SERVICE)
            state = await self._state() if known else health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
            if state != said:
                said = state
                yield health_pb2.HealthCheckResponse(status=state)
            await asyncio.sleep(_HEALTH_EVERY_S)

    async def _state(self) -> int:
        ready = (await self._work.do(self._service.status))["ready"]
        states = health_pb2.HealthCheckResponse
        return int(states.SERVING if ready else states.NOT_SERVING)


def _cursor(request: Any) -> str | None:
    return str(request.cursor) if request.HasField("cursor") else None


def _given(request: Any, *names: str) -> dict[str, Any]:
    """Return the fields of a message that are there."""
    return {name: getattr(request, name) for name in names if request.HasField(name)}


def _body(message: Message) -> dict[str, Any]:
    """Return a message as a dict; its 64-bit numbers are strings there, which the JSON form reads as numbers."""
    try:
        body: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    except SerializeToJsonError as error:
        raise UsageError("A value to compare with is a finite number, a text or a truth value.") from error
    return body


async def _told(answer: Awaitable[Given], context: Any) -> Given:
    """Return an answer, or end the call with its error."""
    try:
        return await answer
    except MediaflowError as error:
        await _end(error, context)
        raise
    except Exception as error:
        _LOG.exception("A method could not be answered.")
        sentence = "This could not be answered, by a fault of the server: its log says more."
        failed("InternalError")
        trailing = ((ERROR, "InternalError"), (FIELDS, b"{}"), *_named())
        await context.abort(grpc.StatusCode.INTERNAL, sentence, trailing)
        raise AssertionError from error


async def _end(error: MediaflowError, context: Any) -> None:
    """End a call with an error."""
    code = next((code for kind, code in CODES if isinstance(error, kind)), grpc.StatusCode.UNKNOWN)
    fields = json.dumps(error.fields, default=str).encode()
    failed(type(error).__name__)
    await context.abort(code, error.message, ((ERROR, type(error).__name__), (FIELDS, fields), *_named()))


def _named() -> tuple[tuple[str, str], ...]:
    """Return the id of the call, which metadata that are given with an error would take the place of."""
    name = request_id()
    return ((HEADER, name),) if name else ()
