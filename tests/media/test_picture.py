"""Still pictures become upright RGB within limits, and bad ones get a sentence."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mediaflow.errors import UsageError
from mediaflow.media.options import Limits
from mediaflow.media.picture import decode_picture
from mediaflow.media.pool import DecodePool
from tests.media.films import scene

ORIENTATION = 0x0112


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "WEBP", "GIF", "JPEG"])
def test_formats(pool: DecodePool, kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {"quality": 95} if kind == "JPEG" else {}
    picture = pool.picture(saved(Image.fromarray(scene(3, 0)), kind, **options))
    assert (picture.shape, picture.dtype) == ((96, 160, 3), np.uint8)
    assert np.abs(picture.astype(int) - scene(3, 0)).mean() < (0.1 if kind not in ("GIF", "JPEG") else 8)


def test_exif_turns_the_picture(pool: DecodePool) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    picture = pool.picture(saved(Image.fromarray(scene(3, 0)), "PNG", exif=exif))
    assert np.array_equal(picture, np.rot90(scene(3, 0), -1))


@pytest.mark.parametrize(
    ("mode", "value", "shown"), [("RGBA", (200, 0, 0, 0), 255), ("L", 90, 90), ("CMYK", (0,) * 4, 255)]
)
def test_modes(mode: str, value: tuple[int, ...] | int, shown: int) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    assert (decode_picture(saved(Image.new(mode, (5, 4), value), kind), Limits()) == shown).all()


def test_sixteen_bits_are_scaled_not_cut() -> None:
    values = np.array([[0, 32768, 65535]], np.uint16)
    picture = decode_picture(saved(Image.fromarray(values), "PNG"), Limits())
    assert picture[0, :, 0].tolist() == [0, 127, 255]


def test_limits(pool: DecodePool) -> None:
    with pytest.raises(UsageError, match="20000 x 20000 pixels, more than the limit"):
        pool.picture(saved(Image.new("1", (20000, 20000)), "PNG"))
    with DecodePool(limits=Limits(picture_bytes=10)) as small, pytest.raises(UsageError, match="11 bytes"):
        small.picture(b"x" * 11)


@pytest.mark.parametrize("data", [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7"])
def test_what_is_no_picture_gets_a_sentence(pool: DecodePool, data: bytes) -> None:
    with pytest.raises(UsageError, match=r"of no format that is read .*\."):
        pool.picture(data)


SEEDS = [saved(Image.fromarray(scene(3, 0)[:24, :32]), kind) for kind in ("PNG", "JPEG", "GIF", "WEBP", "BMP", "TIFF")]


@given(st.sampled_from(SEEDS), st.lists(st.tuples(st.integers(0, 3000), st.binary(max_size=6)), max_size=5))
def test_damage_of_any_kind_gives_a_picture_or_a_usage_error(data: bytes, edits: list[tuple[int, bytes]]) -> None:
    damaged = bytearray(data)
    for at, new in edits:
        damaged[at % len(damaged) :][: len(new)] = new
        damaged[at % len(damaged) : at % len(damaged) + len(new)] = new
    try:
        picture = decode_picture(bytes(damaged), Limits(picture_pixels=4_000_000))
    except UsageError as error:
        assert error.message.endswith(".")
        return
    assert picture.ndim == 3
    assert picture.shape[2] == 3
