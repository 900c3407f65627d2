"""The encoder that runs open_clip models: loading one from a folder, and pictures and texts through it in batches."""

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import open_clip
import torch
from torch.overrides import TorchFunctionMode

from mediaflow.errors import AlgorithmError
from mediaflow.models.pictures import Preprocessor
from mediaflow.models.sources import VOCABULARY

BATCH = 32

_Item = TypeVar("_Item")
_loading = threading.Lock()


@dataclass(frozen=True)
class LoadedModel:
    """An open_clip model in memory, with what goes before it.

    Attributes
    ----------
    network : open_clip.CLIP
        The model in evaluation mode, float32, on its device.
    preprocessor : Preprocessor
        Makes the squares that it looks at.
    tokenize : Callable
        Texts to token numbers, (n, context length) int64.
    device : torch.device
        Where the model is: `cuda` when there is one, else `cpu`.
    """

    network: Any
    preprocessor: Preprocessor
    tokenize: Callable[[list[str]], torch.Tensor]
    device: torch.device


def load_folder(folder: Path, name: str) -> LoadedModel:
    """Load a folder with `open_clip_config.json`, weights and perhaps a vocabulary, under the names of the store.

    Parameters
    ----------
    folder : Path
        The folder, as `mediaflow.models.sources` names its files.
    name : str
        What the user calls the model, for the error.

    Returns
    -------
    LoadedModel
        The model, loaded strictly: every parameter of the architecture is in the weights and none beside.

    Raises
    ------
    AlgorithmError
        The files do not make a model: damaged weights, weights of another architecture, a pickle that holds
        more than tensors, an architecture that this version of open_clip does not know.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    location = f"local-dir:{folder}"
    try:
        # open_clip speaks through the root logger and the warnings of the whole process: one model at a time.
        with _loading, _quiet(), _UnfilledParameters():
            network = open_clip.create_model(
                location, precision="fp32", device=device, require_pretrained=True, weights_only=True
            )
            own = folder / VOCABULARY
            tokenize = open_clip.get_tokenizer(location, **({"bpe_path": str(own)} if own.is_file() else {}))
    except Exception as error:  # whatever open_clip, torch or safetensors make of foreign files
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:300]
        raise AlgorithmError(
            f"The model {name!r} cannot be loaded: {reason}; "
            "get its files again or set MEDIAFLOW_VISUAL_MODEL to another model.",
            model=name,
            reason=reason,
        ) from error
    network.eval().requires_grad_(False)
    return LoadedModel(network, Preprocessor(network.visual.preprocess_cfg), tokenize, device)


class OpenClipEncoder:
    """An `Encoder` over an open_clip model. May be used from several threads at once.

    Parameters
    ----------
    model : LoadedModel
        The model.
    identity : str
        Its identity.
    dim : int
        Length of its vectors.
    batch : int
        Pictures or texts that go through the model at once.
    """

    def __init__(self, model: LoadedModel, identity: str, dim: int, batch: int = BATCH) -> None:
        self._model = model
        self._identity = identity
        self._dim = dim
        self._batch = batch
        prepare = model.preprocessor
        self._scale = torch.tensor(1.0 / (255.0 * prepare.std), device=model.device).view(1, 3, 1, 1)
        self._shift = torch.tensor(-prepare.mean / prepare.std, device=model.device).view(1, 3, 1, 1)
        self._helpers = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="pictures")

    @property
    def dim(self) -> int:
        return self._dim

    @property
    def identity(self) -> str:
        return self._identity

    def encode_pictures(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """Return (n, dim) float32, unit norm, for pictures (h, w, 3) uint8 RGB of any sizes."""
        jobs = [partial(self._model.preprocessor.picture, picture) for picture in pictures]
        return self._gather(self._forward(squares) for squares in self._ahead(jobs))

    def encode_jpegs(self, jpegs: Sequence[bytes]) -> np.ndarray:
        """Return (n, dim) float32, unit norm, for JPEG files; `TitleError` where one cannot be decoded."""
        jobs = [partial(self._model.preprocessor.jpeg, data, number) for number, data in enumerate(jpegs)]
        return self._gather(self._forward(squares) for squares in self._ahead(jobs))

    def encode_texts(self, texts: Sequence[str]) -> np.ndarray:
        """Return (n, dim) float32, unit norm, for texts, each used as written."""
        return self._gather(self._read(part) for part in _parts(list(texts), self._batch))

    def _ahead(self, jobs: Sequence[Callable[[], np.ndarray]]) -> Iterator[list[np.ndarray]]:
        """Yield batches of squares; the next one is made while the model looks at this one."""
        coming: list[Future[np.ndarray]] = []
        try:
            for part in [*_parts(jobs, self._batch), []]:
                current, coming = coming, [self._helpers.submit(job) for job in part]
                if current:
                    yield [future.result() for future in current]
        finally:
            for future in coming:
                future.cancel()

    @torch.inference_mode()
    def _forward(self, squares: list[np.ndarray]) -> np.ndarray:
        pixels = torch.from_numpy(np.stack(squares)).to(self._model.device).permute(0, 3, 1, 2)
        normalised = pixels.to(torch.float32, memory_format=torch.contiguous_format).mul_(self._scale).add_(self._shift)
        return self._numpy(self._model.network.encode_image(normalised, normalize=True))

    @torch.inference_mode()
    def _read(self, texts: list[str]) -> np.ndarray:
        tokens = self._model.tokenize(texts).to(self._model.device)
        return self._numpy(self._model.network.encode_text(tokens, normalize=True))

    def _numpy(self, vectors: torch.Tensor) -> np.ndarray:
        return vectors.to("cpu", torch.float32).numpy()

    def _gather(self, parts: Iterator[np.ndarray]) -> np.ndarray:
        return np.concatenate([np.empty((0, self._dim), np.float32), *parts])


class _UnfilledParameters(TorchFunctionMode):
    """Leaves new parameters unfilled: the weights replace each of them, and random numbers cost seconds."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func in {torch.Tensor.normal_, torch.Tensor.uniform_}:
            return args[0]
        if getattr(func, "__module__", None) == "torch.nn.init":
            return args[0] if args else kwargs["tensor"]
        return func(*args, **(kwargs or {}))


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep open_clip's remarks on loading out of the terminal; what matters comes as an exception."""
    before = logging.root.manager.disable
    logging.disable(max(before, logging.WARNING))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _parts(items: Sequence[_Item], size: int) -> Iterator[list[_Item]]:
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
