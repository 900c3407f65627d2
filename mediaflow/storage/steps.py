"""Named steps of the publishing protocol: whoever wants to stop a process at one of them can listen here.

Processes may crash or sleep between any two steps; the steps have names so that this can be tried out at each.
"""

from __future__ import annotations

from collections.abc import Callable

_listeners: list[Callable[[str], None]] = []


def listen(listener: Callable[[str], None]) -> None:
    """Call `listener` with the name of each step that this process reaches from now on, before it goes on."""
    _listeners.append(listener)


def reached(step: str) -> None:
    """Tell the listeners that a step was reached."""
    for listener in _listeners:
        listener(step)
