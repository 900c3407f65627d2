"""`onscreen_text`: what is written in the picture (signs, titles, credits), and where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import Field

from mediaflow.algorithms.contract import Algorithm, Batch, Parameters, Shape, TitleFeatures
from mediaflow.algorithms.shapes import shape_columns
from mediaflow.errors import AlgorithmError

_PACKAGES = ("rapidocr", "onnxruntime")
_DETECTOR, _READER = "PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"


class Reading(Parameters):
    """How sure a text must be, and with how many pixels on the longer side a picture is looked through for texts."""

    least_confidence: float = Field(0.8, ge=0, le=1)
    detector_side: int = Field(480, ge=64, le=4096)


class OnscreenText(Algorithm):
    """Reads one frame of each shot, the middle one of those that are kept."""

    name = "onscreen_text"
    version = "1"
    owner = "team:mediaflow"
    description = "What is written in the picture: words or an exact phrase, and where."
    inputs = ("shots", "frames")
    shape = Shape.BOXED_TEXT
    Parameters = Reading

    def __init__(self) -> None:
        missing = [package for package in _PACKAGES if find_spec(package) is None]
        if missing:
            raise AlgorithmError(
                f"{self.name!r} needs {' and '.join(missing)}, not installed here: install mediaflow with its extra"
                f" 'ocr', or take {self.name!r} out of the setting 'built_in'.",
                algorithm=self.name,
                packages=missing,
            )

    def run(self, batch: Batch) -> Iterator[pl.DataFrame]:
        for title in batch:
            yield _written(title, batch.parameters)


def _written(title: TitleFeatures, reading: Reading) -> pl.DataFrame:
    middle = title.frames.group_by("shot_no").agg(pl.col("jpeg").sort_by("time_ms").get(pl.len() // 2))
    shots = title.shots.join(middle, on="shot_no", maintain_order="left").select("start_ms", "end_ms", "jpeg")
    rows = [
        (start_ms, end_ms, *found) for start_ms, end_ms, jpeg in shots.iter_rows() for found in _texts(jpeg, reading)
    ]
    return pl.DataFrame(rows, schema=shape_columns(Shape.BOXED_TEXT, None), orient="row")


def _texts(jpeg: bytes, reading: Reading) -> Iterator[tuple[str, float, float, float, float, float]]:
    """Yield text, confidence, and x, y, w, h of the box as fractions of the picture, from top to bottom."""
    import cv2
    import numpy as np

    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    found = _engine(reading.detector_side)(picture)
    if found.txts is None:
        return
    size = np.array(picture.shape[1::-1])
    for corners, text, confidence in zip(found.boxes, found.txts, found.scores, strict=True):
        # What has neither letter nor digit cannot be asked for, and is seldom a text.
        if confidence >= reading.least_confidence and any(char.isalnum() for char in text):
            first, last = (np.clip(corner / size, 0, 1) for corner in (corners.min(0), corners.max(0)))
            yield (text.strip(), float(confidence), *map(float, (*first, *(last - first))))


@lru_cache(maxsize=1)
def _engine(detector_side: int) -> Any:
    """Return what reads pictures, loaded once a process."""
    import rapidocr

    folder = Path(rapidocr.__file__).parent / "models"
    return rapidocr.RapidOCR(
        params={
            "Global.log_level": "critical",
            "Global.text_score": 0.0,
            # Texts that stand on their heads are not worth a third model.
            "Global.use_cls": False,
            "Det.limit_type": "max",
            "Det.limit_side_len": detector_side,
            # Weights that are named by their files come from the package, and never from a network.
            "Det.model_path": str(folder / _DETECTOR),
            "Rec.model_path": str(folder / _READER),
            "EngineConfig.onnxruntime.intra_op_num_threads": 1,
            "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        }
    )
