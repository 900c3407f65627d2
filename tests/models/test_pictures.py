"""The square that a model looks at is the one that open_clip's own preprocessing makes."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from mediaflow.errors import TitleError
from mediaflow.models.pictures import Preprocessor

CONFIGS = {
    "clip": {"size": 224},
    "small bilinear": {"size": (64, 64), "interpolation": "bilinear", "mean": (0.1, 0.2, 0.3), "std": (0.5, 0.6, 0.7)},
    "squash": {"size": (64, 48), "resize_mode": "squash"},
    "padded": {"size": 64, "resize_mode": "longest", "fill_color": 90},
    "oblong": {"size": (48, 96)},
}
SIZES = [(910, 512), (512, 910), (513, 512), (64, 64), (31, 200), (1, 40)]


def normalised(preprocessor: Preprocessor, square: np.ndarray) -> np.ndarray:
    return ((square / 255 - preprocessor.mean) / preprocessor.std).transpose(2, 0, 1)


def as_jpeg(image: Image.Image) -> bytes:
    data = io.BytesIO()
    image.save(data, "JPEG", quality=90)
    return data.getvalue()


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", CONFIGS)
def test_a_picture_becomes_what_the_reference_makes_of_it(
    name: str, size: tuple[int, int], picture: np.ndarray
) -> None:
    config: dict[str, Any] = CONFIGS[name]
    image = Image.fromarray(picture).resize(size)
    reference = image_transform_v2(PreprocessCfg(**config), is_train=False)(image).numpy()
    preprocessor = Preprocessor(config)
    square = preprocessor.picture(np.asarray(image))
    assert square.shape == (*preprocessor.size, 3) and square.dtype == np.uint8
    # Pillow rounds between its two passes, and their order depends on the part that is asked for.
    apart = np.abs(normalised(preprocessor, square) - reference) * 255 * preprocessor.std.min()
    assert apart.max() <= 5.01
    assert apart.mean() <= 0.25


@pytest.mark.parametrize("name", CONFIGS)
def test_a_jpeg_becomes_what_the_reference_makes_of_it_whole(name: str, frames: list[bytes]) -> None:
    preprocessor = Preprocessor(CONFIGS[name])
    reference = image_transform_v2(PreprocessCfg(**CONFIGS[name]), is_train=False)
    for data in frames:
        whole = reference(Image.open(io.BytesIO(data))).numpy()
        apart = np.abs(normalised(preprocessor, preprocessor.jpeg(data, 0)) - whole)
        assert apart.mean() <= 1 / 255 / preprocessor.std.min()


def test_a_large_jpeg_is_decoded_small_without_moving(picture: np.ndarray) -> None:
    # 1022 is no multiple of 8: a decode at 1/4 has half a column too many, which must not shift the picture.
    ramp = np.tile(np.linspace(0, 255, 1022).astype(np.uint8)[None, :, None], (1022, 1, 3))
    preprocessor = Preprocessor({"size": 64})
    exact = preprocessor.picture(ramp).astype(int)
    assert np.abs(preprocessor.jpeg(as_jpeg(Image.fromarray(ramp)), 0) - exact)[:, 1:-1].max() <= 1


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_jpegs_of_any_colours_become_rgb(mode: str, picture: np.ndarray) -> None:
    image = Image.fromarray(picture).convert(mode)
    square = Preprocessor({"size": 64}).jpeg(as_jpeg(image), 0).astype(int)
    expected = np.asarray(image.convert("RGB").resize((114, 64), Image.Resampling.BICUBIC)).astype(int)[:, 25:89]
    assert np.abs(square - expected).mean() < 6


def test_what_is_no_whole_jpeg_is_a_title_error(picture: np.ndarray) -> None:
    whole = as_jpeg(Image.fromarray(picture))
    png = io.BytesIO()
    Image.fromarray(picture).save(png, "PNG")
    for data in (whole[: len(whole) // 2], b"", b"not a picture", png.getvalue()):
        with pytest.raises(TitleError, match=r"Picture 7 of the batch .* is no whole JPEG") as caught:
            Preprocessor({"size": 64}).jpeg(data, 7)
        assert caught.value.fields["number"] == 7


@pytest.mark.parametrize("shape", [(10, 10), (10, 10, 4), (0, 10, 3)])
def test_what_is_no_picture_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="uint8 RGB"):
        Preprocessor({"size": 64}).picture(np.zeros(shape, np.uint8))
