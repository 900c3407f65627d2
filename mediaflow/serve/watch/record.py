"""What is known of the request that is being answered, for whoever answers it: its id, and what came of it."""

from __future__ import annotations

import re
import secrets
import time
from contextvars import ContextVar
from dataclasses import dataclass, field

HEADER = "x-request-id"
"""The header, or metadata, that brings the id of a request, and takes it back."""
_SANE = re.compile(r"[A-Za-z0-9._:-]{1,64}")


@dataclass
class Record:
    """A request.

    Attributes
    ----------
    id : str
        Its id.
    face : str
        `graphql`, `grpc` or `http`.
    operation : str
        What was asked for, of a few names that the server itself gives.
    code : str
        What came of it: `OK`, the type of an error, a status.
    snapshot : str or None
        What answered.
    hits : int or None
        How many hits the answer has.
    cpu_s : float
        What threads of the server have worked for it; those of the store's library do not count.
    """

    id: str
    face: str
    operation: str = ""
    code: str = ""
    snapshot: str | None = None
    hits: int | None = None
    cpu_s: float = 0.0
    begun_s: float = field(default_factory=time.perf_counter)


_CURRENT: ContextVar[Record | None] = ContextVar("request", default=None)


def begin(face: str, given: str | None, operation: str = "") -> Record:
    """Begin a request in this task, under the id that it brings where that is one.

    Parameters
    ----------
    face, operation : str
        See `Record`.
    given : str or None
        What the client calls it: up to 64 letters, digits, `.`, `_`, `:` and `-`.
    """
    record = Record(given if given and _SANE.fullmatch(given) else secrets.token_hex(8), face, operation)
    _CURRENT.set(record)
    return record


def request_id() -> str | None:
    """Return the id of the request that is being answered; None outside of one."""
    record = _CURRENT.get()
    return record.id if record else None


def asked(operation: str) -> None:
    """Note what a request asks for; one that asks for different things asks for `several`."""
    if record := _CURRENT.get():
        record.operation = operation if record.operation in ("", operation) else "several"


def answered(snapshot: str, hits: int | None = None) -> None:
    """Note which snapshot answers, and how many hits it gave."""
    if record := _CURRENT.get():
        record.snapshot = snapshot
        record.hits = record.hits if hits is None else (record.hits or 0) + hits


def failed(code: str) -> None:
    """Note the type of an error; of several, the first."""
    if record := _CURRENT.get():
        record.code = record.code or code


def spent(cpu_s: float) -> None:
    """Note the CPU time that a thread has worked for a request."""
    if record := _CURRENT.get():
        record.cpu_s += cpu_s
