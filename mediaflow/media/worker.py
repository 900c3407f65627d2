"""The decode worker's own side: a process of its own that answers one request at a time until its parent is gone."""

from __future__ import annotations

import json
import logging
import socket
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediaflow.errors import MediaflowError, TitleError
from mediaflow.media import sandbox, wire
from mediaflow.media.options import DecodeOptions, Limits

if TYPE_CHECKING:
    from mediaflow.media.frames import KeptFrame


def main(connection_number: int, limits_json: str) -> None:
    """Serve requests that come over an inherited socket.

    Parameters
    ----------
    connection_number : int
        File descriptor of the socket.
    limits_json : str
        `Limits` as JSON.
    """
    limits = Limits(**json.loads(limits_json))
    sandbox.confine(limits.memory_bytes)
    connection = socket.socket(fileno=connection_number)
    sandbox.die_with(connection)
    _import_decoders()
    wire.send(connection, {"ready": True})
    while True:
        try:
            request, body = wire.receive(connection)
            granted = limits.of(request["do"])
            sandbox.allow_cpu(granted.cpu_s)
            _answer(connection, granted, request, body)
        except (wire.PeerGone, wire.Garbled):
            sys.exit(0)


def _import_decoders() -> None:
    """Pay for imports before the first request, and silence what decoders print."""
    import av.logging

    import mediaflow.media.decode
    import mediaflow.media.picture
    import mediaflow.media.preview
    import mediaflow.media.probe  # noqa: F401

    av.logging.set_level(av.logging.PANIC)
    logging.disable(logging.CRITICAL)


def _answer(connection: socket.socket, limits: Limits, request: dict[str, Any], body: bytes) -> None:
    try:
        reply, data = _DO[request["do"]](connection, limits, request, body)
        wire.send(connection, {"done": reply}, data)
    except MediaflowError as known:
        _refuse(connection, known)
    except wire.PeerGone:
        raise
    except Exception as unknown:  # noqa: BLE001 - whatever untrusted bytes lead to, the worker lives on
        name = Path(request.get("path", "the picture")).name
        what = f"{name!r} cannot be decoded ({type(unknown).__name__}: {unknown}); it may be damaged: encode it again."
        _refuse(connection, TitleError(what, stage=request["do"], file=name))


def _refuse(connection: socket.socket, error: MediaflowError) -> None:
    plain = {"kind": type(error).__name__, "message": error.message, "fields": error.fields}
    wire.send(connection, {"error": plain})


def _probe(
    connection: socket.socket, limits: Limits, request: dict[str, Any], _body: bytes
) -> tuple[dict[str, Any], bytes]:
    from mediaflow.media.probe import probe_file

    found = probe_file(Path(request["path"]), limits, lambda n: wire.send(connection, {"progress": n}))
    return {"facts": found.facts.to_dict(), "cues": found.cues, "notes": found.notes}, b""


def _decode(
    connection: socket.socket, limits: Limits, request: dict[str, Any], body: bytes
) -> tuple[dict[str, Any], bytes]:
    from mediaflow.media.decode import decode_file

    def keep(frame: KeptFrame) -> None:
        facts = asdict(frame)
        wire.send(connection, {"kept": facts}, facts.pop("jpeg"))

    def progress(frames: int) -> None:
        wire.send(connection, {"progress": frames})

    options = DecodeOptions(**request["options"])
    data = body if request["do"] == "clip" else None
    result = decode_file(Path(request["path"]), options, limits, keep, progress, data)
    return {"shots": result.shots, "facts": result.facts, "notes": result.notes}, b""


def _picture(
    _connection: socket.socket, limits: Limits, _request: dict[str, Any], body: bytes
) -> tuple[dict[str, Any], memoryview]:
    from mediaflow.media.picture import decode_picture

    picture = decode_picture(body, limits)
    return {"height": picture.shape[0], "width": picture.shape[1]}, memoryview(picture.tobytes())


def _preview(
    connection: socket.socket, limits: Limits, request: dict[str, Any], _body: bytes
) -> tuple[dict[str, Any], bytes]:
    from mediaflow.media.preview import cut

    def progress(pictures: int) -> None:
        wire.send(connection, {"progress": pictures})

    return {}, cut(Path(request["path"]), request["start_ms"], request["end_ms"], limits, progress)


_DO: dict[str, Any] = {
    "probe": _probe,
    "decode": _decode,
    "clip": _decode,
    "picture": _picture,
    "preview": _preview,
}
