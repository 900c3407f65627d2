"""What was found out last is remembered, up to a size, for all threads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from cachetools import LRUCache

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memory(Generic[K, V]):
    """Values by their keys, of which those go first that were not asked for the longest.

    Parameters
    ----------
    most : int
        The sizes of all values together are at most this.
    size : callable
        Gives the size of a value; one that is larger than all may be is not remembered.
    """

    def __init__(self, most: int, size: Callable[[V], int]) -> None:
        self._most, self._size = most, size
        self._values: LRUCache[K, V] = LRUCache(most, size)
        self._lock = threading.Lock()

    def get(self, key: K) -> V | None:
        """Return the value of a key, None where it is not remembered."""
        with self._lock:
            return self._values.get(key)

    def put(self, key: K, value: V) -> None:
        """Remember a value."""
        if self._size(value) <= self._most:
            with self._lock:
                self._values[key] = value
