"""Pictures of nothing that has a name, filmed: from them a model learns to know a shot by what no caption says.

Each is a picture of soft clouds and leaves that cover each other (after Lee, Mumford and Huang, 2001, as Baradad et
al., 2021, trained on), or a card with letters. It is looked at twice, as a camera looks at a shot: closer, a little
aside, while something passes by, before or after a fade. Some come in one palette, as the shots of one scene do.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from cv2.typing import MatLike
from numpy.typing import NDArray

from mediaflow.demo.pictures import VIEWS, Picture, degrade, shrink

PALETTE = 4  # pictures that share their colours
HEIGHT, WIDTH = 108, 192

_Floats = NDArray[np.float32]


@dataclass(frozen=True)
class _Colours:
    """Colours around one, spread along two directions: three numbers make a picture's tone and two its variety."""

    middle: _Floats  # (3,) BGR, 0 to 255
    spread: _Floats  # (2, 3)

    def mix(self, first: _Floats, second: _Floats) -> _Floats:
        """Return the colours (..., 3) at two coordinates (...) of about -1 to 1."""
        return np.asarray(self.middle + first[..., None] * self.spread[0] + second[..., None] * self.spread[1])


def abstract_views(seed: int) -> Picture:
    """Paint pictures that share a palette, each twice.

    Returns
    -------
    ndarray, uint8, shape (PALETTE, VIEWS, 64, 64, 3)
        RGB.
    """
    rng = np.random.default_rng([seed, 29])
    colours = _colours(rng)
    return np.stack([_filmed(rng, colours) for _ in range(PALETTE)])


def _colours(rng: np.random.Generator) -> _Colours:
    middle = rng.uniform(30, 225, 3)
    spread = rng.normal(0, 35, (2, 3))
    spread[0] += rng.normal(0, 50)  # light varies more than hue
    muted = rng.uniform(0, 1)
    middle += muted * (middle.mean() - middle)
    spread += muted * (spread.mean(axis=1, keepdims=True) - spread)
    return _Colours(middle.astype(np.float32), spread.astype(np.float32))


def _filmed(rng: np.random.Generator, colours: _Colours) -> Picture:
    scene = _card(rng, colours) if rng.random() < 0.08 else _leaves(rng, colours)
    passing = [_actor(rng, colours) for _ in range(int(rng.choice([0, 0, 1, 2, 3])))]
    zoom, at = rng.uniform(0.6, 1.0), rng.uniform(0, 1, 2)
    light = rng.uniform(0.1, 1.1) if rng.random() < 0.5 else 1.0
    bars = int(rng.integers(4, 10)) if rng.random() < 0.15 else 0
    views = []
    for _ in range(VIEWS):
        picture = scene.copy()
        for actor in passing:
            if rng.random() < 0.6:
                step, size = rng.normal(0, 60, 2), rng.uniform(0.8, 1.25)
                for leaf in actor:
                    leaf.moved(step, size).paint(picture)
        picture = _seen(picture, zoom * rng.uniform(0.8, 1.0), at + rng.normal(0, 0.15, 2))
        fade = rng.uniform(0.3, 0.9) if rng.random() < 0.06 else 1.0
        picture = np.clip(picture * np.float32(light * fade), 0, 255)
        views.append(shrink(_framed(degrade(picture.astype(np.uint8), rng), bars)))
    return np.stack(views)


def _seen(picture: _Floats, zoom: float, at: NDArray[np.float64]) -> _Floats:
    """Return what a camera sees that shows the share `zoom` of the picture's width, at a place from 0 to 1."""
    tall, wide = round(HEIGHT * zoom), round(WIDTH * zoom)
    top, left = (np.clip(at, 0, 1) * (HEIGHT - tall, WIDTH - wide)).astype(int)
    return np.ascontiguousarray(picture[top : top + tall, left : left + wide])


def _framed(picture: Picture, bars: int) -> Picture:
    thick = bars * len(picture) // 64
    return np.pad(picture, ((thick, thick), (0, 0), (0, 0)))


