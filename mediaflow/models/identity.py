"""How the identity of a model is worked out: from what its vectors depend on, and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from mediaflow.models.openclip import LoadedModel

# Letters of several scripts, digits, punctuation, an elision and a word that no vocabulary holds whole.
_PROBE_TEXTS = ["a red car at night, 3 people don't run", "ein rotes Auto; красная машина 赤い車 zxqjvkw!", ""]


def identity_of(architecture: Mapping[str, Any], file_hashes: Mapping[str, str], model: LoadedModel) -> str:
    """Return the identity of a model: what its vectors depend on, and nothing else.

    Parameters
    ----------
    architecture : Mapping
        The `model_cfg` of open_clip.
    file_hashes : Mapping of str to str
        SHA-256 of the weights and, where the model brings one, of its vocabulary, by their names in the store.
    model : LoadedModel
        The loaded model; its preprocessing counts by what it does to a fixed picture, its tokenizer by what it makes
        of fixed texts.

    Returns
    -------
    str
        32 hex digits.
    """
    prepare = model.preprocessor
    square = prepare.picture(probe_picture()).astype(np.float32)
    normalised = ((square / np.float32(255) - prepare.mean) / prepare.std).astype("<f4")
    tokens = model.tokenize(_PROBE_TEXTS).numpy().astype("<i8")
    body = {
        "architecture": architecture,
        "files": file_hashes,
        "preprocessing": [normalised.shape, hashlib.sha256(normalised.tobytes()).hexdigest()],
        "tokenizer": [tokens.shape, hashlib.sha256(tokens.tobytes()).hexdigest()],
    }
    return hashlib.blake2b(json.dumps(body, sort_keys=True).encode(), digest_size=16).hexdigest()


def probe_picture() -> np.ndarray:
    """Return a fixed picture (270, 480, 3) uint8 with gradients, edges and fine detail, so that any resize shows."""
    y, x = np.mgrid[0:270, 0:480]
    planes = [(x * 5 + y * 3) % 256, (x * y // 7) % 256, ((x // 9 + y // 13) % 2) * 255]
    return np.stack(planes, axis=-1).astype(np.uint8)
