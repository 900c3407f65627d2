"""The HTTP side: GraphQL at `/graphql`, a page to try it at `/`, `/healthz` and `/readyz`, and what holds for all."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ariadne.asgi import GraphQL
from ariadne.asgi.handlers import GraphQLHTTPHandler
from ariadne.exceptions import HttpBadRequestError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mediaflow.errors import UsageError
from mediaflow.serve.access.rates import TooMany
from mediaflow.serve.access.requests import STATUS, Doorkeeper, headers_of, refusal
from mediaflow.serve.caller import who_asks
from mediaflow.serve.desk import Desk
from mediaflow.serve.graphql.schemas import Schemas
from mediaflow.serve.hangup import HangUp
from mediaflow.serve.media.routes import routes
from mediaflow.serve.watch.metrics import CONTENT_TYPE
from mediaflow.serve.watch.state import observe
from mediaflow.serve.watch.watcher import Requests

# As much as a clip may have on the command line.
MOST_BYTES = 64 * 2**20
LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]")
_STATIC = Path(__file__).with_name("static")
_PAGES = {"/": "index.html", "/try.js": "try.js", "/try.css": "try.css", "/icon.svg": "icon.svg"}
_HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"x-frame-options": b"DENY",
    b"referrer-policy": b"no-referrer",
    b"cache-control": b"no-store",
    b"content-security-policy": (
        b"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; media-src 'self'"
    ),
}
# Ariadne logs each error that it answers; of these `format_error` logs what is the server's own fault.
_SILENT = logging.getLogger("mediaflow.serve.answered")
_SILENT.disabled = True


def make_app(desk: Desk, host: str, names: Sequence[str] = ()) -> Starlette:
    """Return the application that answers HTTP requests at a host, or other names of it, or any of this machine."""
    service, work, media, watcher = desk.service, desk.work, desk.media, desk.watcher
    observe(watcher.metrics, service, work, media)
    schemas = Schemas(work, desk.door.charge, media.links if media else None)

    def context(request: Request, _: Any) -> dict[str, Any]:
        return {"request": request, "service": service.of(who_asks(request.headers))}

    graphql = GraphQL(
        schemas.of({}).schema,
        context_value=context,
        explorer=None,
        http_handler=_Handler(schemas),
    )

    async def ready(_: Request) -> Response:
        status = await work.do(service.status)
        return JSONResponse(status, 200 if status["ready"] else 503)

    async def metrics(_: Request) -> Response:
        return Response(await work.do(watcher.metrics.text), media_type=CONTENT_TYPE)

    async def healthy(_: Request) -> Response:
        return JSONResponse({"alive": True})

    return Starlette(
        routes=[
            Route("/graphql", graphql.handle_request, methods=["POST"]),
            Route("/healthz", healthy),
            Route("/readyz", ready),
            Route("/metrics", metrics),
            *(routes(media, work) if media else ()),
            *(Route(path, _page(name)) for path, name in _PAGES.items()),
        ],
        middleware=[
            Middleware(Requests, watcher=watcher),
            Middleware(HangUp),
            Middleware(Guard),
            Middleware(TrustedHostMiddleware, allowed_hosts=[*LOOPBACK, host, *names], www_redirect=False),
            Middleware(Doorkeeper, door=desk.door),
        ],
    )


class TooLarge(UsageError):
    """The body of a request is larger than the limit."""


class Guard:
    """Bounds the bodies of requests, and gives all answers the headers of a page that trusts nobody else.

    Parameters
    ----------
    app : ASGIApp
        What it stands before.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a body that is too large gets 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        had, begun = 0, False

        async def bounded() -> Message:
            nonlocal had
            message = await receive()
            had += len(message.get("body", b""))
            if had > MOST_BYTES:
                raise _too_large()
            return message

        async def headed(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                # What an answer says itself, such as how long it may be kept, stays.
                said = [*message.get("headers", ())]
                names = {name for name, _ in said}
                message["headers"] = said + [one for one in _HEADERS.items() if one[0] not in names]
            await send(message)

        try:
            length = dict(scope["headers"]).get(b"content-length", b"")
            if length.isdigit() and int(length) > MOST_BYTES:
                raise _too_large()
            await self._app(scope, bounded, headed)
        except TooLarge as error:
            if begun:
                raise
            await refusal(error, 413)(scope, receive, headed)


class _Handler(GraphQLHTTPHandler):
    """Ariadne's handler, for which no request is an internal error, however it is made.

    Parameters
    ----------
    schemas : Schemas
        Answers requests, each by the schema of its snapshot.
    """

    def __init__(self, schemas: Schemas) -> None:
        super().__init__()
        self._schemas = schemas

    async def handle_request_override(self, request: Request) -> Response | None:
        try:
            data = await self._data(request)
            context = await self.get_context_for_request(request, data)
            _, result = await self._schemas.answer(data, context, logger=_SILENT)
            # An answer that says what is wrong is one; transport errors are those of the transport.
            return JSONResponse(result) if "data" in result else _unanswered(result)
        except HttpBadRequestError as error:
            return refusal(UsageError(f"{(error.message or 'The request is none').rstrip('.')}."))
        except HTTPException as error:
            # What starlette says of a body that is no multipart request.
            return refusal(UsageError(error.detail), error.status_code)
        except TooLarge:
            raise
        except (UsageError, TooMany) as error:
            return refusal(error)
        except RecursionError:
            return refusal(UsageError("The request is nested too deeply."))

    async def _data(self, request: Request) -> Any:
        try:
            data = await self.extract_data_from_request(request)
        except AttributeError as error:
            raise HttpBadRequestError("'operations' is no GraphQL request") from error
        try:
            _encode(data)
        except UnicodeEncodeError as error:
            raise HttpBadRequestError("A text of the request is no Unicode: it has half of a surrogate pair") from error
        return data


def _page(name: str) -> Callable[[Request], Awaitable[Response]]:
    async def page(_: Request) -> Response:
        return FileResponse(_STATIC / name)

    return page


def _encode(value: Any) -> None:
    """Raise `UnicodeEncodeError` where a text in a JSON value cannot be written."""
    if isinstance(value, str):
        if not value.isascii():
            value.encode()
    elif isinstance(value, Mapping):
        for name, one in value.items():
            _encode(name)
            _encode(one)
    elif isinstance(value, list):
        for one in value:
            _encode(one)


def _unanswered(result: Mapping[str, Any]) -> Response:
    """Return the answer to a request of which nothing was executed."""
    told = result["errors"][0]["extensions"]
    status = next((status for kind, status in STATUS if kind.__name__ == told["code"]), 400)
    return JSONResponse(result, status, headers_of(told["code"], told["fields"]))


def _too_large() -> TooLarge:
    return TooLarge(
        f"A request has at most {MOST_BYTES // 2**20} MiB: send a smaller picture or clip.", limit=MOST_BYTES
    )
