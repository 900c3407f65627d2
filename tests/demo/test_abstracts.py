"""Pictures of nothing: the same each time, two views of one picture, and shots of one scene."""

from __future__ import annotations

import numpy as np

from mediaflow.demo.abstracts import PALETTE, abstract_views
from mediaflow.demo.pictures import SIDE, VIEWS

SEEDS = range(40)


def test_a_seed_paints_the_same_again_and_another_seed_paints_something_else() -> None:
    first = abstract_views(3)
    assert first.shape == (PALETTE, VIEWS, SIDE, SIDE, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, abstract_views(3))
    assert not np.array_equal(first, abstract_views(4))


def test_two_views_are_more_alike_than_two_pictures_but_not_the_same() -> None:
    views = np.stack([abstract_views(seed) for seed in SEEDS])
    shape = views.astype(np.float32).mean(-1).reshape(len(SEEDS), PALETTE, VIEWS, -1)
    shape -= shape.mean(-1, keepdims=True)
    shape /= np.linalg.norm(shape, axis=-1, keepdims=True) + 1e-6
    views_alike = (shape[:, :, 0] * shape[:, :, 1]).sum(-1)
    others_alike = (shape[:, :, 0] * np.roll(shape[:, :, 1], 1, axis=1)).sum(-1)
    assert np.median(views_alike) > np.median(others_alike) + 0.2
    assert np.median(views_alike) < 0.98


def test_pictures_of_one_seed_share_their_colours() -> None:
    tone = np.stack([abstract_views(seed) for seed in SEEDS]).reshape(len(SEEDS), PALETTE, -1, 3).mean(2)
    within = np.linalg.norm(tone - np.roll(tone, 1, axis=1), axis=-1)
    between = np.linalg.norm(tone - np.roll(tone, 1, axis=0), axis=-1)
    assert np.median(within) < 0.85 * np.median(between)
