"""Dissolves: found where two shots mix, and nowhere else."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mediaflow.demo.library import make_film
from mediaflow.media.dissolves import DissolveDetector
from mediaflow.media.pool import DecodePool

RATE = Fraction(24)


def borders(pictures: list[np.ndarray], rate: Fraction = RATE) -> list[int]:
    detector = DissolveDetector(rate)
    found = [border for number, picture in enumerate(pictures) for border in detector.feed(number, picture)]
    return found + detector.close()


def still(seed: int) -> np.ndarray:
    """A blocky picture (54, 96, 3) of random colours."""
    blocks = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return np.kron(blocks, np.ones((9, 12, 1), np.uint8))


def mixed(one: np.ndarray, other: np.ndarray, share: float) -> np.ndarray:
    return (one * (1 - share) + other * share).astype(np.uint8)


@pytest.mark.parametrize("frames", [8, 12, 24, 32])
def test_a_dissolve_is_one_border_near_its_middle(frames: int) -> None:
    a, b = still(1), still(2)
    film = [a] * 60 + [mixed(a, b, (step + 1) / (frames + 1)) for step in range(frames)] + [b] * 60
    found = borders(film)
    assert len(found) == 1
    assert abs(found[0] - (60 + frames / 2)) <= max(2, frames // 4)


def test_cuts_pans_and_stillness_are_no_dissolves() -> None:
    a, b = still(1), still(2)
    assert borders([a] * 60 + [b] * 60) == []
    assert borders([a] * 200) == []
    assert borders([np.roll(a, step * 2, axis=1) for step in range(200)]) == []


def test_a_dissolve_that_the_film_ends_in_is_told() -> None:
    a, b = still(3), still(4)
    assert len(borders([a] * 60 + [mixed(a, b, step / 12) for step in range(13)] + [b] * 6)) == 1


def test_rendered_films_have_nearly_all_their_borders_and_no_others(tmp_path: Path) -> None:
    there = found = 0
    with DecodePool() as pool:
        for seed in range(3, 7):
            truth = make_film(tmp_path / f"{seed}.mp4", seed=seed, shots=8)
            borders = [int(start) for start in pool.decode(tmp_path / f"{seed}.mp4").shots["start_frame"][1:]]
            real = sorted([(cut, cut + 1) for cut in truth.cuts] + list(truth.dissolves))
            matched = [[border for border in borders if first <= border < last] for first, last in real]
            assert sum(map(len, matched)) == len(borders), "a border where there is none"
            assert all(len(borders) <= 1 for borders in matched)
            there += len(real)
            found += sum(map(bool, matched))
    # Two shots of nearly the same colours, or a dissolve with much motion, may be missed.
    assert found / there >= 0.9
