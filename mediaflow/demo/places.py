"""The places where scenes are set: each paints a background a little wider than the picture, by day or by night."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]


def background(place: str, time: str, width: int, height: int, rng: np.random.Generator) -> Picture:
    """Paint a place.

    Parameters
    ----------
    place, time : str
        Names from `mediaflow.demo.world`.
    width, height : int
        Pixels.
    rng : numpy.random.Generator
        Decides where things stand; the same state paints the same picture.

    Returns
    -------
    ndarray, uint8, shape (height, width, 3)
        RGB.
    """
    picture = np.zeros((height, width, 3), np.uint8)
    _PAINTERS[place](picture, rng)
    if place == "room":
        _window(picture, rng, night=time == "night")
    if time == "night":
        picture = night_light(picture)
        if place != "room":
            _moon_and_stars(picture, rng)
    elif place != "room":
        _sun_or_cloud(picture, rng)
    return picture


def night_light(picture: Picture, strength: float = 0.36) -> Picture:
    """Darken a picture and shift it towards blue, as the eye expects of a night."""
    return (picture * (np.array([0.75, 0.9, 1.35], np.float32) * strength)).astype(np.uint8)


def _tinted(rng: np.random.Generator, colour: Colour, spread: int = 14) -> Colour:
    red, green, blue = (int(np.clip(c + rng.integers(-spread, spread + 1), 0, 255)) for c in colour)
    return red, green, blue


def _gradient(picture: Picture, top: Colour, bottom: Colour, y0: float = 0.0, y1: float = 1.0) -> None:
    height = picture.shape[0]
    first, last = round(y0 * height), round(y1 * height)
    share = np.linspace(0, 1, max(1, last - first), dtype=np.float32)[:, None, None]
    picture[first:last] = np.array(top, np.float32) * (1 - share) + np.array(bottom, np.float32) * share


def _polygon(picture: Picture, points: list[tuple[float, float]], colour: Colour) -> None:
    """Fill a polygon; x and y in units of the picture's height, so that shapes keep their proportions."""
    corners = np.round(np.array(points) * picture.shape[0]).astype(np.int32)
    cv2.fillPoly(picture, [corners], colour, cv2.LINE_AA)


def _disc(picture: Picture, x: float, y: float, radius: float, colour: Colour) -> None:
    height = picture.shape[0]
    cv2.circle(picture, (round(x * height), round(y * height)), max(1, round(radius * height)), colour, -1, cv2.LINE_AA)


def _box(picture: Picture, x0: float, y0: float, x1: float, y1: float, colour: Colour) -> None:
    _polygon(picture, [(x0, y0), (x1, y0), (x1, y1), (x0, y1)], colour)


def _aspect(picture: Picture) -> float:
    return float(picture.shape[1] / picture.shape[0])


def _hills(picture: Picture, rng: np.random.Generator, level: float, swing: float, colour: Colour) -> None:
    x = np.linspace(0, _aspect(picture), 48)
    phase = rng.uniform(0, 6.28, 2)
    y = level - swing * (0.6 * np.sin(2.1 * x + phase[0]) + 0.4 * np.sin(5.3 * x + phase[1]))
    _polygon(picture, [*zip(x, y, strict=True), (_aspect(picture), 1.0), (0.0, 1.0)], colour)


def _street(picture: Picture, rng: np.random.Generator) -> None:
    _gradient(picture, _tinted(rng, (168, 196, 222)), (214, 224, 230))
    x = -0.05
    while x < _aspect(picture):
        wide, top = rng.uniform(0.22, 0.42), rng.uniform(0.10, 0.34)
        wall = _tinted(rng, (142, 128, 122), 26)
        _box(picture, x, top, x + wide, 0.70, wall)
        for column in np.arange(x + 0.05, x + wide - 0.05, 0.09):
            for row in np.arange(top + 0.06, 0.60, 0.12):
                _box(picture, column, row, column + 0.045, row + 0.06, (92, 98, 112))
        x += wide + rng.uniform(0.0, 0.03)
    _box(picture, 0, 0.68, _aspect(picture), 0.74, (176, 174, 170))
    _box(picture, 0, 0.74, _aspect(picture), 1, _tinted(rng, (84, 84, 90), 8))
    for x in np.arange(rng.uniform(0, 0.2), _aspect(picture), 0.36):
        _box(picture, x, 0.855, x + 0.18, 0.88, (226, 224, 206))


