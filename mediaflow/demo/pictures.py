"""Pictures to train on: scenes that went through what a film's frames go through."""

from __future__ import annotations

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray
from PIL import Image

from mediaflow.demo.captions import ATTRIBUTES, held_out_pairs, random_scene, with_other
from mediaflow.demo.painter import ShotPainter, title_over
from mediaflow.demo.world import MOTIONS, Scene

Picture = NDArray[np.uint8]

SIDE = 64
GROUP = 4  # a scene and three that differ from it in one attribute each
VIEWS = 2  # pictures of one shot, at different moments


def shrink(picture: Picture) -> Picture:
    """Resize to the model's input as its own preprocessing does: squashed, bicubic."""
    small = Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    return np.asarray(small)


def degrade(picture: Picture, rng: np.random.Generator) -> Picture:
    """Lower the quality as encoding, another size, another screen and JPEG do; size may change."""
    height, width = picture.shape[:2]
    image: MatLike = picture
    if rng.random() < 0.5:
        scale = rng.uniform(0.5, 1.0)
        image = cv2.resize(image, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.4:
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.2) * height / 180)
    gain = rng.uniform(0.9, 1.1, 3) if rng.random() < 0.5 else np.ones(3)
    levels = (np.arange(256)[:, None] / 255) ** rng.uniform(0.85, 1.2) * gain * 255
    image = cv2.LUT(image, np.clip(levels, 0, 255).astype(np.uint8)[:, None])
    if rng.random() < 0.3:
        noise = rng.standard_normal(image.shape, np.float32) * np.float32(rng.uniform(1, 6))
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 96))])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def scene_group(seed: int) -> tuple[list[Scene], Picture]:
    """Paint a scene and scenes that differ from it in one attribute each; none shows a held-out pair.

    Parameters
    ----------
    seed : int
        The same seed paints the same pictures.

    Returns
    -------
    list of Scene
        `GROUP` scenes.
    ndarray, uint8, shape (GROUP, VIEWS, 64, 64, 3)
        RGB.
    """
    rng = np.random.default_rng([seed, 23])
    scenes = [random_scene(rng, held_out=False)]
    while len(scenes) < GROUP:
        other = with_other(scenes[0], ATTRIBUTES[int(rng.integers(len(ATTRIBUTES)))], rng)
        if not held_out_pairs(other):
            scenes.append(other)
    width = int(rng.integers(150, 321)) // 2 * 2
    size = (width, round(width * 9 / 16))
    same_pose = rng.random() < 0.5
    shot_seeds = np.full(GROUP, rng.integers(2**31)) if same_pose else rng.integers(2**31, size=GROUP)
    views = np.stack([_views(scene, int(shot), size, rng) for scene, shot in zip(scenes, shot_seeds, strict=True)])
    return scenes, views


def _views(scene: Scene, seed: int, size: tuple[int, int], rng: np.random.Generator) -> Picture:
    motion = MOTIONS[int(rng.integers(len(MOTIONS)))]
    painter = ShotPainter(Scene(scene.object, scene.colour, scene.count, scene.place, scene.time, motion), seed, size)
    views = []
    for _ in range(VIEWS):
        picture = painter.frame(rng.random())
        if rng.random() < 0.1:
            title_over(picture, f"CHAPTER {rng.integers(1, 99)}")
        views.append(shrink(degrade(picture, rng)))
    return np.stack(views)
