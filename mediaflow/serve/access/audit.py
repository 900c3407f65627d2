"""The audit trail: a line of JSON for each act of an admin and each key that was refused; never a key itself.

The lines go to the logger `mediaflow.audit`, and where `kept` is entered to a file, whole lines of several processes
side by side.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mediaflow.errors import SystemFault

LOG = logging.getLogger("mediaflow.audit")
FILE = "audit.jsonl"


def said(who: str, what: str, outcome: str, **fields: str) -> None:
    """Leave a line: who did what, how that ended, and when."""
    line = {"at_ms": time.time_ns() // 1_000_000, "who": who, "what": what, "outcome": outcome, **fields}
    LOG.info(json.dumps(line, ensure_ascii=False), extra={"audit": line})


@contextmanager
def kept(home: Path) -> Iterator[None]:
    """Write the lines of this process to `audit.jsonl` in a workspace, too, as long as this lasts.

    Raises
    ------
    SystemFault
        The file cannot be written.
    """
    handler = _Appending(home / FILE)
    LOG.setLevel(logging.INFO)
    LOG.addHandler(handler)
    try:
        yield
    finally:
        LOG.removeHandler(handler)
        handler.close()


class _Appending(logging.Handler):
    """Appends each line to a file by one write, which other processes cannot come in between."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise SystemFault(
                f"The audit trail {str(path)!r} cannot be written ({error.strerror}): check the folder and its"
                " permissions.",
                path=str(path),
            ) from error

    def emit(self, record: logging.LogRecord) -> None:
        try:
            os.write(self._file, f"{record.getMessage()}\n".encode())
        except OSError:
            self.handleError(record)

    def close(self) -> None:
        os.close(self._file)
        super().close()
