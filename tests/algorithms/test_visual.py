"""`visual`: a shot's vector is the unit mean of its frames' vectors, whatever other titles are in the batch."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from mediaflow.algorithms.contract import Batch, Parameters, TitleFeatures
from mediaflow.algorithms.shapes import conform
from mediaflow.algorithms.visual import Visual


class Bytes:
    """An encoder that takes the first two bytes of a picture for a direction."""

    identity, dim = "bytes", 2

    def encode_jpegs(self, jpegs: Sequence[bytes]) -> NDArray[np.float32]:
        given = np.array([[jpeg[0], jpeg[1]] for jpeg in jpegs], np.float32)
        return given / np.linalg.norm(given, axis=1, keepdims=True)


def title(name: str, shots: Sequence[Sequence[bytes]]) -> TitleFeatures:
    numbers = range(len(shots))
    ranges = {"shot_no": numbers, "start_ms": [100 * n for n in numbers], "end_ms": [100 * n + 100 for n in numbers]}
    kept = [(number, jpeg) for number, jpegs in enumerate(shots) for jpeg in jpegs]
    return TitleFeatures(
        name,
        {
            "shots": pl.DataFrame(ranges, schema={"shot_no": pl.Int32, "start_ms": pl.Int64, "end_ms": pl.Int64}),
            "frames": pl.DataFrame(kept, schema={"shot_no": pl.Int32, "jpeg": pl.Binary}, orient="row"),
        },
    )


def vectors(*titles: TitleFeatures) -> list[list[list[float]]]:
    batch = Batch(titles, Parameters(), Bytes())  # type: ignore[arg-type]
    return [conform(Visual(), frame, 2)["vector"].to_list() for frame in Visual().run(batch)]


def test_a_shot_is_the_unit_mean_of_its_frames() -> None:
    film = title("film", [[bytes((1, 0)), bytes((0, 1))], [bytes((3, 0))]])
    assert np.allclose(vectors(film)[0], [[0.5**0.5, 0.5**0.5], [1, 0]], atol=1e-3)


def test_titles_of_a_batch_do_not_mix_and_keep_their_order() -> None:
    one, none, two = title("one", [[bytes((1, 0))]]), title("none", []), title("two", [[bytes((0, 1))]])
    assert vectors(one, none, two) == [[[1, 0]], [], [[0, 1]]]
    assert vectors(none) == [[]]


def test_a_shot_without_frames_has_no_vector_and_keeps_the_others_in_place() -> None:
    film = title("film", [[bytes((1, 0))], [], [bytes((0, 1))]])
    (frame,) = Visual().run(Batch((film,), Parameters(), Bytes()))  # type: ignore[arg-type]
    assert frame.select("shot_no", "start_ms").rows() == [(0, 0), (2, 200)]
