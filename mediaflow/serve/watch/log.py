"""A line a request on stderr, as JSON or for people; never a text of a question, a key or a cursor."""

from __future__ import annotations

import logging
import sys
import time
from enum import StrEnum

from mediaflow.serve.watch.record import Record

_REQUESTS = logging.getLogger("mediaflow.requests")


class Form(StrEnum):
    """How requests are logged."""

    JSON = "json"
    TEXT = "text"
    OFF = "off"


def set_up(form: Form) -> None:
    """Log requests, and what goes wrong in the server, on stderr; requests not at all where they are off."""
    handler = logging.StreamHandler(sys.stderr)
    if form is Form.JSON:
        from pythonjsonlogger.json import JsonFormatter

        layout = JsonFormatter(
            "{levelname}{message}", style="{", timestamp="time", rename_fields={"levelname": "level"}
        )
        handler.setFormatter(layout)
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    ours = logging.getLogger("mediaflow")
    ours.handlers, ours.propagate = [handler], False
    ours.setLevel(logging.INFO)
    _REQUESTS.disabled = form is Form.OFF


def log(record: Record) -> None:
    """Log a request that has ended."""
    if not _REQUESTS.isEnabledFor(logging.INFO):
        return
    duration_ms = round((time.perf_counter() - record.begun_s) * 1000, 2)
    said = {
        "request": record.id,
        "face": record.face,
        "operation": record.operation,
        "code": record.code,
        "duration_ms": duration_ms,
        "cpu_ms": round(record.cpu_s * 1000, 2),
        "snapshot": record.snapshot,
        "hits": record.hits,
    }
    words = f"{record.face} {record.operation} {record.code} {duration_ms:g} ms, request {record.id}"
    _REQUESTS.info(words, extra={name: value for name, value in said.items() if value is not None})
