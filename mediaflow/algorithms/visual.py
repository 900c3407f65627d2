"""`visual`: one open_clip embedding a shot, the mean of its kept frames, for search by words or by a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import polars as pl

from mediaflow.algorithms.contract import Algorithm, Batch, Shape

if TYPE_CHECKING:
    from mediaflow.models.encoder import Encoder


class Visual(Algorithm):
    """Embeds the frames of all titles of a batch together; a shot's vector is the unit mean of its frames'."""

    name = "visual"
    version = "1"
    owner = "team:mediaflow"
    description = "What a shot looks like, in words or by a similar picture."
    inputs = ("shots", "frames")
    shape = Shape.SHOT_VECTOR
    model = "visual_model"

    def run(self, batch: Batch) -> Iterator[pl.DataFrame]:
        assert batch.model is not None
        vectors = shot_vectors([title.frames for title in batch], batch.model)
        for title, kept in zip(batch, vectors, strict=True):
            yield title.shots.select("shot_no", "start_ms", "end_ms").join(kept, on="shot_no", maintain_order="left")


def shot_vectors(films: Sequence[pl.DataFrame], model: Encoder) -> list[pl.DataFrame]:
    """Return the vectors of films' shots; the frames of all films are encoded together.

    Parameters
    ----------
    films : sequence of pl.DataFrame
        Of each film the kept frames: shot_no, jpeg.
    model : Encoder
        What encodes them.

    Returns
    -------
    list of pl.DataFrame
        For each film, by shot that has frames: shot_no, vector (Float32, unit norm).
    """
    import numpy as np

    jpegs = [jpeg for frames in films for jpeg in frames["jpeg"]]
    vectors = model.encode_jpegs(jpegs) if jpegs else np.zeros((0, model.dim), np.float32)
    at, found = 0, []
    for frames in films:
        shots = frames["shot_no"].to_numpy()
        numbers, first = np.unique(shots, return_inverse=True)
        sums = np.zeros((len(numbers), model.dim), np.float32)
        np.add.at(sums, first, vectors[at : at + len(shots)])
        at += len(shots)
        unit = sums / np.linalg.norm(sums, axis=1, keepdims=True).clip(1e-12)
        columns = {
            "shot_no": pl.Series(numbers, dtype=pl.Int32),
            "vector": pl.Series(unit, dtype=pl.Array(pl.Float32, model.dim)),
        }
        found.append(pl.DataFrame(columns))
    return found
