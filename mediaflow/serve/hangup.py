"""Requests whose client has hung up are given up: what was begun for them ends, and holds no thread any longer."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HangUp:
    """Cancels what answers a request once its client has gone.

    Parameters
    ----------
    app : ASGIApp
        What answers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        read, answered = asyncio.Event(), False

        async def body() -> Message:
            if read.is_set():
                # Whoever asks once more wants to know of the end, and is cancelled then.
                await asyncio.Future()
            message = await receive()
            if not message.get("more_body"):
                read.set()
            return message

        async def said(message: Message) -> None:
            nonlocal answered
            await send(message)
            answered = message["type"] == "http.response.body" and not message.get("more_body")

        async def hung_up() -> None:
            await read.wait()
            # What comes after the body is the end, of the client or of the answer.
            await receive()
            if not answered:
                answering.cancel()

        answering = asyncio.ensure_future(self._app(scope, body, said))
        watching = asyncio.ensure_future(hung_up())
        try:
            await asyncio.wait((answering,))
        finally:
            answering.cancel()
            watching.cancel()
        if not answering.cancelled():
            answering.result()
