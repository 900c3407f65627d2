"""Paints the frames of one shot: a place, the things in it, their motion and the camera's."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaflow.demo.places import background
from mediaflow.demo.shapes import sprite
from mediaflow.demo.world import COLOURS, Scene

Picture = NDArray[np.uint8]

_DRIFT: dict[str, tuple[float, float]] = {
    "still": (0.0, 0.0),
    "left": (-0.16, 0.0),
    "right": (0.16, 0.0),
    "rising": (0.0, -0.12),
}


class ShotPainter:
    """The frames of one shot.

    Parameters
    ----------
    scene : Scene
        What is to be seen.
    seed : int
        Decides everything that the scene leaves open: where things stand, how large, the light, the camera.
    size : tuple of int
        Width and height in pixels.
    """

    def __init__(self, scene: Scene, seed: int, size: tuple[int, int]) -> None:
        rng = np.random.default_rng([seed, 7])
        self._width, self._height = size
        wide = self._width + self._width // 5
        self._background = background(scene.place, scene.time, wide, self._height, rng)
        self._pan = rng.permutation([0.0, float(wide - self._width)]) if rng.random() < 0.6 else np.full(2, wide / 12)
        self._drift = _DRIFT[scene.motion]
        light = rng.uniform(0.68, 0.80) if scene.time == "night" else rng.uniform(0.9, 1.05)
        self._sprites = [_sprite(scene, light, size, rng) for _ in range(scene.count)]
        self._spots = _spots(scene, rng)

    def frame(self, progress: float) -> Picture:
        """Paint one frame.

        Parameters
        ----------
        progress : float
            0 at the shot's beginning, 1 at its end; a little outside where a dissolve reaches into the neighbour.

        Returns
        -------
        ndarray, uint8, shape (height, width, 3)
            RGB.
        """
        left = round(float(self._pan[0] + (self._pan[1] - self._pan[0]) * min(1.0, max(0.0, progress))))
        picture = self._background[:, left : left + self._width].copy()
        for thing, (x, y) in zip(self._sprites, self._spots, strict=True):
            shift_x, shift_y = (drift * (progress - 0.5) for drift in self._drift)
            _paste(picture, thing, (x + shift_x) * self._width, (y + shift_y) * self._height)
        return picture


def title_over(picture: Picture, text: str) -> None:
    """Write `text` across the lower part of an RGB picture, white on a dark band, in place."""
    height, width = picture.shape[:2]
    band = picture[round(height * 0.80) : round(height * 0.95)]
    np.multiply(band, 0.35, out=band, casting="unsafe")
    face = cv2.FONT_HERSHEY_SIMPLEX
    (natural, _), _ = cv2.getTextSize(text, face, 1.0, 2)
    scale = min(0.8 * width / natural, 0.0042 * height)
    (wide, tall), _ = cv2.getTextSize(text, face, scale, 1)
    origin = ((width - wide) // 2, round(height * 0.875) + tall // 2)
    cv2.putText(picture, text, origin, face, scale, (250, 250, 250), max(1, round(scale * 2)), cv2.LINE_AA)


def _sprite(scene: Scene, light: float, size: tuple[int, int], rng: np.random.Generator) -> NDArray[np.float32]:
    base = np.array(COLOURS[scene.colour]) * rng.uniform(0.92, 1.04) + rng.integers(-8, 9, 3)
    red, green, blue = (int(c) for c in np.clip(base, 0, 255))
    share = (0.56, 0.44, 0.36)[scene.count - 1] * rng.uniform(0.8, 1.1)
    picture = sprite(
        scene.object,
        (red, green, blue),
        max(8, round(share * min(size[1], 0.6 * size[0]))),
        stretch=rng.uniform(0.9, 1.2),
        turn_deg=rng.uniform(-10, 10),
        flip=bool(rng.random() < 0.5),
    )
    tint = np.array([0.92, 0.96, 1.1], np.float32) if scene.time == "night" else np.ones(3, np.float32)
    picture[..., :3] *= tint * np.float32(light)
    return picture


def _spots(scene: Scene, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Where the things stand, as fractions of the picture: side by side, so that each can be counted."""
    columns = {1: [rng.uniform(0.3, 0.7)], 2: [0.29, 0.71], 3: [0.2, 0.5, 0.8]}[scene.count]
    y = rng.uniform(0.5, 0.66)
    return [(x + rng.uniform(-0.04, 0.04), y + rng.uniform(-0.06, 0.06)) for x in columns]


def _paste(picture: Picture, thing: NDArray[np.float32], x: float, y: float) -> None:
    height, width = thing.shape[:2]
    left, top = round(x - width / 2), round(y - height / 2)
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(picture.shape[1], left + width), min(picture.shape[0], top + height)
    if x0 >= x1 or y0 >= y1:
        return
    part = thing[y0 - top : y1 - top, x0 - left : x1 - left]
    under = picture[y0:y1, x0:x1]
    under[:] = np.clip(under * (1 - part[..., 3:]) + part[..., :3], 0, 255)