def _forest(picture: Picture, rng: np.random.Generator) -> None:
    _gradient(picture, _tinted(rng, (86, 122, 84)), (58, 92, 60))
    for depth in range(3):
        shade = 1.0 - 0.22 * depth
        for x in np.arange(rng.uniform(-0.1, 0.1), _aspect(picture), rng.uniform(0.14, 0.24)):
            wide = 0.02 + 0.012 * depth + rng.uniform(0, 0.012)
            bark = _tinted(rng, (round(92 * shade), round(70 * shade), round(52 * shade)), 8)
            _box(picture, x, 0, x + wide, 0.72 + 0.06 * depth, bark)
    for x in np.arange(-0.05, _aspect(picture) + 0.1, 0.09):
        _disc(picture, x, rng.uniform(-0.04, 0.08), rng.uniform(0.07, 0.14), _tinted(rng, (38, 84, 44), 12))
    _hills(picture, rng, 0.80, 0.03, _tinted(rng, (70, 78, 42), 10))


def _beach(picture: Picture, rng: np.random.Generator) -> None:
    _gradient(picture, _tinted(rng, (112, 182, 236)), (206, 230, 244), 0, 0.42)
    _gradient(picture, _tinted(rng, (36, 112, 170)), (84, 176, 200), 0.42, 0.76)
    for y in np.linspace(0.47, 0.64, 4):
        start = rng.uniform(0, 0.5)
        _box(picture, start, y, start + rng.uniform(0.3, 0.9), y + 0.008, (206, 230, 236))
    _hills(picture, rng, 0.70, 0.02, _tinted(rng, (234, 214, 164), 10))


def _desert(picture: Picture, rng: np.random.Generator) -> None:
    _gradient(picture, _tinted(rng, (236, 196, 140)), (250, 226, 184))
    _hills(picture, rng, 0.52, 0.07, _tinted(rng, (222, 172, 106), 8))
    _hills(picture, rng, 0.66, 0.06, _tinted(rng, (206, 148, 82), 8))
    _hills(picture, rng, 0.84, 0.05, _tinted(rng, (188, 128, 66), 8))
    for x in rng.uniform(0, _aspect(picture), 2):
        green = _tinted(rng, (74, 112, 66), 8)
        _box(picture, x, 0.46, x + 0.03, 0.68, green)
        _box(picture, x - 0.05, 0.52, x - 0.025, 0.60, green)
        _box(picture, x - 0.05, 0.585, x, 0.61, green)


def _room(picture: Picture, rng: np.random.Generator) -> None:
    wall = _tinted(rng, (206, 184, 158), 18)
    _gradient(picture, wall, wall)
    stripe = _tinted(rng, (190, 166, 142), 10)
    for x in np.arange(0.04, _aspect(picture), 0.16):
        _box(picture, x, 0, x + 0.05, 0.74, stripe)
    _box(picture, 0, 0.70, _aspect(picture), 0.745, (236, 228, 214))
    _box(picture, 0, 0.745, _aspect(picture), 1, _tinted(rng, (138, 92, 56), 10))
    for x in np.arange(0, _aspect(picture), 0.30):
        _box(picture, x, 0.745, x + 0.008, 1, (104, 68, 42))


