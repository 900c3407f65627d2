"""Vectors of texts are remembered by model and text, and computed again where what is kept cannot be read."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mediaflow.publishing.gates.texts import RememberedTexts
from tests.publishing.gates.studio import WordEncoder, words


class Counting:
    """Gives encoders, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def encoder(self, identity: str) -> WordEncoder:
        self.asked.append(identity)
        return WordEncoder(identity)


def test_a_text_is_encoded_once_a_model_by_whoever_asks(tmp_path: Path) -> None:
    counting = Counting()
    for _ in range(2):
        remembered = RememberedTexts(counting, tmp_path)
        for model in ("m1", "m2"):
            found = remembered.encoder(model).encode_texts(["a red car", "a tree"])
            assert np.array_equal(found, words(model, ["a red car", "a tree"]))
    assert counting.asked == ["m1", "m1", "m2", "m2"], "once a text, the first time"


def test_a_damaged_file_is_written_anew(tmp_path: Path) -> None:
    counting = Counting()
    encoder = RememberedTexts(counting, tmp_path).encoder("m1")
    encoder.encode_texts(["a red car"])
    (file,) = (tmp_path / "m1").iterdir()
    for damage in (b"", b"no vector"):
        file.write_bytes(damage)
        assert np.array_equal(encoder.encode_texts(["a red car"]), words("m1", ["a red car"]))
    assert len(counting.asked) == 3
    assert list((tmp_path / "m1").iterdir()) == [file]


def test_a_folder_that_cannot_be_written_is_no_matter(tmp_path: Path) -> None:
    (tmp_path / "m1").write_text("a file")
    encoder = RememberedTexts(Counting(), tmp_path).encoder("m1")
    assert np.array_equal(encoder.encode_texts(["a red car"]), words("m1", ["a red car"]))
