"""Searches that nobody waits for any more end at their next step: whoever runs one in a thread can tell it so.

A thread cannot be stopped from outside. So a search looks between its steps, each of which asks one table or the like,
whether its answer is still wanted; what it waits for, it waits for only as long.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextvars import ContextVar
from typing import Any, ParamSpec, TypeVar

from mediaflow.errors import MediaflowError

Given = ParamSpec("Given")
Done = TypeVar("Done")

_stop: ContextVar[Future[None] | None] = ContextVar("mediaflow_stop", default=None)


class Stopped(MediaflowError):
    """Nobody waits for the answer any more."""


def until(stop: Future[None], function: Callable[Given, Done], *given: Given.args, **named: Given.kwargs) -> Done:
    """Return what a function returns; what it searches ends with `Stopped` once `stop` is done."""
    token = _stop.set(stop)
    try:
        check()
        return function(*given, **named)
    finally:
        _stop.reset(token)


def check() -> None:
    """Raise `Stopped` where nobody waits for what this thread searches."""
    stop = _stop.get()
    if stop is not None and stop.done():
        raise Stopped("Nobody waits for the answer any more.")


def await_result(coming: Future[Any], most_s: float) -> Any:
    """Return the result of a future of another thread.

    Parameters
    ----------
    coming : Future
        What is waited for.
    most_s : float
        How long, in seconds.

    Raises
    ------
    Stopped
        Nobody waits for it any more.
    TimeoutError
        It took longer.
    """
    stop = _stop.get()
    if stop is not None:
        done, _ = wait((coming, stop), most_s, FIRST_COMPLETED)
        if coming not in done:
            check()
            raise TimeoutError
    return coming.result(most_s)
