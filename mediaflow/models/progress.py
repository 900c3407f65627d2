"""How long work on a model says how far it is: a step in a word, and bytes done of bytes in all."""

from __future__ import annotations

from collections.abc import Callable

# The step (`fetching`, `reading`, `loading`, `copying`), bytes done, bytes in all (0: not known, or not in bytes).
Progress = Callable[[str, int, int], None]

FETCHING, READING, LOADING, COPYING = "fetching", "reading", "loading", "copying"


def silent(step: str, done: int, total: int) -> None:
    """Say nothing."""
