"""Messages between a decode worker and its parent: a JSON header and raw bytes behind it.

No pickle: the worker reads untrusted bytes, so what it says must not be able to run code in the parent.
"""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

_LENGTHS = struct.Struct("!IQ")
_LARGEST_HEADER = 64 * 2**20
_LARGEST_BODY = 2**30


class PeerGone(Exception):
    """The other end has closed the connection."""


class Garbled(Exception):
    """The other end sent something that is no message."""


def send(connection: socket.socket, header: dict[str, Any], body: bytes | memoryview = b"") -> None:
    """Send one message; raises PeerGone where nobody listens any more."""
    head = json.dumps(header, ensure_ascii=False).encode()
    try:
        connection.sendall(_LENGTHS.pack(len(head), len(body)) + head)
        if len(body):
            connection.sendall(body)
    except (BrokenPipeError, ConnectionResetError):
        raise PeerGone from None


def receive(connection: socket.socket) -> tuple[dict[str, Any], bytes]:
    """Wait for one message.

    Raises
    ------
    PeerGone
        The connection was closed.
    Garbled
        The lengths or the header make no sense.
    TimeoutError
        Nothing came within the connection's timeout.
    """
    head_length, body_length = _LENGTHS.unpack(_exactly(connection, _LENGTHS.size))
    if head_length > _LARGEST_HEADER or body_length > _LARGEST_BODY:
        raise Garbled("a message is larger than any message may be")
    head = bytes(_exactly(connection, head_length))
    body = bytes(_exactly(connection, body_length))
    try:
        header = json.loads(head)
    except ValueError:
        raise Garbled("a message's header is no JSON") from None
    if not isinstance(header, dict):
        raise Garbled("a message's header is no object")
    return header, body


def _exactly(connection: socket.socket, count: int) -> bytearray:
    data = bytearray(count)
    view = memoryview(data)
    while len(view):
        try:
            got = connection.recv_into(view)
        except ConnectionResetError:
            raise PeerGone from None
        if got == 0:
            raise PeerGone
        view = view[got:]
    return data
