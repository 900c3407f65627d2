"""Encoders that remember the vectors of texts in a folder, so that the same questions load no model again."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from mediaflow.models.encoder import Encoder
    from mediaflow.search.process.encoding import Encoders


class RememberedTexts:
    """Gives encoders whose texts are looked up before a model is loaded.

    Parameters
    ----------
    encoders : Encoders
        Gives the encoders themselves.
    folder : Path
        Where vectors are kept: `<identity>/<hash of the text>.npy`; it may be deleted at any time.
    """

    def __init__(self, encoders: Encoders, folder: Path) -> None:
        self._encoders = encoders
        self._folder = folder

    def encoder(self, identity: str) -> Encoder:
        """Return the encoder of a model, which is not loaded before it has to compute something."""
        return _Remembering(self._encoders, identity, self._folder / identity)


class _Remembering:
    def __init__(self, encoders: Encoders, identity: str, folder: Path) -> None:
        self._encoders = encoders
        self._folder = folder
        self.identity = identity

    @property
    def dim(self) -> int:
        return self._encoders.encoder(self.identity).dim

    def encode_pictures(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        return self._encoders.encoder(self.identity).encode_pictures(pictures)

    def encode_jpegs(self, jpegs: Sequence[bytes]) -> np.ndarray:
        return self._encoders.encoder(self.identity).encode_jpegs(jpegs)

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        import numpy as np

        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> np.ndarray:
        import numpy as np

        file = self._folder / f"{hashlib.blake2b(text.encode(), digest_size=16).hexdigest()}.npy"
        try:
            kept: np.ndarray = np.load(file)
            return kept
        except (OSError, ValueError, EOFError):
            vector: np.ndarray = self._encoders.encoder(self.identity).encode_texts([text])[0]
        # What cannot be kept is computed again the next time.
        with contextlib.suppress(OSError):
            self._folder.mkdir(parents=True, exist_ok=True)
            part = file.with_suffix(f".{secrets.token_hex(6)}.npy")
            np.save(part, vector)
            part.replace(file)
        return vector
