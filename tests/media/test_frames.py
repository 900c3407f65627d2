"""Kept frames are sharp, spread over their shot, upright and square, and few are held at a time."""

from __future__ import annotations

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest

from mediaflow.media.frames import FrameKeeper, JpegWriter, KeptFrame, sharpness
from mediaflow.media.source import upright_size
from tests.media.films import Picture, scene


def blurred(picture: Picture) -> Picture:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 6), np.uint8)


def run(length: int, sharp: set[int], cuts: tuple[int, ...] = (), delay: int = 6) -> list[KeptFrame]:
    """Show a film of `length` frames, blurred but for `sharp`, at 24 a second; returns what is kept."""
    keeper = FrameKeeper(JpegWriter(None), Fraction(24), delay, 3)
    kept: list[KeptFrame] = []
    for number in range(length):
        picture = scene(1, number) if number in sharp else blurred(scene(1, number))
        frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
        if number % keeper.step == 0:
            keeper.offer(number, number * 40, frame, picture)
        kept += [frame for cut in cuts if cut + delay == number for frame in keeper.close(cut)]
        assert len(keeper._bins) <= 16
    return kept + list(keeper.close(length))


def test_the_sharp_frame_of_each_part_is_kept() -> None:
    kept = run(240, {40, 120, 200})
    assert [frame.frame_no for frame in kept] == [40, 120, 200]
    assert [frame.time_ms for frame in kept] == [1600, 4800, 8000]


def test_edges_are_avoided_even_where_they_are_sharper() -> None:
    assert [frame.frame_no for frame in run(40, {0, 4, 20, 36})] == [20]


@pytest.mark.parametrize(("length", "count"), [(2, 1), (24, 1), (47, 1), (60, 2), (120, 3), (2400, 3)])
def test_longer_shots_keep_more_frames(length: int, count: int) -> None:
    kept = run(length, set(range(length)))
    assert len(kept) == count
    gaps = np.diff([0, *(frame.frame_no for frame in kept), length])
    assert gaps.max() <= length * 0.67 or length < 60


def test_a_cut_reported_late_leaves_no_frame_in_the_wrong_shot() -> None:
    kept = run(120, set(range(120)), cuts=(50, 90))
    assert [(frame.shot_no, frame.frame_no < 50, frame.frame_no < 90) for frame in kept] == [
        (0, True, True),
        (0, True, True),
        (1, False, True),
        (2, False, False),
    ]


def test_large_frames_are_held_scaled() -> None:
    keeper = FrameKeeper(JpegWriter(None), Fraction(24), 0, 3)
    large = av.VideoFrame(3840, 2160, "yuv420p")
    for plane in large.planes:
        plane.update(bytes([90]) * plane.buffer_size)
    keeper.offer(0, 0, large, scene(1, 0))
    assert keeper._waiting[0].image.nbytes == 910 * 512 * 3
    (kept,) = keeper.close(1)
    assert (kept.width, kept.height) == (910, 512)


def test_sharpness_orders_pictures() -> None:
    assert sharpness(scene(1, 0)) > sharpness(blurred(scene(1, 0))) > sharpness(np.zeros((9, 9, 3), np.uint8)) == 0


@pytest.mark.parametrize(
    ("size", "aspect", "kept"),
    [
        ((1280, 720), None, (910, 512)),
        ((720, 1280), None, (512, 910)),
        ((320, 180), None, (320, 180)),
        ((720, 576), Fraction(16, 11), (931, 512)),
        ((320, 180), Fraction(1, 2), (320, 360)),
        ((2, 2), None, (2, 2)),
    ],
)
def test_size_of_kept_frames(size: tuple[int, int], aspect: Fraction | None, kept: tuple[int, int]) -> None:
    frame = av.VideoFrame.from_ndarray(np.zeros((size[1], size[0], 3), np.uint8), format="rgb24")
    width, height, jpeg = JpegWriter(aspect).write(frame)
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert (width, height) == kept == (picture.shape[1], picture.shape[0])


@pytest.mark.parametrize(
    ("aspect", "rotation", "size"),
    [
        (Fraction(4, 3), 0, (800, 400)),
        (Fraction(4, 3), 90, (400, 800)),
        (Fraction(1, 2), 180, (600, 800)),
        (Fraction(1000), 0, (600, 400)),
        (None, 270, (400, 600)),
    ],
)
def test_upright_size(aspect: Fraction | None, rotation: int, size: tuple[int, int]) -> None:
    assert upright_size(600, 400, aspect, rotation) == size