def _clouds(rng: np.random.Generator, octaves: tuple[int, ...], decay: float) -> _Floats:
    """Return smooth noise (HEIGHT, WIDTH) of deviation 1 whose cells get finer and weaker."""
    total = np.zeros((HEIGHT, WIDTH), np.float32)
    for number, cells in enumerate(octaves):
        noise = rng.standard_normal((cells, cells * 2), np.float32) * np.float32(decay**number)
        total += cv2.resize(noise, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return np.asarray((total - total.mean()) / (total.std() + 1e-6), np.float32)


def _leaves(rng: np.random.Generator, colours: _Colours) -> _Floats:
    decay = rng.uniform(0.3, 1.0)
    picture = colours.mix(
        _clouds(rng, (2, 4, 9, 20, 44), decay) * np.float32(rng.uniform(0.1, 1.2)),
        _clouds(rng, (2, 5), 0.7) * np.float32(rng.uniform(0.1, 1.2)),
    )
    for _ in range(int(rng.choice([0, 3, 8, 20, 40]))):
        _leaf(rng, colours, min(80.0, 6 / rng.uniform(0.02, 1) ** 0.8)).paint(picture)
    if rng.random() < 0.3:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), float(rng.uniform(1, 5))), np.float32)
    return picture


@dataclass(frozen=True)
class _Leaf:
    """A shape with a colour and a grain of its own."""

    outline: NDArray[np.float64]  # (n, 2) around its middle, x and y
    middle: NDArray[np.float64]  # (2,)
    colour: tuple[float, ...]
    blur: float

    def moved(self, step: NDArray[np.float64], size: float) -> _Leaf:
        return _Leaf(self.outline * size, self.middle + step, self.colour, self.blur)

    def paint(self, picture: _Floats) -> None:
        corners = np.rint(self.outline + self.middle).astype(np.int32)
        if not self.blur:
            cv2.fillPoly(picture, [corners], self.colour, cv2.LINE_AA)
            return
        cover: MatLike = np.zeros(picture.shape[:2], np.float32)
        cv2.fillPoly(cover, [corners], 1.0, cv2.LINE_AA)
        cover = cv2.GaussianBlur(cover, (0, 0), self.blur)[..., None]
        picture += (np.array(self.colour, np.float32) - picture) * cover


def _leaf(rng: np.random.Generator, colours: _Colours, radius: float) -> _Leaf:
    corners = int(rng.choice([3, 4, 4, 5, 24]))
    angles = np.sort(rng.uniform(0, 2 * np.pi, corners)) if corners < 24 else np.linspace(0, 2 * np.pi, 24)
    turn, flat = rng.uniform(0, np.pi), rng.uniform(0.15, 1.0)
    ring = np.stack([np.cos(angles), np.sin(angles) * flat], axis=1) * radius
    spin = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    tone = colours.mix(*rng.normal(0, 1.3, 2).astype(np.float32))
    if rng.random() < 0.15:
        tone = rng.uniform(0, 255, 3).astype(np.float32)
    middle = rng.uniform(-0.1, 1.1, 2) * (WIDTH, HEIGHT)
    blur = float(rng.uniform(1, 7)) if rng.random() < 0.3 else 0.0
    return _Leaf(ring @ spin, middle, tuple(float(c) for c in tone), blur)


def _actor(rng: np.random.Generator, colours: _Colours) -> list[_Leaf]:
    """Leaves that move together: what passes by, up to half as high as the picture."""
    radius = rng.uniform(10, 55)
    body = _leaf(rng, colours, radius)
    parts = [_leaf(rng, colours, radius * rng.uniform(0.2, 0.7)) for _ in range(int(rng.integers(0, 6)))]
    return [body, *(replace(part, middle=body.middle + rng.normal(0, radius / 2, 2)) for part in parts)]


def _card(rng: np.random.Generator, colours: _Colours) -> _Floats:
    """Lines of letters on a plain ground."""
    ground = colours.middle if rng.random() < 0.4 else np.full(3, rng.choice([0.0, 255.0]))
    picture = np.full((HEIGHT, WIDTH, 3), ground, np.uint8)
    ink = tuple(float(c) for c in rng.uniform(0, 255, 3)) if rng.random() < 0.4 else (float(255 - ground.mean()),) * 3
    size = rng.uniform(0.3, 1.2)
    top = rng.uniform(0.25, 0.5) * HEIGHT
    for line in range(int(rng.integers(1, 5))):
        letters = "".join(chr(int(c)) for c in rng.integers(65, 91, int(rng.integers(3, 14))))
        (wide, tall), _ = cv2.getTextSize(letters, cv2.FONT_HERSHEY_DUPLEX, size, 2)
        at = (int((WIDTH - wide) / 2), int(top + line * tall * 1.8))
        cv2.putText(picture, letters, at, cv2.FONT_HERSHEY_DUPLEX, size, ink, 2, cv2.LINE_AA)
    return picture.astype(np.float32)
