"""Vectors of the texts that queries bring: remembered, and encoded together with those of other requests.

A model takes hardly longer for some texts than for one. So each model has one thread that encodes; while it does, what
other requests bring waits, and is the next batch.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from cachetools import LRUCache

from mediaflow.errors import SystemFault
from mediaflow.search.stopping import await_result

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mediaflow.models.encoder import Encoder

_REMEMBERED = 10_000
_MOST_AT_ONCE = 64
# Beyond loading a large model from a slow disk.
MOST_MS = 120_000


@dataclass
class Encoded:
    """What was encoded so far: batches, texts, and how long that took."""

    batches: int = 0
    texts: int = 0
    seconds: float = 0.0


class Encoders(Protocol):
    """Gives the encoder of an identity, loaded."""

    def encoder(self, identity: str) -> Encoder: ...


class TextVectors:
    """Encodes texts with the models of any snapshots. For as many threads as you like.

    Parameters
    ----------
    encoders : Encoders
        Gives a model's encoder; asked only when there is a text that is not remembered.
    most_ms : int
        How long a text may wait.
    """

    def __init__(self, encoders: Encoders, most_ms: int = MOST_MS) -> None:
        self._encoders = encoders
        self._most_ms = most_ms
        self._known: LRUCache[tuple[str, str], Future[NDArray[np.float32]]] = LRUCache(_REMEMBERED)
        self._waiting: dict[str, dict[str, Future[NDArray[np.float32]]]] = {}
        self._threads: dict[str, ThreadPoolExecutor] = {}
        self._lock = threading.Lock()
        self.encoded = Encoded()

    def vector(self, identity: str, text: str) -> NDArray[np.float32]:
        """Return the vector (dim,) of unit norm of a text by the model of an identity.

        Raises
        ------
        SystemFault
            It took too long. Whatever loading or running the model raises is raised as it is.
        Stopped
            Nobody waits for it any more.
        """
        coming = self.begin(identity, text)
        try:
            vector: NDArray[np.float32] = await_result(coming, self._most_ms / 1000)
            return vector
        except TimeoutError as error:
            if coming.done():
                raise
            raise SystemFault(
                f"The model {identity} did not encode the text within {self._most_ms / 1000:g} s; ask again, or look "
                "what else this machine does.",
                model=identity,
            ) from error

    def begin(self, identity: str, text: str) -> Future[NDArray[np.float32]]:
        """Return the vector of a text that is being encoded, or was; the model is loaded for it behind the caller."""
        with self._lock:
            known = self._known.get((identity, text))
            if known is not None:
                return known
            waiting = self._waiting.setdefault(identity, {})
            coming = waiting.get(text)
            if coming is None:
                coming = waiting[text] = Future()
                self._thread(identity).submit(self._encode, identity)
            return coming

    def _thread(self, identity: str) -> ThreadPoolExecutor:
        if identity not in self._threads:
            self._threads[identity] = ThreadPoolExecutor(1, thread_name_prefix=f"encoder {identity[:8]}")
        return self._threads[identity]

    def _encode(self, identity: str) -> None:
        """Encode what waits for a model; nothing where that came with an earlier batch."""
        with self._lock:
            waiting = self._waiting[identity]
            batch = {text: waiting.pop(text) for text in list(waiting)[:_MOST_AT_ONCE]}
        if not batch:
            return
        begun_s = time.perf_counter()
        try:
            vectors = list(self._vectors(identity, list(batch)))
        except BaseException as error:  # noqa: BLE001 - whoever asked is told, whatever it is
            for one in batch.values():
                one.set_exception(error)
            return
        with self._lock:
            self.encoded.batches += 1
            self.encoded.texts += len(batch)
            self.encoded.seconds += time.perf_counter() - begun_s
            self._known.update({(identity, text): one for text, one in batch.items()})
        for one, vector in zip(batch.values(), vectors, strict=True):
            one.set_result(vector)

    def _vectors(self, identity: str, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._encoders.encoder(identity).encode_texts(texts)
