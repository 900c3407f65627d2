"""Texts of queries: each encoded once, together with those that come meanwhile, and never waited for without end."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from mediaflow.errors import SystemFault, UsageError
from mediaflow.search.process.encoding import TextVectors
from tests.search.world import MODEL, ColourEncoder


class Gated:
    """An encoder that waits for a sign, and tells what it was given at once; also what gives it."""

    dim, identity = ColourEncoder.dim, MODEL

    def __init__(self, fails: bool = False) -> None:
        self.open = threading.Event()
        self.begun = threading.Event()
        self.batches: list[list[str]] = []
        self._fails = fails

    def encoder(self, identity: str) -> Gated:
        assert identity == MODEL
        return self

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        self.batches.append(list(texts))
        self.begun.set()
        assert self.open.wait(60)
        if self._fails:
            raise UsageError("The weights are gone.")
        return ColourEncoder().encode_texts(texts)


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    most = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < most
        time.sleep(0.001)


def test_what_comes_while_a_model_encodes_is_one_batch() -> None:
    model = Gated()
    texts = TextVectors(model)  # type: ignore[arg-type]
    with ThreadPoolExecutor(12) as pool:
        first = pool.submit(texts.vector, MODEL, "red")
        assert model.begun.wait(60)
        others = [pool.submit(texts.vector, MODEL, text) for text in ("green", "blue", "green", "white", "blue")]
        until(lambda: len(texts._waiting[MODEL]) == 3)
        model.open.set()
        found = [one.result(60) for one in (first, *others)]
    assert model.batches[0] == ["red"]
    assert sorted(text for batch in model.batches[1:] for text in batch) == ["blue", "green", "white"]
    alone = ColourEncoder().encode_texts(["red", "green", "blue", "green", "white", "blue"])
    np.testing.assert_allclose(found, alone, atol=1e-6)


def test_what_is_known_is_not_encoded_again() -> None:
    model = Gated()
    model.open.set()
    texts = TextVectors(model)  # type: ignore[arg-type]
    one, again = texts.vector(MODEL, "red"), texts.vector(MODEL, "red")
    assert model.batches == [["red"]] and one is again


def test_a_model_that_fails_tells_all_who_wait_and_is_asked_again() -> None:
    model = Gated(fails=True)
    model.open.set()
    texts = TextVectors(model)  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(UsageError, match="weights are gone"):
            texts.vector(MODEL, "red")
    assert len(model.batches) == 2


def test_a_model_that_takes_too_long_is_a_sentence() -> None:
    model = Gated()
    texts = TextVectors(model, most_ms=50)  # type: ignore[arg-type]
    with pytest.raises(SystemFault, match="did not encode the text within"):
        texts.vector(MODEL, "red")
    model.open.set()
    until(lambda: bool(texts._known))
    assert texts.vector(MODEL, "red").shape == (ColourEncoder.dim,)
    assert model.batches == [["red"]]
