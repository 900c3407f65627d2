"""What is known of a model: the record that the log keeps, and the keys of its files in the store."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mediaflow.storage.layout import WEIGHTS


@dataclass(frozen=True)
class ModelFile:
    """One file of a model in the store: its key, its size in bytes and the SHA-256 of its bytes (hex)."""

    key: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ModelRecord:
    """A model as it was declared, and what it turned out to be.

    Attributes
    ----------
    name : str
        The name under which the user declared it.
    architecture : str
        The open_clip architecture, or `own` where the model brings one that open_clip has no name for.
    dim : int
        Length of its vectors.
    image_size : tuple of int
        Height and width of the pictures that it looks at.
    identity : str
        32 hex digits: BLAKE2b over architecture, weights, preprocessing and tokenizer.
    files : tuple of ModelFile
        Its files in the store, enough to load it from there.
    """

    name: str
    architecture: str
    dim: int
    image_size: tuple[int, int]
    identity: str
    files: tuple[ModelFile, ...]

    def to_body(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> ModelRecord:
        """Read a record from JSON values."""
        height, width = body["image_size"]
        files = tuple(ModelFile(**file) for file in body["files"])
        return cls(**{**body, "image_size": (height, width), "files": files})


def weights_key(identity: str, file_name: str) -> str:
    """Return the key in the store of a file of the model `identity`."""
    return f"{WEIGHTS}{identity}/{file_name}"
