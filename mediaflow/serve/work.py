"""Blocking work beside the event loop: so many threads, so many that wait for one, and so long for each request."""

from __future__ import annotations

import asyncio
import contextvars
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from mediaflow.errors import MediaflowError
from mediaflow.search.stopping import until
from mediaflow.serve.watch.record import spent

THREADS = max(4, os.cpu_count() or 1)
WAITING = 256
LIMIT_S = 30.0

Given = ParamSpec("Given")
Done = TypeVar("Done")


class Busy(MediaflowError):
    """More requests wait than can be answered soon: ask again in a moment."""


class TooSlow(MediaflowError):
    """The answer was not there within the time limit."""


class Work:
    """Runs functions in threads of its own.

    A search that is over its time, or whose caller has gone, ends at its next step (`mediaflow.search.stopping`). Until
    then its thread counts as taken: however many give up waiting, there are never more threads than these. What has
    not begun by then never does.

    Parameters
    ----------
    threads : int
        How many functions run at once.
    waiting : int
        How many more may wait.
    limit_s : float
        How long a caller waits, in seconds.
    """

    def __init__(self, threads: int = THREADS, waiting: int = WAITING, limit_s: float = LIMIT_S) -> None:
        self._pool = ThreadPoolExecutor(threads, "answers")
        self.threads = threads
        self._most = threads + waiting
        self._limit_s = limit_s
        self._taken = 0
        self._lock = threading.Lock()

    async def do(self, function: Callable[Given, Done], *given: Given.args, **named: Given.kwargs) -> Done:
        """Return what a function returns; `Busy` where it would wait too long, `TooSlow` where it takes too long."""
        with self._lock:
            if self._taken >= self._most:
                raise Busy("Too many requests wait already: ask again in a moment.", waiting=self._taken)
            self._taken += 1
        unwanted: Future[None] = Future()
        # What the caller's task knows of the request, its thread knows too.
        known = contextvars.copy_context()
        future: Future[Done] = self._pool.submit(known.run, lambda: _timed(unwanted, function, *given, **named))
        future.add_done_callback(self._ended)
        limit = asyncio.timeout(self._limit_s)
        try:
            async with limit:
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise TooSlow(
                f"The answer was not there within {self._limit_s:g} s: ask for less at once.", limit_s=self._limit_s
            ) from error
        finally:
            unwanted.set_result(None)

    @property
    def taken(self) -> int:
        """How many functions run, or wait for a thread."""
        return self._taken

    def close(self) -> None:
        """Wait for what runs, and begin nothing more."""
        self._pool.shutdown(cancel_futures=True)

    def _ended(self, _: Future[Any]) -> None:
        with self._lock:
            self._taken -= 1


def _timed(unwanted: Future[None], function: Callable[Given, Done], *given: Given.args, **named: Given.kwargs) -> Done:
    """Run a function, and note what that cost for the request it is for."""
    begun_s = time.thread_time()
    try:
        return until(unwanted, function, *given, **named)
    finally:
        spent(time.thread_time() - begun_s)
