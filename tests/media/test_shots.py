"""Cuts are found where they are, by the rule of the library that states it."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from scenedetect.common import FrameTimecode
from scenedetect.detectors import ContentDetector

from mediaflow.media.options import DecodeOptions
from mediaflow.media.pool import DecodePool
from mediaflow.media.shots import ContentShotDetector, shot_rows
from tests.media.films import scene


def test_cuts_and_flashes() -> None:
    detector = ContentShotDetector(Fraction(25), 27.0, 240)
    white = np.full((96, 160, 3), 255, np.uint8)
    pictures = [scene(1, n) for n in range(30)] + [white] + [scene(1, n) for n in range(31, 60)]
    pictures += [scene(2, n) for n in range(40)]
    cuts = [cut for number, picture in enumerate(pictures) for cut in detector.feed(number, picture)]
    # The flash of one frame is one cut, not two; the real cut is exact.
    assert cuts == [30, 60]


@pytest.mark.parametrize("threshold", [12.0, 27.0, 40.0])
def test_same_cuts_as_the_original(threshold: float) -> None:
    rng = np.random.default_rng(5)
    looks = [rng.integers(0, 256, (54, 96, 3), dtype=np.uint8) for _ in range(13)]
    pictures = [(looks[n // 25] * (0.3 + 0.7 * abs(np.sin(n / 3.0)))).astype(np.uint8) for n in range(300)]
    ours, theirs = ContentShotDetector(Fraction(25), threshold, 240), ContentDetector(threshold, min_scene_len=6)
    found: list[int] = []
    expected: list[int] = []
    for number, picture in enumerate(pictures):
        found += ours.feed(number, picture)
        expected += [cut.frame_num for cut in theirs.process_frame(FrameTimecode(number, 25.0), picture)]
    assert found == expected
    assert expected


def test_rows_cover_the_film() -> None:
    times = [10 + 40 * n for n in range(100)]
    rows = shot_rows([25, 60], times, 4010, Fraction(30000, 1001), "01:00:00:00")
    assert [(r["start_frame"], r["end_frame"], r["start_ms"], r["end_ms"]) for r in rows] == [
        (0, 25, 10, 1010),
        (25, 60, 1010, 2410),
        (60, 100, 2410, 4010),
    ]
    assert [r["shot_no"] for r in rows] == [0, 1, 2]
    assert {(r["fps_num"], r["fps_den"], r["start_timecode"]) for r in rows} == {(30000, 1001, "01:00:00:00")}


def test_hand_checked_cuts(shared_data: Path, pool: DecodePool) -> None:
    truth = json.loads((shared_data / "shots" / "handmade" / "shot_boundaries_dev.json").read_text())["clips"]
    hits = wrong = missed = 0
    for name, clip in truth.items():
        path = next((shared_data / "video").glob(f"{name}.*"))
        decoded = pool.decode(path)
        assert decoded.facts["frames"] == clip["frames"]
        found = [int(cut) for cut in decoded.shots["start_frame"][1:]]
        found = [cut for cut in found if not inside(cut, clip["ambiguous"])]
        matched = {cut for cut in clip["cuts"] if any(abs(cut - other) <= 1 for other in found)}
        hits += len(matched)
        missed += len(clip["cuts"]) - len(matched)
        stray = [cut for cut in found if not any(abs(cut - real) <= 1 for real in clip["cuts"])]
        wrong += sum(not inside(cut, clip["gradual"]) for cut in stray)
    assert 2 * hits / (2 * hits + wrong + missed) >= 0.94


def inside(frame: int, zones: list[list[int]]) -> bool:
    return any(first - 1 <= frame <= last + 1 for first, last in zones)


def test_cut_list_of_the_original(shared_data: Path, pool: DecodePool) -> None:
    folder = shared_data / "shots" / "pyscenedetect"
    golden = json.loads((folder / "goldens" / "counter.mp4.ContentDetector.default.json").read_text())
    decoded = pool.decode(folder / "counter.mp4", DecodeOptions(min_shot_ms=1500))
    assert decoded.shots["start_frame"].to_list() == [0, *golden["cuts"]]
