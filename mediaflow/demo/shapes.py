"""The outlines of the objects as data, and how one becomes a sprite with transparency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

Tone = Literal["body", "shade", "dark", "glass"]
Colour = tuple[int, int, int]

_SHIFT = 4  # fractional bits of OpenCV's fixed-point coordinates


@dataclass(frozen=True, slots=True)
class Polygon:
    """A filled polygon; corners in the unit square, y down."""

    points: tuple[tuple[float, float], ...]
    tone: Tone = "body"


@dataclass(frozen=True, slots=True)
class Ellipse:
    """A filled ellipse or a slice of one; centre and radii in the unit square, angles in degrees clockwise from +x."""

    x: float
    y: float
    rx: float
    ry: float
    tone: Tone = "body"
    start: float = 0.0
    end: float = 360.0


@dataclass(frozen=True, slots=True)
class Stroke:
    """An open line with round joints; width as a fraction of the unit square."""

    points: tuple[tuple[float, float], ...]
    width: float
    tone: Tone = "body"


Part = Polygon | Ellipse | Stroke


def _box(x0: float, y0: float, x1: float, y1: float, tone: Tone = "body") -> Polygon:
    return Polygon(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), tone)


SHAPES: dict[str, tuple[Part, ...]] = {
    "car": (
        Polygon(((0.02, 0.72), (0.04, 0.52), (0.22, 0.48), (0.34, 0.28), (0.70, 0.28), (0.82, 0.48), (0.98, 0.54),
                 (0.98, 0.72))),
        Polygon(((0.29, 0.48), (0.37, 0.34), (0.50, 0.34), (0.50, 0.48)), "glass"),
        Polygon(((0.54, 0.48), (0.54, 0.34), (0.67, 0.34), (0.75, 0.48)), "glass"),
        Ellipse(0.24, 0.73, 0.11, 0.11, "dark"),
        Ellipse(0.77, 0.73, 0.11, 0.11, "dark"),
    ),
    "boat": (
        Polygon(((0.02, 0.66), (0.98, 0.66), (0.82, 0.92), (0.16, 0.92))),
        Stroke(((0.46, 0.66), (0.46, 0.06)), 0.05, "dark"),
        Polygon(((0.52, 0.10), (0.90, 0.60), (0.52, 0.60))),
        Polygon(((0.40, 0.18), (0.40, 0.60), (0.12, 0.60)), "shade"),
    ),
    "tree": (
        _box(0.43, 0.70, 0.57, 0.99, "dark"),
        Polygon(((0.50, 0.01), (0.76, 0.34), (0.24, 0.34))),
        Polygon(((0.50, 0.18), (0.84, 0.55), (0.16, 0.55))),
        Polygon(((0.50, 0.36), (0.92, 0.77), (0.08, 0.77))),
    ),
    "house": (
        _box(0.12, 0.44, 0.88, 0.97),
        Polygon(((0.02, 0.46), (0.50, 0.06), (0.98, 0.46)), "shade"),
        _box(0.42, 0.66, 0.58, 0.97, "dark"),
        _box(0.20, 0.54, 0.35, 0.70, "glass"),
        _box(0.65, 0.54, 0.80, 0.70, "glass"),
    ),
    "ball": (
        Ellipse(0.50, 0.50, 0.46, 0.46),
        Stroke(((0.06, 0.50), (0.30, 0.58), (0.70, 0.58), (0.94, 0.50)), 0.06, "shade"),
        Ellipse(0.34, 0.30, 0.10, 0.08, "glass"),
    ),
    "bird": (
        Polygon(((0.22, 0.55), (0.00, 0.42), (0.02, 0.68))),
        Ellipse(0.46, 0.58, 0.28, 0.18),
        Polygon(((0.36, 0.56), (0.24, 0.04), (0.64, 0.50)), "shade"),
        Ellipse(0.76, 0.44, 0.14, 0.13),
        Polygon(((0.88, 0.38), (1.00, 0.46), (0.88, 0.50)), "dark"),
        Stroke(((0.44, 0.74), (0.42, 0.92)), 0.04, "dark"),
        Stroke(((0.54, 0.74), (0.54, 0.92)), 0.04, "dark"),
    ),
    "lamp": (
        Polygon(((0.32, 0.05), (0.68, 0.05), (0.90, 0.46), (0.10, 0.46))),
        Stroke(((0.50, 0.46), (0.50, 0.90)), 0.07, "dark"),
        Ellipse(0.50, 0.92, 0.26, 0.06, "dark"),
        Ellipse(0.50, 0.47, 0.16, 0.05, "glass"),
    ),
    "fish": (
        Polygon(((0.28, 0.50), (0.00, 0.24), (0.06, 0.50), (0.00, 0.76))),
        Ellipse(0.58, 0.50, 0.40, 0.25),
        Polygon(((0.46, 0.28), (0.60, 0.08), (0.72, 0.30)), "shade"),
        Stroke(((0.70, 0.34), (0.64, 0.50), (0.70, 0.66)), 0.04, "shade"),
        Ellipse(0.83, 0.44, 0.04, 0.04, "dark"),
    ),
    "flower": (
        Stroke(((0.50, 0.45), (0.50, 0.99)), 0.06, "dark"),
        Polygon(((0.50, 0.86), (0.80, 0.64), (0.74, 0.86)), "dark"),
        Ellipse(0.50, 0.12, 0.155, 0.155),
        Ellipse(0.71, 0.27, 0.155, 0.155),
        Ellipse(0.63, 0.52, 0.155, 0.155),
        Ellipse(0.37, 0.52, 0.155, 0.155),
        Ellipse(0.29, 0.27, 0.155, 0.155),
        Ellipse(0.50, 0.34, 0.12, 0.12, "dark"),
    ),
    "kite": (
        Polygon(((0.50, 0.00), (0.86, 0.32), (0.50, 0.76), (0.14, 0.32))),
        Polygon(((0.50, 0.32), (0.86, 0.32), (0.50, 0.76)), "shade"),
        Stroke(((0.50, 0.76), (0.62, 0.84), (0.42, 0.90), (0.58, 0.99)), 0.035, "dark"),
    ),
    "umbrella": (
        Stroke(((0.50, 0.30), (0.50, 0.90), (0.56, 0.96), (0.64, 0.92), (0.65, 0.84)), 0.055, "dark"),
        Ellipse(0.50, 0.50, 0.48, 0.45, "body", 180, 360),
        Ellipse(0.50, 0.50, 0.17, 0.45, "shade", 180, 360),
    ),
    "cup": (
        Ellipse(0.76, 0.48, 0.22, 0.20, "shade"),
        Ellipse(0.76, 0.48, 0.12, 0.10, "dark"),
        Polygon(((0.10, 0.18), (0.78, 0.18), (0.70, 0.86), (0.18, 0.86))),
        Ellipse(0.44, 0.18, 0.34, 0.08, "dark"),
    ),
    "rocket": (
        Polygon(((0.36, 0.62), (0.12, 0.92), (0.38, 0.84)), "shade"),
        Polygon(((0.64, 0.62), (0.88, 0.92), (0.62, 0.84)), "shade"),
        Polygon(((0.50, 0.00), (0.62, 0.14), (0.68, 0.34), (0.66, 0.86), (0.34, 0.86), (0.32, 0.34), (0.38, 0.14))),
        Ellipse(0.50, 0.38, 0.10, 0.10, "glass"),
        Polygon(((0.42, 0.87), (0.58, 0.87), (0.50, 1.00)), "dark"),
    ),
    "mushroom": (
        Polygon(((0.38, 0.48), (0.62, 0.48), (0.68, 0.95), (0.32, 0.95)), "glass"),
        Ellipse(0.50, 0.52, 0.48, 0.44, "body", 180, 360),
        Ellipse(0.30, 0.36, 0.07, 0.06, "glass"),
        Ellipse(0.56, 0.24, 0.08, 0.06, "glass"),
        Ellipse(0.74, 0.42, 0.06, 0.05, "glass"),
    ),
    "chair": (
        _box(0.20, 0.04, 0.32, 0.98),
        _box(0.20, 0.52, 0.82, 0.66),
        _box(0.70, 0.60, 0.82, 0.98),
        _box(0.32, 0.10, 0.40, 0.44, "shade"),
    ),
    "key": (
        Ellipse(0.24, 0.50, 0.23, 0.23),
        Ellipse(0.24, 0.50, 0.10, 0.10, "dark"),
        _box(0.44, 0.44, 0.98, 0.56),
        _box(0.72, 0.54, 0.80, 0.74),
        _box(0.88, 0.54, 0.96, 0.70),
    ),
}  # fmt: skip


def sprite(
    name: str, colour: Colour, size_px: int, *, stretch: float, turn_deg: float, flip: bool
) -> NDArray[np.float32]:
    """Draw one object with a dark rim, ready to be pasted.

    Parameters
    ----------
    name : str
        A key of `SHAPES`.
    colour : tuple of int
        RGB of the body.
    size_px : int
        Side of the unit square in pixels.
    stretch : float
        Width over height.
    turn_deg : float
        Rotation, counter-clockwise.
    flip : bool
        Mirror left and right.

    Returns
    -------
    ndarray, float32, shape (height, width, 4)
        RGB premultiplied with alpha (0..255), then alpha (0..1).
    """
    scale = 2 * size_px  # drawn at twice the size, halved at the end: smooth edges
    margin = scale // 4
    width, height = round(scale * stretch), scale
    paint = np.zeros((height + 2 * margin, width + 2 * margin, 3), np.uint8)
    cover = np.zeros(paint.shape[:2], np.uint8)
    tones: dict[Tone, Colour] = {
        "body": colour,
        "shade": (round(colour[0] * 0.7), round(colour[1] * 0.7), round(colour[2] * 0.7)),
        "dark": (46, 42, 44),
        "glass": (198, 216, 222),
    }
    for part in SHAPES[name]:
        _draw(paint, part, tones[part.tone], margin, (width, height))
        _draw(cover, part, (255, 255, 255), margin, (width, height))
    rim_px = max(3, scale // 24) | 1
    rim = cv2.dilate(cover, np.ones((rim_px, rim_px), np.uint8))
    paint[cover == 0] = (28, 26, 30)
    picture = np.dstack([paint * (rim[..., None] / np.float32(255)), rim / np.float32(255)]).astype(np.float32)
    if flip:
        picture = np.ascontiguousarray(picture[:, ::-1])
    turn = cv2.getRotationMatrix2D((picture.shape[1] / 2, picture.shape[0] / 2), turn_deg, 1.0)
    turned = cv2.warpAffine(picture, turn, (picture.shape[1], picture.shape[0]))
    half = cv2.resize(turned, (picture.shape[1] // 2, picture.shape[0] // 2), interpolation=cv2.INTER_AREA)
    return half.astype(np.float32, copy=False)


def _draw(canvas: NDArray[np.uint8], part: Part, colour: Colour, margin: int, extent: tuple[int, int]) -> None:
    def fixed(points: tuple[tuple[float, float], ...]) -> NDArray[np.int32]:
        return np.round((np.array(points) * extent + margin) * (1 << _SHIFT)).astype(np.int32)

    if isinstance(part, Polygon):
        cv2.fillPoly(canvas, [fixed(part.points)], colour, cv2.LINE_8, _SHIFT)
    elif isinstance(part, Stroke):
        width_px = max(1, round(part.width * extent[1]))
        cv2.polylines(canvas, [fixed(part.points)], False, colour, width_px, cv2.LINE_8, _SHIFT)
    else:
        centre = fixed(((part.x, part.y),))[0]
        radii = (round(part.rx * extent[0] * (1 << _SHIFT)), round(part.ry * extent[1] * (1 << _SHIFT)))
        cv2.ellipse(
            canvas, (int(centre[0]), int(centre[1])), radii, 0, part.start, part.end, colour, -1, cv2.LINE_8, _SHIFT
        )
