"""The encoder gives the vectors that open_clip itself gives."""

from __future__ import annotations

import io
import json
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image

from mediaflow.errors import AlgorithmError, TitleError
from mediaflow.models.openclip import OpenClipEncoder, load_folder

TEXTS = ["a red car at night", "A dog, and its owner's hat!", ""]


@pytest.fixture(scope="module")
def encoder(small_model: Path) -> OpenClipEncoder:
    return OpenClipEncoder(load_folder(small_model, "small"), "an identity", 24, batch=2)


@pytest.fixture(scope="module")
def reference(small_model: Path) -> tuple[Any, Any]:
    return open_clip.create_model_from_pretrained(f"local-dir:{small_model}")


def unit(vectors: torch.Tensor) -> np.ndarray:
    return torch.nn.functional.normalize(vectors, dim=-1).numpy()


def seen_by(reference: tuple[Any, Any], images: list[Image.Image]) -> np.ndarray:
    model, preprocess = reference
    with torch.inference_mode():
        return unit(model.eval().encode_image(torch.stack([preprocess(image) for image in images])))


def test_jpegs_have_the_vectors_of_the_reference(
    encoder: OpenClipEncoder, reference: tuple[Any, Any], frames: list[bytes]
) -> None:
    ours, theirs = encoder.encode_jpegs(frames), seen_by(reference, [Image.open(io.BytesIO(data)) for data in frames])
    assert ours.shape == (len(frames), 24) and ours.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)
    assert (ours * theirs).sum(axis=1).min() >= 0.999
    # An untrained model gives all pictures nearly one vector: what tells them apart must agree as well.
    middle = theirs.mean(axis=0)
    apart = unit(torch.tensor(ours - middle)), unit(torch.tensor(theirs - middle))
    assert (apart[0] * apart[1]).sum(axis=1).min() >= 0.995


def test_pictures_have_the_vectors_of_the_reference(
    encoder: OpenClipEncoder, reference: tuple[Any, Any], picture: np.ndarray
) -> None:
    pictures = [picture, picture[:, :100], picture[20:40, ::-1], 255 - picture, picture.transpose(1, 0, 2)]
    theirs = seen_by(reference, [Image.fromarray(np.ascontiguousarray(pixels)) for pixels in pictures])
    np.testing.assert_allclose(encoder.encode_pictures(pictures), theirs, atol=2e-3)


def test_texts_have_the_vectors_of_the_reference(
    encoder: OpenClipEncoder, reference: tuple[Any, Any], small_model: Path
) -> None:
    with torch.inference_mode():
        tokens = open_clip.get_tokenizer(f"local-dir:{small_model}")(TEXTS)
        theirs = unit(reference[0].eval().encode_text(tokens))
    np.testing.assert_allclose(encoder.encode_texts(TEXTS), theirs, atol=1e-5)


def test_nothing_gives_no_vectors(encoder: OpenClipEncoder) -> None:
    for vectors in (encoder.encode_jpegs([]), encoder.encode_pictures([]), encoder.encode_texts([])):
        assert vectors.shape == (0, 24) and vectors.dtype == np.float32


def test_a_bad_jpeg_is_named_and_the_encoder_goes_on(encoder: OpenClipEncoder, frames: list[bytes]) -> None:
    with pytest.raises(TitleError) as caught:
        encoder.encode_jpegs([*frames[:3], b"damaged", *frames[:3]])
    assert caught.value.fields["number"] == 3
    assert encoder.encode_jpegs(frames).shape == (len(frames), 24)


def test_threads_share_an_encoder(encoder: OpenClipEncoder, frames: list[bytes]) -> None:
    alone = encoder.encode_jpegs(frames), encoder.encode_texts(TEXTS)
    together = threading.Barrier(4)

    def both(_: int) -> tuple[np.ndarray, np.ndarray]:
        together.wait()
        return encoder.encode_jpegs(frames), encoder.encode_texts(TEXTS)

    with ThreadPoolExecutor(4) as pool:
        for pictures, texts in pool.map(both, range(4)):
            np.testing.assert_allclose(pictures, alone[0], atol=1e-6)
            np.testing.assert_allclose(texts, alone[1], atol=1e-6)


class Intruder:
    """A pickle that would run code."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.mark,)


def test_a_pickle_that_runs_code_is_refused(small_model: Path, tmp_path: Path) -> None:
    (tmp_path / "open_clip_config.json").write_bytes((small_model / "open_clip_config.json").read_bytes())
    (tmp_path / "open_clip_pytorch_model.bin").write_bytes(pickle.dumps({"weight": Intruder(tmp_path / "it ran")}))
    with pytest.raises(AlgorithmError, match="cannot be loaded"):
        load_folder(tmp_path, "theirs")
    torch.save({"weight": Intruder(tmp_path / "it ran")}, tmp_path / "open_clip_pytorch_model.bin")
    with pytest.raises(AlgorithmError, match="cannot be loaded"):
        load_folder(tmp_path, "theirs")
    assert not (tmp_path / "it ran").exists()


def test_a_pickle_of_tensors_is_loaded(small_model: Path, tmp_path: Path, encoder: OpenClipEncoder) -> None:
    from safetensors.torch import load_file

    (tmp_path / "open_clip_config.json").write_bytes((small_model / "open_clip_config.json").read_bytes())
    torch.save(load_file(small_model / "open_clip_model.safetensors"), tmp_path / "open_clip_pytorch_model.bin")
    loaded = OpenClipEncoder(load_folder(tmp_path, "pickled"), "", 24)
    np.testing.assert_allclose(loaded.encode_texts(TEXTS), encoder.encode_texts(TEXTS), atol=1e-6)


def test_weights_of_another_architecture_are_refused_in_one_sentence(small_model: Path, tmp_path: Path) -> None:
    config = json.loads((small_model / "open_clip_config.json").read_bytes())
    config["model_cfg"]["vision_cfg"]["layers"] = 3
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
    (tmp_path / "open_clip_model.safetensors").symlink_to(small_model / "open_clip_model.safetensors")
    with pytest.raises(AlgorithmError, match="The model 'mine' cannot be loaded") as caught:
        load_folder(tmp_path, "mine")
    assert "\n" not in caught.value.message


def test_a_vector_does_not_depend_on_its_batch(make_model: Any, tmp_path: Path, picture: np.ndarray) -> None:
    vision = {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8, "head_width": 16, "patch_size": None}
    folder = make_model(tmp_path / "residual", model_cfg={"vision_cfg": vision})
    encoder = OpenClipEncoder(load_folder(folder, "residual"), "", 24)
    pictures = [picture, 255 - picture, picture[::-1]]
    alone = np.concatenate([encoder.encode_pictures([pixels]) for pixels in pictures])
    np.testing.assert_allclose(encoder.encode_pictures(pictures), alone, atol=1e-5)
