"""The door of HTTP: nothing but what is open to all is answered without a key, where one is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mediaflow.errors import MediaflowError, SystemFault, UsageError
from mediaflow.serve.access import audit
from mediaflow.serve.access.door import Door
from mediaflow.serve.access.rates import TooMany
from mediaflow.serve.caller import Caller, Forbidden, Role, Unauthenticated, asks
from mediaflow.serve.watch.record import failed, request_id

OPEN = frozenset({"/healthz", "/readyz", "/", "/try.js", "/try.css"})
"""Paths that are answered to anybody: whether the server is there, and the page that asks for a key."""
SIGNED = "/media/"
"""What paths begin with that are a right themselves: links that an answer gave, signed and for a time."""
ROLES: Mapping[str, Role] = {"/metrics": "admin"}
"""The role that a path takes; `search` where nothing is said."""

STATUS: tuple[tuple[type[MediaflowError], int], ...] = (
    (Unauthenticated, 401),
    (Forbidden, 403),
    (TooMany, 429),
    (UsageError, 400),
    (SystemFault, 503),
)


class Doorkeeper:
    """Answers who may ask, and counts each request; others get 401, 403 or 429, and their body is not read.

    Parameters
    ----------
    app : ASGIApp
        What it stands before.
    door : Door
        Says who asks.
    """

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] in OPEN or scope["path"].startswith(SIGNED):
            await self._app(scope, receive, send)
            return
        address = scope["client"][0] if scope.get("client") else ""
        try:
            caller = self._door.enter(Headers(scope=scope).get("authorization"), address)
        except MediaflowError as error:
            await refusal(error)(scope, receive, send)
            return
        asks(caller)
        if caller.key and "admin" in caller.roles:
            send = _audited(caller, scope, send)
        try:
            caller.require(ROLES.get(scope["path"], "search"))
            self._door.charge(1)
        except MediaflowError as error:
            await refusal(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def refusal(error: MediaflowError, status: int | None = None, fields: Mapping[str, Any] | None = None) -> Response:
    """Return the answer that says an error, with the headers of its type; its status and fields or those given."""
    status = status or next((status for kind, status in STATUS if isinstance(error, kind)), 500)
    failed(type(error).__name__)
    extensions = {
        "code": type(error).__name__,
        "fields": error.fields if fields is None else fields,
        "requestId": request_id(),
    }
    body = {"errors": [{"message": error.message, "extensions": extensions}]}
    return JSONResponse(body, status, headers_of(type(error).__name__, error.fields))


def headers_of(code: str, fields: Mapping[str, Any]) -> dict[str, str]:
    """Return the headers that an error of a type comes with."""
    if code == Unauthenticated.__name__:
        return {"WWW-Authenticate": "Bearer"}
    return {"Retry-After": str(fields["retry_after_s"])} if code == TooMany.__name__ else {}


def _audited(caller: Caller, scope: Scope, send: Send) -> Send:
    async def audited(message: Message) -> None:
        if message["type"] == "http.response.start":
            audit.said(caller.name, f"{scope['method']} {scope['path']}", str(message["status"]), key=caller.key)
        await send(message)

    return audited
