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
class Preprocessing:
    """What is done to a picture before the model looks at it.

    Attributes
    ----------
    mean, std : tuple of float
        Of RGB values in [0, 1]: subtracted, and divided by.
    interpolation, resize_mode : str
        How a picture is made smaller, and what becomes of its shape, in the words of open_clip.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str
    resize_mode: str


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
    preprocessing : Preprocessing, optional
        None in the log of a store that is older than this field.
    """

    name: str
    architecture: str
    dim: int
    image_size: tuple[int, int]
    identity: str
    files: tuple[ModelFile, ...]
    preprocessing: Preprocessing | None = None

    def to_body(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> ModelRecord:
        """Read a record from JSON values."""
        height, width = body["image_size"]
        files = tuple(ModelFile(**file) for file in body["files"])
        return cls(**{**body, "image_size": (height, width), "files": files, "preprocessing": _preprocessing(body)})


def _preprocessing(body: Mapping[str, Any]) -> Preprocessing | None:
    said = body.get("preprocessing")
    return Preprocessing(**{**said, "mean": tuple(said["mean"]), "std": tuple(said["std"])}) if said else None


def weights_prefix(identity: str) -> str:
    """Return what the keys in the store of all files of the model `identity` begin with."""
    return f"{WEIGHTS}{identity}/"


def weights_key(identity: str, file_name: str) -> str:
    """Return the key in the store of a file of the model `identity`."""
    return f"{weights_prefix(identity)}{file_name}"
