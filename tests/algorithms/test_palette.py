"""`palette`: the colours of a shot by their shares, named, and in a space where distance is difference."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from mediaflow.algorithms.contract import Batch, TitleFeatures
from mediaflow.algorithms.palette import NAMES, OKLAB, Colours, Palette, name_of, oklab
from mediaflow.algorithms.shapes import conform
from tests.conftest import ROOT

# Places of sRGB's corners, as CSS Color 4 gives them for `oklch`, in rectangular coordinates.
CORNERS = {
    (0, 0, 0): (0.0, 0.0, 0.0),
    (255, 255, 255): (1.0, 0.0, 0.0),
    (255, 0, 0): (0.62796, 0.22486, 0.12585),
    (0, 255, 0): (0.86644, -0.23389, 0.17950),
    (0, 0, 255): (0.45201, -0.03246, -0.31153),
}
RED, TEAL, BLACK, GREEN, YELLOW = (214, 36, 40), (12, 136, 136), (8, 8, 8), (40, 160, 60), (245, 220, 50)


def jpeg(*stripes: tuple[tuple[int, int, int], int], size: tuple[int, int] = (320, 180)) -> bytes:
    """Return a picture of upright stripes, each of a colour and so many hundredths of the width."""
    width, height = size
    picture = np.zeros((height, width, 3), np.uint8)
    at = 0
    for colour, share in stripes:
        picture[:, at : at + width * share // 100] = colour[::-1]
        at += width * share // 100
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1])


def title(*shots: Sequence[bytes]) -> TitleFeatures:
    ranges = [(number, 100 * number, 100 * number + 100) for number in range(len(shots))]
    kept = [(number, picture) for number, pictures in enumerate(shots) for picture in pictures]
    return TitleFeatures(
        "film",
        {
            "shots": pl.DataFrame(
                ranges, schema={"shot_no": pl.Int32, "start_ms": pl.Int64, "end_ms": pl.Int64}, orient="row"
            ),
            "frames": pl.DataFrame(kept, schema={"shot_no": pl.Int32, "jpeg": pl.Binary}, orient="row"),
        },
    )


def rows(*shots: Sequence[bytes], **parameters: Any) -> pl.DataFrame:
    (frame,) = Palette().run(Batch((title(*shots),), Colours(**parameters)))
    return conform(Palette(), frame, None)


def place(rgb: tuple[int, int, int]) -> NDArray[np.float64]:
    return oklab(np.array(rgb, np.uint8))


@pytest.mark.parametrize(("rgb", "expected"), CORNERS.items(), ids=str)
def test_the_corners_of_srgb_are_where_they_belong(
    rgb: tuple[int, int, int], expected: tuple[float, float, float]
) -> None:
    assert np.allclose(place(rgb), expected, atol=1e-4)


def test_colours_come_with_their_names_shares_and_places_the_largest_first() -> None:
    found = rows([jpeg((RED, 60), (TEAL, 30), (BLACK, 10))])
    assert found["label"].to_list() == ["red", "teal", "black"]
    assert np.allclose(found["confidence"], [0.6, 0.3, 0.1], atol=0.03)
    assert np.allclose(found.select(OKLAB).to_numpy(), [place(RED), place(TEAL), place(BLACK)], atol=0.02)


def test_a_shot_has_the_colours_of_all_of_its_frames_and_of_no_other() -> None:
    found = rows([jpeg((RED, 100)), jpeg((TEAL, 100))], [], [jpeg((GREEN, 100))])
    assert sorted(found.select("start_ms", "end_ms", "label").rows()) == [
        (0, 100, "red"),
        (0, 100, "teal"),
        (200, 300, "green"),
    ]
    assert np.allclose(found.sort("start_ms")["confidence"], [0.5, 0.5, 1.0], atol=0.01)
    assert rows().is_empty()


def test_shades_of_one_colour_are_one_and_the_parameters_say_how_many_there_are() -> None:
    stripes = [jpeg((RED, 40), ((206, 44, 44), 20), (YELLOW, 20), (GREEN, 17), (BLACK, 3))]
    found = rows(stripes)
    assert found["label"].to_list() == ["red", "yellow", "green", "black"]
    assert np.allclose(found["confidence"], [0.6, 0.2, 0.17, 0.03], atol=0.02)
    assert rows(stripes, most=2)["label"].to_list() == ["red", "yellow"]
    assert rows(stripes, least_share=0.05)["label"].to_list() == ["red", "yellow", "green"]
    assert rows(stripes, radius=0.01)["label"].to_list().count("red") > 1


def test_a_picture_of_all_colours_is_looked_at_in_no_more_cells_than_there_are() -> None:
    noise = np.random.default_rng(5).integers(0, 256, (512, 512, 3), np.uint8)
    picture = bytes(cv2.imencode(".jpg", noise)[1])
    found = rows([picture] * 3)
    assert 0 < len(found) <= Colours().most and found["confidence"].sum() <= 1


@pytest.mark.parametrize("size", [(16, 16), (64, 2), (2000, 8), (33, 47)], ids=str)
def test_pictures_of_any_size_are_read(size: tuple[int, int]) -> None:
    assert rows([jpeg((TEAL, 100), size=size)])["label"].to_list() == ["teal"]


def test_every_name_is_that_of_its_own_colours_and_stands_in_the_docs() -> None:
    for name, codes in NAMES.items():
        for code in codes:
            assert name_of(oklab(np.array(list(bytes.fromhex(code[1:])), np.uint8))) == name
    (listed,) = re.findall(r"the names are (.*?)\.", (ROOT / "docs" / "search.md").read_text())
    assert re.split(r", | and ", listed) == list(NAMES)
