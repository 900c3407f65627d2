"""The contact sheet: a few of a title's shots in one small picture, for the Dagster UI."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

_COLUMNS, _ROWS = 4, 3
_WIDTH = 120
# A picture in the metadata of an event is kept twice in SQLite: at most 30 KB of text.
_MOST_BYTES = 22_000


def sheet(thumbnails: pl.DataFrame) -> bytes:
    """Return up to twelve shots, spread evenly over the title, as one JPEG.

    Parameters
    ----------
    thumbnails : polars.DataFrame
        shot_no, time_ms, width, height, jpeg; at least one row.
    """
    import cv2
    import numpy as np

    count = min(len(thumbnails), _COLUMNS * _ROWS)
    chosen = [round(at * (len(thumbnails) - 1) / max(1, count - 1)) for at in range(count)]
    pictures = []
    for jpeg in thumbnails["jpeg"].gather(chosen):
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        height = max(1, round(picture.shape[0] * _WIDTH / picture.shape[1]))
        pictures.append(cv2.resize(picture, (_WIDTH, height), interpolation=cv2.INTER_AREA))
    height = max(picture.shape[0] for picture in pictures)
    across = min(count, _COLUMNS)
    page = np.full((height * -(-count // across), _WIDTH * across, 3), 24, np.uint8)
    for at, picture in enumerate(pictures):
        top, left = at // across * height, at % across * _WIDTH
        page[top : top + picture.shape[0], left : left + _WIDTH] = picture
    for quality in (75, 60, 45, 30, 15):
        _, jpeg = cv2.imencode(".jpg", page, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if len(jpeg) <= _MOST_BYTES:
            break
    return bytes(jpeg.tobytes())


def markdown(thumbnails: pl.DataFrame) -> str:
    """Return the contact sheet as Markdown that holds the picture."""
    return f"![contact sheet](data:image/jpeg;base64,{base64.b64encode(sheet(thumbnails)).decode()})"
