"""What an encoder is: pictures and texts become unit vectors of one space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np


class Encoder(Protocol):
    """Turns pictures and texts into vectors of one space; the dot product of two is their cosine.

    Attributes
    ----------
    dim : int
        Length of the vectors.
    identity : str
        What exactly computes them: architecture, weights, preprocessing and tokenizer (32 hex digits).
    """

    @property
    def dim(self) -> int: ...

    @property
    def identity(self) -> str: ...

    def encode_pictures(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Return (n, dim) float32, unit norm, for pictures (h, w, 3) uint8 RGB of any sizes."""
        ...

    def encode_jpegs(self, jpegs: Sequence[bytes]) -> np.ndarray:
        """Return (n, dim) float32, unit norm, for JPEG files; `TitleError` where one cannot be decoded."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Return (n, dim) float32, unit norm, for texts, each used as written."""
        ...
