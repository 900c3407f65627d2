"""The gRPC methods over the service, and the health of it; errors are status codes with the sentence."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable
from typing import Any, TypeVar

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from mediaflow.errors import MediaflowError, SystemFault, UsageError
from mediaflow.serve.bodies import as_wire
from mediaflow.serve.caller import Callers, anybody
from mediaflow.serve.grpc import search_pb2 as messages
from mediaflow.serve.grpc import search_pb2_grpc as stubs
from mediaflow.serve.media.links import Links
from mediaflow.serve.service import Service
from mediaflow.serve.work import Busy, TooSlow, Work
from mediaflow.snapshots.engine import EngineNotReady
from mediaflow.snapshots.reader import NothingPublished, SnapshotExpired

SERVICE = str(messages.DESCRIPTOR.services_by_name["Search"].full_name)
ERROR, FIELDS = "mediaflow-error", "mediaflow-fields-bin"
"""Trailing metadata of an error: the name of its type, and its fields as JSON."""

CODES: tuple[tuple[type[MediaflowError], grpc.StatusCode], ...] = (
    (UsageError, grpc.StatusCode.INVALID_ARGUMENT),
    (SnapshotExpired, grpc.StatusCode.FAILED_PRECONDITION),
    (EngineNotReady, grpc.StatusCode.UNAVAILABLE),
    (NothingPublished, grpc.StatusCode.UNAVAILABLE),
    (SystemFault, grpc.StatusCode.UNAVAILABLE),
    (Busy, grpc.StatusCode.RESOURCE_EXHAUSTED),
    (TooSlow, grpc.StatusCode.DEADLINE_EXCEEDED),
)
_HEALTH_EVERY_S = 1.0
_LOG = logging.getLogger(__name__)

Given = TypeVar("Given")


def make_server(
    service: Service, work: Work, links: Links, most_bytes: int, callers: Callers = anybody
) -> grpc.aio.Server:
    """Return a server of all methods, of health and of reflection, which has no port yet."""
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", most_bytes), ("grpc.so_reuseport", 0)])
    stubs.add_SearchServicer_to_server(Face(service, work, links, callers), server)  # type: ignore[no-untyped-call]
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
    links : Links
        Gives hits their pictures.
    callers : Callers
        Says who asks.
    """

    def __init__(self, service: Service, work: Work, links: Links, callers: Callers) -> None:
        self._of = service.of
        self._work = work
        self._links = links
        self._callers = callers

    async def Search(self, request: Any, context: Any) -> Any:
        """Answer a page."""
        return messages.Answer(**await _told(self._page(request, _cursor(request), context), context))

    async def SearchPages(self, request: Any, context: Any) -> AsyncIterator[Any]:
        """Answer all pages."""
        cursor = _cursor(request)
        while True:
            page = await _told(self._page(request, cursor, context), context)
            yield messages.Answer(**page)
            cursor = page["next_cursor"]
            if cursor is None:
                return

    async def Explain(self, request: Any, context: Any) -> Any:
        """Say how a question is answered."""
        found = self._work.do(self._service(context).explain, _body(request.query))
        return messages.Explanation(**await _told(found, context))

    async def Titles(self, request: Any, context: Any) -> Any:
        """List titles."""
        page = {"limit": request.limit} if request.HasField("limit") else {}
        found = self._work.do(self._service(context).titles, _body(request.filters), cursor=_cursor(request), **page)
        return messages.TitlesAnswer(**await _told(found, context))

    async def Algorithms(self, request: Any, context: Any) -> Any:
        """List algorithms."""
        return messages.AlgorithmsAnswer(**await _told(self._work.do(self._service(context).algorithms), context))

    async def Status(self, request: Any, context: Any) -> Any:
        """Say whether requests are answered."""
        return messages.StatusAnswer(**await _told(self._work.do(self._service(context).status), context))

    async def _page(self, request: Any, cursor: str | None, context: Any) -> dict[str, Any]:
        page = await self._work.do(self._service(context).search, _body(request.query), cursor)
        return page | {"hits": [hit | self._links.both(hit) for hit in page["hits"]]}

    def _service(self, context: Any) -> Service:
        metadata = context.invocation_metadata() or ()
        return self._of(self._callers({name: value for name, value in metadata if isinstance(value, str)}))


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


def _body(message: Message) -> dict[str, Any]:
    """Return a message in the JSON form; its 64-bit numbers are strings there, which the form reads as numbers."""
    body: dict[str, Any] = as_wire(MessageToDict(message, preserving_proto_field_name=True))
    return body


async def _told(answer: Awaitable[Given], context: Any) -> Given:
    """Return an answer, or end the call with its error."""
    try:
        return await answer
    except MediaflowError as error:
        code = next((code for kind, code in CODES if isinstance(error, kind)), grpc.StatusCode.UNKNOWN)
        fields = json.dumps(error.fields, default=str).encode()
        await context.abort(code, error.message, ((ERROR, type(error).__name__), (FIELDS, fields)))
        raise
    except Exception as error:
        _LOG.exception("A method could not be answered.")
        sentence = "This could not be answered, by a fault of the server: its log says more."
        await context.abort(grpc.StatusCode.INTERNAL, sentence, ((ERROR, "InternalError"), (FIELDS, b"{}")))
        raise AssertionError from error
