"""`palette` on scenes of every colour in every place, by day and by night: it finds the colour of their things."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import cv2
import numpy as np
import polars as pl
import pytest

from mediaflow.algorithms.contract import Batch, TitleFeatures
from mediaflow.algorithms.palette import OKLAB, Colours, Palette, oklab
from mediaflow.demo.painter import ShotPainter
from mediaflow.demo.world import COLOURS, OBJECTS, PLACES, TIMES, Scene
from mediaflow.search.searchers.colour import REACH

SIZE = (320, 180)


@pytest.fixture(scope="module")
def seen() -> pl.DataFrame:
    """The palettes of painted scenes, with the `colour` of their things and the `time` of day."""
    scenes = [
        Scene(OBJECTS[at * 7 % len(OBJECTS)], colour, 1 + at % 3, place, time)
        for at, (colour, place, time) in enumerate(itertools.product(COLOURS, PLACES, TIMES))
    ]
    pictures = [ShotPainter(scene, seed, SIZE).frame(0.5) for seed, scene in enumerate(scenes)]
    jpegs = [bytes(cv2.imencode(".jpg", one[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 90])[1]) for one in pictures]
    numbers = pl.Series("shot_no", range(len(scenes)), pl.Int32)
    shots = pl.DataFrame([numbers]).with_columns(start_ms="shot_no", end_ms=pl.col("shot_no") + 1)
    title = TitleFeatures("film", {"shots": shots, "frames": pl.DataFrame([numbers, pl.Series("jpeg", jpegs)])})
    (found,) = Palette().run(Batch((title,), Colours()))
    truth = pl.DataFrame({"colour": [one.colour for one in scenes], "time": [one.time for one in scenes]})
    return found.join(truth.with_columns(numbers), on="shot_no")


@pytest.mark.parametrize(
    ("time", "colours"), [("day", tuple(COLOURS)), ("night", ("red", "green", "blue", "purple"))], ids=["day", "night"]
)
def test_things_have_the_name_of_their_colour(
    seen: pl.DataFrame, time: str, colours: tuple[str, ...], record_property: Callable[[str, object], None]
) -> None:
    asked = seen.filter(pl.col("time") == time, pl.col("colour").is_in(list(colours)))
    named = asked.group_by("shot_no").agg((pl.col("label") == pl.col("colour")).any())["label"]
    record_property("tried", f"{named.sum()} of {len(named)} scenes have a colour of their thing's name")
    assert len(named) == len(colours) * len(PLACES) and named.sum() >= 0.95 * len(named)


def test_by_day_a_colour_finds_things_of_it_and_no_thing_of_another(seen: pl.DataFrame) -> None:
    by_day = seen.filter(pl.col("time") == "day")
    for colour, rgb in COLOURS.items():
        away = by_day.select(OKLAB).to_numpy() - oklab(np.array(rgb, np.uint8))
        near = by_day.filter(pl.Series(np.linalg.norm(away, axis=1) < REACH))
        right = near.filter(pl.col("colour") == colour)["shot_no"].n_unique()
        assert right >= len(PLACES) - 1, colour
        # Places have the other colours: sand, leaves, snow, the sun.
        if colour in ("red", "blue", "purple", "pink"):
            assert right >= near["shot_no"].n_unique() - 1, colour
