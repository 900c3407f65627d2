"""`palette`: the dominant colours of a shot, each with a name and its place in a space where distance is difference.

Oklab is the perceptual space: B. Ottosson, *A perceptual color space for image processing*, 2020,
https://bottosson.github.io/posts/oklab/. Colours that differ by 0.02 in it can just be told apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import polars as pl
from pydantic import Field

from mediaflow.algorithms.contract import Algorithm, Batch, Parameters, Shape, TitleFeatures

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

OKLAB = ("oklab_l", "oklab_a", "oklab_b")
"""The fields that place a colour: lightness from 0 to 1, green to red, blue to yellow."""

NAMES: dict[str, tuple[str, ...]] = {
    "black": ("#000000", "#1c1c1c"),
    "grey": ("#303030", "#484848", "#606060", "#808080", "#a0a0a0", "#c0c0c0"),
    "white": ("#e8e8e8", "#ffffff"),
    "red": ("#e01020", "#8c1018"),
    "orange": ("#f58220", "#d2691e"),
    "yellow": ("#f7e030", "#fff3a0", "#d0b820"),
    "green": ("#2aa53c", "#14501e", "#98d890", "#a8d030", "#6e7520", "#4a6040"),
    "teal": ("#0c8888", "#48c8c0"),
    "blue": ("#2858d8", "#101c60", "#90c0f0", "#4090c0"),
    "purple": ("#8030b8", "#3c1450", "#b890e0"),
    "pink": ("#fa90c0", "#d82880", "#ffd0e0"),
    "brown": ("#6a4020", "#3a2412", "#a07048", "#b88650"),
    "beige": ("#e8dab4", "#d2b282"),
}
"""Names of colours with colours that have them; any other has the name of the nearest."""

# Pictures are looked at with so many pixels on the longer side, and their colours counted in cells of this width:
# the whole of sRGB has about a thousand of them.
_SIDE = 96
_CELL = 0.04
_LINEAR_TO_LMS = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_ROOTS_TO_LAB = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


class Colours(Parameters):
    """How many colours a shot has at most, how much of it each fills, and how far apart they are."""

    most: int = Field(8, ge=1, le=32)
    least_share: float = Field(0.02, ge=0, le=1)
    radius: float = Field(0.06, gt=0, le=1)


class Palette(Algorithm):
    """Takes the commonest colours of a shot's kept frames, one after the other."""

    name = "palette"
    version = "1"
    owner = "team:mediaflow"
    description = "The dominant colours of a shot, by name or as #rrggbb."
    inputs = ("shots", "frames")
    shape = Shape.LABEL
    fields = dict.fromkeys(OKLAB, pl.Float32)
    Parameters = Colours

    def run(self, batch: Batch) -> Iterator[pl.DataFrame]:
        for title in batch:
            yield _palette(title, batch.parameters)


def oklab(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Return sRGB colours, (..., 3) uint8, in Oklab, (..., 3); formulas and numbers by Ottosson (2020)."""
    import numpy as np

    level = np.arange(256) / 255
    linear = np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4)
    lms = linear[rgb] @ np.array(_LINEAR_TO_LMS).T
    return np.asarray(np.cbrt(lms) @ np.array(_ROOTS_TO_LAB).T)


def dominant(colours: NDArray[np.float64], parameters: Colours) -> list[tuple[float, NDArray[np.float64]]]:
    """Return the dominant ones of colours, with the share that each of them stands for.

    The colour with the most others around it, within `radius`, takes these for its own; then the next of what is
    left, as in the popularity algorithm of P. Heckbert, *Color image quantization for frame buffer display*,
    SIGGRAPH 1982, with balls in the place of single cells. Nothing is drawn by chance.

    Parameters
    ----------
    colours : ndarray, float64, shape (n, 3)
        Of pixels, in Oklab.
    parameters : Colours
        When to stop.

    Returns
    -------
    list of (float, ndarray of shape (3,))
        Share and mean of each, in Oklab, the largest first.
    """
    import numpy as np

    cells = np.floor(colours / _CELL).astype(np.int64) + 64
    _, of, counts = np.unique(cells @ (1, 128, 128**2), return_inverse=True, return_counts=True)
    means = np.stack([np.bincount(of, colours[:, axis]) for axis in range(3)], axis=1) / counts[:, None]
    squares = (means**2).sum(1)
    near = squares[:, None] + squares - 2 * means @ means.T <= parameters.radius**2
    shares = counts / counts.sum()
    found: list[tuple[float, NDArray[np.float64]]] = []
    while len(found) < parameters.most:
        around = near @ shares
        best = int(around.argmax())
        if around[best] < max(parameters.least_share, 1e-9):
            break
        own = near[best] * shares
        found.append((float(around[best]), own @ means / own.sum()))
        shares = np.where(near[best], 0, shares)
    return found


def name_of(colour: NDArray[np.float64]) -> str:
    """Return the name of a colour, (3,) in Oklab: that of the nearest of `NAMES`."""
    names, places = _named()
    return names[int(((places - colour) ** 2).sum(1).argmin())]


@cache
def _named() -> tuple[tuple[str, ...], NDArray[np.float64]]:
    import numpy as np

    pairs = [(name, bytes.fromhex(code[1:])) for name, codes in NAMES.items() for code in codes]
    return tuple(name for name, _ in pairs), oklab(np.array([list(rgb) for _, rgb in pairs], np.uint8))


def _palette(title: TitleFeatures, parameters: Colours) -> pl.DataFrame:
    rows: list[tuple[Any, ...]] = []
    for (shot_no,), frames in title.frames.group_by("shot_no", maintain_order=True):
        for share, colour in dominant(_colours(frames["jpeg"]), parameters):
            rows.append((shot_no, name_of(colour), share, *colour.tolist()))
    schema = {"shot_no": pl.Int32, "label": pl.String, "confidence": pl.Float32, **Palette.fields}
    found = pl.DataFrame(rows, schema=schema, orient="row")
    return title.shots.select("shot_no", "start_ms", "end_ms").join(found, on="shot_no", maintain_order="left_right")


def _colours(jpegs: Iterable[bytes]) -> NDArray[np.float64]:
    """Return the colours of the pixels of pictures, made small, in Oklab."""
    import cv2
    import numpy as np

    found = []
    for jpeg in jpegs:
        # The decoder shrinks for nothing.
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_REDUCED_COLOR_2)
        assert picture is not None
        scale = _SIDE / max(picture.shape[:2])
        if scale < 1:
            size = [max(1, round(side * scale)) for side in picture.shape[1::-1]]
            picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        found.append(picture[..., ::-1].reshape(-1, 3))
    return oklab(np.concatenate(found))
