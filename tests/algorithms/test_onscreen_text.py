"""`onscreen_text`: words that stand in a picture are read where they stand, by nothing that has to be fetched."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
import pytest

from mediaflow.algorithms.contract import Batch, TitleFeatures
from mediaflow.algorithms.onscreen_text import OnscreenText, Reading
from mediaflow.algorithms.shapes import conform
from mediaflow.media.pool import DecodePool
from tests.conftest import ROOT

Box = tuple[float, float, float, float]


def written(*texts: tuple[str, int, int, float], size: tuple[int, int] = (910, 512)) -> tuple[bytes, list[Box]]:
    """Return a picture with texts, each at x, y (of the baseline) and a scale; and their boxes in fractions."""
    width, height = size
    picture = np.full((height, width, 3), (96, 72, 48), np.uint8)
    boxes = []
    for text, x, y, scale in texts:
        (wide, tall), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, 2)
        cv2.putText(picture, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, (250, 250, 250), 2, cv2.LINE_AA)
        boxes.append((x / width, (y - tall) / height, wide / width, tall / height))
    return bytes(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 90])[1]), boxes


def title(*shots: Sequence[bytes]) -> TitleFeatures:
    """Return a title of shots with kept frames, which come last first."""
    ranges = [(number, 1000 * number, 1000 * number + 1000) for number in range(len(shots))]
    kept = [
        (number, 1000 * number + 100 * at, picture)
        for number, pictures in enumerate(shots)
        for at, picture in enumerate(pictures)
    ]
    return TitleFeatures(
        "film",
        {
            "shots": pl.DataFrame(
                ranges, schema={"shot_no": pl.Int32, "start_ms": pl.Int64, "end_ms": pl.Int64}, orient="row"
            ),
            "frames": pl.DataFrame(
                kept[::-1], schema={"shot_no": pl.Int32, "time_ms": pl.Int64, "jpeg": pl.Binary}, orient="row"
            ),
        },
    )


def read(given: TitleFeatures, **parameters: Any) -> pl.DataFrame:
    (frame,) = OnscreenText().run(Batch((given,), Reading(**parameters)))
    return conform(OnscreenText(), frame, None)


def overlap(one: Box, other: Box) -> float:
    """Return the intersection of two boxes over their union."""
    wide = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    tall = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(0.0, wide) * max(0.0, tall)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def test_words_are_read_where_they_stand() -> None:
    picture, boxes = written(("HARBOUR 1987", 60, 90, 1.6), ("Never left", 560, 460, 1.2))
    found = read(title([picture]))
    assert found["text"].to_list() == ["HARBOUR 1987", "Never left"]
    assert found.select("start_ms", "end_ms").unique().rows() == [(0, 1000)]
    assert found["confidence"].is_between(0.8, 1).all()
    seen = found.select("x", "y", "w", "h").rows()
    assert all(overlap(drawn, box) >= 0.6 for drawn, box in zip(boxes, seen, strict=True)), (boxes, seen)


def test_one_frame_of_a_shot_is_read_the_middle_one() -> None:
    pictures = {word: written((word, 200, 300, 2.0))[0] for word in ("FIRST", "SECOND", "THIRD", "OTHER")}
    film = title([pictures["FIRST"], pictures["SECOND"], pictures["THIRD"]], [], [pictures["FIRST"], pictures["OTHER"]])
    assert read(film).select("start_ms", "end_ms", "text").rows() == [(0, 1000, "SECOND"), (2000, 3000, "OTHER")]


def test_where_nothing_is_written_there_are_no_rows() -> None:
    plain, _ = written()
    assert read(title([plain])).is_empty()
    assert read(title()).is_empty()
    assert read(title([])).is_empty()
    marks, _ = written(("+++ ???", 200, 300, 2.0))
    assert read(title([marks]), least_confidence=0).is_empty()


def test_the_parameters_say_how_sure_and_how_fine() -> None:
    small, _ = written(("small print", 40, 480, 0.5), ("LARGE", 200, 200, 3.0))
    assert read(title([small]), detector_side=960)["text"].to_list() == ["LARGE", "small print"]
    assert read(title([small]), detector_side=160)["text"].to_list() == ["LARGE"]
    assert read(title([small]), least_confidence=1).is_empty()


@pytest.mark.parametrize("size", [(16, 16), (64, 2), (2000, 8), (12, 900)], ids=str)
def test_pictures_of_any_size_are_read(size: tuple[int, int]) -> None:
    assert read(title([written(size=size)[0]])).is_empty()


ALONE = """
import sys
connected = []
abroad = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "urllib.Request")
sys.addaudithook(lambda event, given: connected.append(event) if event in abroad else None)
import polars as pl
from pathlib import Path
from mediaflow.algorithms.contract import Batch, TitleFeatures
from mediaflow.algorithms.onscreen_text import OnscreenText, Reading
shots = pl.DataFrame({"shot_no": [0], "start_ms": [0], "end_ms": [9]}, schema_overrides={"shot_no": pl.Int32})
jpeg = Path(sys.argv[1]).read_bytes()
frames = pl.DataFrame({"shot_no": [0], "time_ms": [0], "jpeg": [jpeg]}, schema_overrides={"shot_no": pl.Int32})
title = TitleFeatures("film", {"shots": shots, "frames": frames})
for _ in range(2):
    (found,) = OnscreenText().run(Batch((title,), Reading()))
print(found["text"].to_list(), connected)
"""


def test_it_reaches_for_no_network_and_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "picture.jpg").write_bytes(written(("ALONE", 200, 300, 2.0))[0])
    command = [sys.executable, "-c", ALONE, str(tmp_path / "picture.jpg")]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=120, env={**os.environ, "HOME": str(tmp_path)}
    )
    assert (done.stdout, done.stderr) == ("['ALONE'] []\n", "")


def test_where_the_extra_is_not_installed_it_is_one_broken_algorithm_that_says_so() -> None:
    # A None among the modules is Python's own way to say that a package is not there.
    code = (
        "import sys; sys.modules['rapidocr'] = None; from mediaflow.algorithms.registry import find\n"
        "for one in find(): print(one.name, one.owner, one.broken)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.splitlines() == [
        "visual team:mediaflow ",
        "dialogue team:mediaflow ",
        "palette team:mediaflow ",
        "onscreen_text team:mediaflow 'onscreen_text' needs rapidocr, not installed here: install mediaflow with its "
        "extra 'ocr', or take 'onscreen_text' out of the setting 'built_in'.",
    ]


CARDS = {
    "THE PEACH OPEN MOVIE PROJECT",
    "PRESENTS",
    "ONE BIG RABBIT",
    "THREE RODENTS",
    "AND ONE GIANT PAYBACK",
    "GET READY",
    "WWW.BIGBUCKBUNNY.ORG",
}


def test_the_cards_of_a_real_trailer_are_read_and_little_else(shared_data: Path) -> None:
    with DecodePool(1) as pool:
        decoded = pool.decode(shared_data / "video" / "bbb_trailer_vp8.webm")
    found = read(TitleFeatures("bbb", {"shots": decoded.shots, "frames": decoded.frames}))
    cards = found.filter(pl.col("text").is_in(list(CARDS)))
    assert set(cards["text"]) == CARDS
    # All of them are centred, and each has a shot of its own but for the first two.
    assert ((cards["x"] + cards["w"] / 2 - 0.5).abs() < 0.02).all()
    assert cards["start_ms"].n_unique() == len(CARDS) - 1
    assert found.join(decoded.shots, on=["start_ms", "end_ms"], how="anti").is_empty()
    assert len(found) - len(cards) <= 2, found
