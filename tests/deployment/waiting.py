"""Waits for conditions, with a limit; no test sleeps and hopes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], limit_s: float, what: str, every_s: float = 0.3) -> T:
    """Return the first value of `condition` that counts as true, looking again and again.

    Raises
    ------
    TimeoutError
        There was none within the limit; `what` says what was waited for.
    """
    end = time.monotonic() + limit_s
    while not (value := condition()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited {limit_s:g} s in vain until {what}; last seen: {value!r}")
        threading.Event().wait(every_s)
    return value
