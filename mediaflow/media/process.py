"""The parent's side of one decode worker: starting it, asking it, and noticing when it is gone or stuck."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from mediaflow import errors
from mediaflow.media import queueing, wire
from mediaflow.media.options import Limits

_START = "import sys; sys.path[:] = {path!r}; from mediaflow.media.worker import main; main({fd}, {limits!r})"
_START_S = 120.0
_OWN_SIGNALS = {signal.SIGSEGV, signal.SIGBUS, signal.SIGABRT, signal.SIGILL, signal.SIGFPE, signal.SIGSYS}
_MAY_RAISE = {kind.__name__: kind for kind in (errors.TitleError, errors.UsageError, errors.SystemFault)}


class WorkerLost(Exception):
    """The worker died or was stopped in the middle of a request.

    Parameters
    ----------
    how : str
        "killed" (from outside), "stalled" (no progress), "memory", "cpu" or "crashed".
    """

    def __init__(self, how: str) -> None:
        super().__init__(how)
        self.how = how


class WorkerProcess:
    """One running worker. Not thread-safe: one request at a time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        ours, theirs = socket.socketpair()
        path = [os.path.abspath(entry or ".") for entry in sys.path]  # noqa: PTH100 - keeps links as they are
        code = _START.format(path=path, fd=theirs.fileno(), limits=json.dumps(asdict(limits)))
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-c", code],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._complaints,
                pass_fds=(theirs.fileno(),),
                env=_environment(),
                cwd="/",
            )
        self._connection = ours
        self.ended = False
        self._wait_until_ready()

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def ask(
        self, request: dict[str, Any], body: bytes, take: Callable[[dict[str, Any], bytes], None]
    ) -> tuple[dict[str, Any], bytes]:
        """Send a request and wait for its answer; every message before the answer goes to `take`.

        Raises
        ------
        WorkerLost
            The worker is gone or stuck; this object is closed and of no more use.
        TitleError, UsageError, SystemFault
            What the worker says of the request.
        Exception
            What `take` raises: nobody wants the answer, and this object is closed, as the worker is in the midst of it.
        """
        try:
            self._connection.settimeout(self._limits.stall_s)
            wire.send(self._connection, request, body)
            while True:
                self._listen(self._limits.stall_s)
                header, data = wire.receive(self._connection)
                if "done" in header:
                    return header["done"], data
                if "error" in header:
                    raise _error(header["error"])
                self._handed(take, header, data)
        except TimeoutError:
            self.close()
            raise WorkerLost("stalled") from None
        except (wire.PeerGone, wire.Garbled):
            raise WorkerLost(self._how_it_ended()) from None

    def _handed(self, take: Callable[[dict[str, Any], bytes], None], header: dict[str, Any], data: bytes) -> None:
        try:
            take(header, data)
        except BaseException:
            self.close()
            raise

    def kill(self) -> None:
        """End the process at once; whoever waits for its answer gets WorkerLost. May be called from any thread."""
        self._process.kill()

    def close(self) -> None:
        """End the process and give back what it held here."""
        self.ended = True
        self._process.kill()
        self._process.wait()
        self._connection.close()
        self._complaints.close()

    def _listen(self, most_s: float) -> None:
        """Wait until the worker says something; what it spends waiting for a processor is not its own time.

        Raises
        ------
        TimeoutError
            It said nothing in so many seconds of its own.
        """
        poll = select.poll()
        poll.register(self._connection, select.POLLIN)
        patience_s, queued_s = most_s, queueing.seconds(self.pid)
        while not poll.poll(1000 * patience_s):
            before_s, queued_s = queued_s, queueing.seconds(self.pid)
            patience_s = min(patience_s, queued_s - before_s)
            if patience_s < most_s / 10:
                raise TimeoutError

    def _wait_until_ready(self) -> None:
        self._connection.settimeout(_START_S)
        try:
            self._listen(_START_S)
            wire.receive(self._connection)
        except (wire.PeerGone, wire.Garbled, TimeoutError):
            self._process.kill()
            self._process.wait()
            said = self._last_words()
            self.close()
            raise errors.SystemFault(
                f"The decode worker cannot start: {said}. Check the installation, and the memory limit of "
                f"{self._limits.memory_bytes // 2**20} MiB.",
                stage="worker",
            ) from None

    def _how_it_ended(self) -> str:
        try:
            code = self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            code = 0
        words = self._last_words()
        self.close()
        if code == -signal.SIGXCPU:
            return "cpu"
        if "MemoryError" in words:
            return "memory"
        # A signal that no decoder raises by itself came from outside: the kernel short of memory, or a person.
        return "killed" if code < 0 and -code not in _OWN_SIGNALS else "crashed"

    def _last_words(self) -> str:
        self._complaints.seek(0, os.SEEK_END)
        self._complaints.seek(max(0, self._complaints.tell() - 4096))
        lines = self._complaints.read().decode("utf-8", errors="replace").strip().splitlines()
        return lines[-1].strip().rstrip(".") if lines else "it ended without a word"


def _environment() -> dict[str, str]:
    """Return an environment without the parent's secrets, and with one thread for every library."""
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {"LC_ALL": "C.UTF-8", "PATH": os.defpath, "HOME": "/nonexistent", **single}


def _error(error: dict[str, Any]) -> errors.MediaflowError:
    kind = _MAY_RAISE.get(str(error.get("kind")), errors.TitleError)
    fields = {str(key): value for key, value in dict(error.get("fields", {})).items() if key != "message"}
    return kind(str(error.get("message")), **fields)
