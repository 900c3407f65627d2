"""Taking a model in: load it once to see that it works, work out its identity, copy its files into the store."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mediaflow.errors import AlgorithmError
from mediaflow.models.identity import identity_of, probe_picture
from mediaflow.models.openclip import LoadedModel, OpenClipEncoder, load_folder
from mediaflow.models.pictures import Preprocessor
from mediaflow.models.progress import COPYING, LOADING, READING, Progress, silent
from mediaflow.models.record import ModelFile, ModelRecord, Preprocessing, weights_key
from mediaflow.models.sources import CONFIG_FILE, PICKLED_WEIGHTS, SAFE_WEIGHTS, VOCABULARY, Material
from mediaflow.storage.objects import ObjectStore

_CHUNK = 1 << 24


def take_in(
    name: str, material: Material, store: ObjectStore, scratch: Path, progress: Progress = silent
) -> ModelRecord:
    """Return the record of a model whose files are in the store from now on.

    Parameters
    ----------
    name : str
        The name under which it was declared.
    material : Material
        Its files.
    store : ObjectStore
        Where they are copied to, each unless it is there.
    scratch : Path
        Local folder for what is needed on the way.
    progress : Progress
        Told how far it is.

    Returns
    -------
    ModelRecord
        The record, not yet in any log.

    Raises
    ------
    AlgorithmError
        The files cannot be read or do not make a model that works.
    """
    config = _configuration(material)
    spelt = json.dumps(config, sort_keys=True).encode()
    files = {SAFE_WEIGHTS if material.weights.suffix == ".safetensors" else PICKLED_WEIGHTS: material.weights}
    if material.vocabulary:
        files[VOCABULARY] = material.vocabulary
    hashes = _hashes(name, files, progress)
    progress(LOADING, 0, 0)
    with _staged(spelt, files, scratch) as folder:
        model = load_folder(folder, name)
    dim = _working_dim(name, model, config["model_cfg"])
    identity = identity_of(config["model_cfg"], hashes, model)
    progress(COPYING, 0, 0)
    kept = [_keep_bytes(store, weights_key(identity, CONFIG_FILE), spelt)]
    kept += [_keep_file(store, weights_key(identity, key), file, hashes[key]) for key, file in files.items()]
    return ModelRecord(
        name,
        material.architecture,
        dim,
        model.preprocessor.size,
        identity,
        tuple(kept),
        _preprocessing(model.preprocessor),
    )


def sha256_of(file: Path, progress: Progress = silent) -> str:
    """Return the SHA-256 of a file (hex)."""
    hashed, done, total = hashlib.sha256(), 0, file.stat().st_size
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            hashed.update(chunk)
            done += len(chunk)
            progress(READING, done, total)
    return hashed.hexdigest()


def _preprocessing(prepare: Preprocessor) -> Preprocessing:
    # Seven digits are what a float32 has; more would say 0.4000000059604645 where 0.4 was written.
    mean, std = (tuple(float(f"{value:.7g}") for value in part.tolist()) for part in (prepare.mean, prepare.std))
    return Preprocessing(mean, std, prepare.interpolation, prepare.resize_mode)


def _hashes(name: str, files: dict[str, Path], progress: Progress) -> dict[str, str]:
    try:
        return {file_name: sha256_of(file, progress) for file_name, file in files.items()}
    except OSError as error:
        raise AlgorithmError(
            f"The model {name!r} cannot be read: {error}; put its files in order or set MEDIAFLOW_VISUAL_MODEL to "
            "another model.",
            model=name,
            reason=str(error),
        ) from error


def _configuration(material: Material) -> dict[str, Any]:
    """Return the configuration as the store keeps it: the vocabulary has one name there, whatever it was called."""
    config: dict[str, Any] = json.loads(json.dumps(material.config))
    if material.vocabulary:
        config["model_cfg"]["text_cfg"]["tokenizer_kwargs"]["bpe_path"] = VOCABULARY
    return {"model_cfg": config["model_cfg"], "preprocess_cfg": config.get("preprocess_cfg", {})}


@contextmanager
def _staged(config: bytes, files: dict[str, Path], scratch: Path) -> Iterator[Path]:
    """Lay the files out as the store will have them, in a folder of links."""
    scratch.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch, prefix="model-") as temporary:
        folder = Path(temporary)
        (folder / CONFIG_FILE).write_bytes(config)
        for file_name, file in files.items():
            (folder / file_name).symlink_to(file.resolve())
        yield folder


def _working_dim(name: str, model: LoadedModel, model_cfg: dict[str, Any]) -> int:
    """Return the length of the vectors after both sides of the model have given one."""
    dim = int(model_cfg["embed_dim"])
    encoder = OpenClipEncoder(model, "", dim)
    try:
        vectors = np.concatenate([encoder.encode_pictures([probe_picture()]), encoder.encode_texts(["a probe 1 é"])])
    except (IndexError, RuntimeError, ValueError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
    else:
        if np.isfinite(vectors).all():
            return dim
        reason = "its vectors are not numbers"
    raise AlgorithmError(
        f"The model {name!r} loads and does not work: {reason}; check that weights, configuration and tokenizer belong "
        "together or set MEDIAFLOW_VISUAL_MODEL to another model.",
        model=name,
        reason=reason,
    )


def _keep_bytes(store: ObjectStore, key: str, content: bytes) -> ModelFile:
    """Put a configuration into the store; equal models may spell theirs differently, the first one stays."""
    data = content if store.put_if_absent(key, content) else store.get(key)
    return ModelFile(key, len(data), hashlib.sha256(data).hexdigest())


def _keep_file(store: ObjectStore, key: str, content: Path, sha256: str) -> ModelFile:
    """Put a file into the store unless it is there."""
    if not store.exists(key):
        store.put_if_absent(key, content.read_bytes())
    return ModelFile(key, content.stat().st_size, sha256)