def _window(picture: Picture, rng: np.random.Generator, *, night: bool) -> None:
    x = rng.uniform(0.1, _aspect(picture) - 0.6)
    # Painted before the night falls over the room: a bright pane stays a little brighter than the wall.
    pane = (40, 50, 84) if night else (188, 222, 246)
    _box(picture, x - 0.02, 0.10, x + 0.46, 0.50, (240, 236, 226))
    _box(picture, x, 0.12, x + 0.44, 0.48, pane)
    _box(picture, x + 0.21, 0.12, x + 0.23, 0.48, (240, 236, 226))
    _box(picture, x, 0.29, x + 0.44, 0.31, (240, 236, 226))


def _mountains(picture: Picture, rng: np.random.Generator) -> None:
    _gradient(picture, _tinted(rng, (122, 166, 214)), (216, 226, 236))
    x = rng.uniform(-0.3, 0.0)
    while x < _aspect(picture):
        wide, peak = rng.uniform(0.55, 0.9), rng.uniform(0.08, 0.26)
        top, base = x + wide / 2, 0.76
        _polygon(picture, [(x, base), (top, peak), (x + wide, base)], _tinted(rng, (112, 112, 124), 12))
        cap = 0.3
        left = (top - cap * wide / 2, peak + cap * (base - peak))
        right = (top + cap * wide / 2, peak + cap * (base - peak))
        _polygon(picture, [left, (top, peak), right, (top, peak + 0.24 * (base - peak))], (240, 244, 250))
        x += wide * rng.uniform(0.55, 0.8)
    _hills(picture, rng, 0.76, 0.03, _tinted(rng, (96, 104, 92), 10))


def _snow(picture: Picture, rng: np.random.Generator) -> None:
    _gradient(picture, _tinted(rng, (176, 190, 206)), (222, 228, 236))
    _hills(picture, rng, 0.58, 0.05, (214, 222, 232))
    for x in rng.uniform(0, _aspect(picture), 5):
        _polygon(picture, [(x, 0.36), (x + 0.07, 0.62), (x - 0.07, 0.62)], _tinted(rng, (84, 110, 108), 10))
    _hills(picture, rng, 0.72, 0.04, (234, 238, 244))
    for x, y in zip(rng.uniform(0, _aspect(picture), 60), rng.uniform(0, 1, 60), strict=True):
        _disc(picture, x, y, 0.007, (250, 250, 252))


def _meadow(picture: Picture, rng: np.random.Generator) -> None:
    _gradient(picture, _tinted(rng, (124, 188, 240)), (208, 232, 246))
    _hills(picture, rng, 0.52, 0.05, _tinted(rng, (122, 178, 92), 10))
    _hills(picture, rng, 0.66, 0.04, _tinted(rng, (104, 170, 70), 10))
    for x, y in zip(rng.uniform(0, _aspect(picture), 40), rng.uniform(0.72, 1, 40), strict=True):
        _box(picture, x, y, x + 0.008, y + 0.03, (70, 128, 48))


def _moon_and_stars(picture: Picture, rng: np.random.Generator) -> None:
    for x, y in zip(rng.uniform(0, _aspect(picture), 24), rng.uniform(0, 0.36, 24), strict=True):
        _disc(picture, x, y, 0.005, (210, 214, 230))
    _disc(picture, rng.uniform(0.1, _aspect(picture) - 0.1), rng.uniform(0.08, 0.18), 0.055, (236, 234, 214))


def _sun_or_cloud(picture: Picture, rng: np.random.Generator) -> None:
    x = rng.uniform(0.1, _aspect(picture) - 0.1)
    if rng.random() < 0.5:
        _disc(picture, x, 0.1, 0.06, (255, 244, 190))
        return
    for step in (-0.08, 0.0, 0.08):
        _disc(picture, x + step, 0.12 - 0.03 * (step == 0), 0.06, (240, 244, 248))


_PAINTERS: dict[str, Callable[[Picture, np.random.Generator], None]] = {
    "street": _street,
    "forest": _forest,
    "beach": _beach,
    "desert": _desert,
    "room": _room,
    "mountains": _mountains,
    "snow": _snow,
    "meadow": _meadow,
}
