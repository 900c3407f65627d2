"""`visual`: one open_clip embedding a shot, the mean of its kept frames, for search by words or by a picture."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from mediaflow.algorithms.contract import Algorithm, Batch, Shape


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
        import numpy as np

        assert batch.model is not None
        jpegs = [jpeg for title in batch for jpeg in title.frames["jpeg"]]
        vectors = batch.model.encode_jpegs(jpegs) if jpegs else np.zeros((0, batch.model.dim), np.float32)
        at = 0
        for title in batch:
            shots = title.frames["shot_no"].to_numpy()
            numbers, first = np.unique(shots, return_inverse=True)
            sums = np.zeros((len(numbers), batch.model.dim), np.float32)
            np.add.at(sums, first, vectors[at : at + len(shots)])
            at += len(shots)
            unit = sums / np.linalg.norm(sums, axis=1, keepdims=True).clip(1e-12)
            kept = pl.DataFrame(
                {
                    "shot_no": pl.Series(numbers, dtype=pl.Int32),
                    "vector": pl.Series(unit, dtype=pl.Array(pl.Float32, batch.model.dim)),
                }
            )
            yield title.shots.select("shot_no", "start_ms", "end_ms").join(kept, on="shot_no", maintain_order="left")
