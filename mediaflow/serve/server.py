"""The server: all faces in one process and one event loop, from the first request until SIGTERM has been heeded."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
import uvicorn
from starlette.types import ASGIApp

from mediaflow.errors import UsageError
from mediaflow.search.engine import SearchEngine
from mediaflow.serve.access.door import Door, own
from mediaflow.serve.cursors import Cursors
from mediaflow.serve.desk import Desk
from mediaflow.serve.grpc.face import make_server
from mediaflow.serve.http import MOST_BYTES, make_app
from mediaflow.serve.media.routes import Media
from mediaflow.serve.service import Service
from mediaflow.serve.work import Work

DRAIN_S = 30
_WAITING_CONNECTIONS = 512
_EVERYWHERE = ("0.0.0.0", "::")


@dataclass(frozen=True)
class Address:
    """Where the faces listen: a host, and a port each; port 0 takes any that is free, None leaves a face out.

    `names` are those by which HTTP may be asked beside the host itself and the usual ones of this machine.
    """

    host: str = "127.0.0.1"
    port: int = 8000
    grpc_port: int | None = None
    names: tuple[str, ...] = ()


def serve(
    engine: SearchEngine,
    cursors: Cursors,
    address: Address,
    said: Callable[[str], None],
    door: Door,
    media: Media | None = None,
) -> None:
    """Answer requests until this process gets SIGTERM or SIGINT; then end what was begun, and return.

    Parameters
    ----------
    engine : SearchEngine
        What answers. It is started here, behind the open port, and ended.
    cursors : Cursors
        Signs cursors.
    address : Address
        Where to listen.
    said : callable
        Gets a sentence for each address, once it is listened at.
    door : Door
        Says who asks. It is opened here, and closed.
    media : Media, optional
        Shows hits.

    Raises
    ------
    UsageError
        The host is not this machine alone and anybody could ask there, or nobody; or the port is taken.
    """
    refuse_strangers(address, door)
    desk = Desk(Service(engine, cursors), Work(), door, media)
    with _listening(address.host, address.port) as opened, door:
        asyncio.run(_serve(engine, desk, address, opened, said))


def refuse_strangers(address: Address, door: Door) -> None:
    """Raise `UsageError` for an address at which others than this machine could ask without a key."""
    host = address.host
    if own(host):
        return
    if not door.always:
        raise UsageError(
            f"The host {host!r} is not this machine alone, and nothing would ask there who is asking: leave --no-auth"
            " out, or give 127.0.0.1, ::1 or localhost.",
            host=host,
        )
    if not door.has_key():
        raise UsageError(
            f"The host {host!r} is not this machine alone, and nobody could ask there, as no key holds: make one with"
            " 'mediaflow keys add'.",
            host=host,
        )
    if not address.names and host in _EVERYWHERE:
        raise UsageError(
            f"The host {host!r} is every address of this machine: say by which names it is asked, such as"
            " --name films.example.",
            host=host,
        )


async def _serve(
    engine: SearchEngine, desk: Desk, address: Address, opened: socket.socket, said: Callable[[str], None]
) -> None:
    server = _Server(_config(make_app(desk, address.host, address.names)))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    calls = None if address.grpc_port is None else make_server(desk, MOST_BYTES)
    said(f"GraphQL answers at http://{_shown(address.host, opened.getsockname()[1])}/graphql.")
    if calls:
        said(f"gRPC answers at {_shown(address.host, await _started(calls, address))}.")
    # Behind the open ports, so that whoever asks meanwhile is told what is waited for.
    opening = asyncio.create_task(asyncio.to_thread(engine.__enter__))
    opening.add_done_callback(lambda task: server.stop() if task.exception() else None)
    try:
        await asyncio.gather(server.serve([opened]), _until(server, calls))
        await opening
    finally:
        await asyncio.to_thread(engine.close)
        desk.work.close()
        if desk.media:
            desk.media.close()


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="off",
        ws="none",
        timeout_graceful_shutdown=DRAIN_S,
    )


async def _started(calls: grpc.aio.Server, address: Address) -> int:
    """Start gRPC; return its port."""
    try:
        port = int(calls.add_insecure_port(_shown(address.host, address.grpc_port or 0)))
    except RuntimeError as error:
        raise _taken(address.host, address.grpc_port, "--grpc-port", "another process may be there") from error
    await calls.start()
    return port


async def _until(server: _Server, calls: grpc.aio.Server | None) -> None:
    """Wait until the server is told to end, and end gRPC beside it."""
    await server.told.wait()
    if calls:
        await calls.stop(DRAIN_S)


class _Server(uvicorn.Server):
    """uvicorn, without signals of its own: one process has one handler, for all faces."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.told = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        """Take no new connection, and end once all requests are answered."""
        self.should_exit = True
        self.told.set()


@contextmanager
def _listening(host: str, port: int) -> Iterator[socket.socket]:
    # Without the name of the protocol asyncio leaves small packets waiting for each other, 40 ms a request.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            opened.bind((host, port))
            opened.listen(_WAITING_CONNECTIONS)
        except (OSError, OverflowError) as error:
            raise _taken(host, port, "--port", getattr(error, "strerror", None) or str(error)) from error
        yield opened


def _taken(host: str, port: int | None, option: str, why: str) -> UsageError:
    return UsageError(
        f"Nothing can listen at {host}, port {port} ({why}): give another {option}.", host=host, port=port
    )


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
