"""What an algorithm may give for one title, and the sentence for everything else."""

from __future__ import annotations

from typing import Any, ClassVar

import polars as pl
import pytest

from mediaflow.algorithms.contract import Algorithm, Shape
from mediaflow.algorithms.shapes import WrongResult, columns, conform


class Faces(Algorithm):
    name, version, owner, inputs, shape = "faces", "1", "team:faces", ("frames",), Shape.BOXED_TEXT
    fields: ClassVar[dict[str, Any]] = {"age": pl.Int16, "tags": pl.List(pl.String)}


class Looks(Algorithm):
    name, version, owner, inputs, shape = "looks", "1", "team:looks", ("frames",), Shape.SHOT_VECTOR


class People(Algorithm):
    name, version, owner, inputs, shape, dim = "people", "1", "team:looks", ("frames",), Shape.FRAME_VECTOR, 2


class Ranges(Algorithm):
    name, version, owner, inputs, shape = "ranges", "1", "team:ranges", ("shots",), Shape.RANGE


FACE = {"start_ms": 0, "end_ms": 9, "text": "A", "confidence": 0.5, "x": 0.1, "y": 0.1, "w": 0.2, "h": 0.2}
FACES = pl.DataFrame([{**FACE, "age": 7, "tags": ["a"]}])


PERSON = pl.DataFrame([{"start_ms": 40, "end_ms": 40, "x": 0.2, "y": 0.0, "w": 0.8, "h": 1.0, "vector": [0.6, 0.8]}])


def looks(*vectors: list[float]) -> pl.DataFrame:
    rows = {"shot_no": range(len(vectors)), "start_ms": range(len(vectors)), "end_ms": range(1, len(vectors) + 1)}
    return pl.DataFrame({**rows, "vector": pl.Series(list(vectors), dtype=pl.Array(pl.Float32, 2))})


def test_a_result_comes_back_in_its_declared_columns_and_no_others() -> None:
    frame = conform(Faces(), FACES.with_columns(more=pl.lit(1)), None)
    assert dict(frame.schema) == dict(columns(Faces(), None))
    assert frame["age"].dtype == pl.Int16
    assert conform(Faces(), FACES.with_columns(age=None), None)["age"].to_list() == [None]


def test_vectors_are_kept_at_half_precision() -> None:
    assert conform(Looks(), looks([1, 0], [0.6, 0.8]), 2)["vector"].dtype == pl.Array(pl.Float16, 2)


def test_a_vector_in_a_box_of_an_instant_is_one() -> None:
    frame = conform(People(), PERSON, 2)
    assert dict(frame.schema) == dict(columns(People(), 2))
    assert frame["vector"].dtype == pl.Array(pl.Float16, 2)


@pytest.mark.parametrize("empty", [FACES.clear(), pl.DataFrame([]), pl.DataFrame({"start_ms": []}).drop("start_ms")])
def test_no_rows_are_no_rows(empty: pl.DataFrame) -> None:
    frame = conform(Faces(), empty, None)
    assert len(frame) == 0
    assert dict(frame.schema) == dict(columns(Faces(), None))


@pytest.mark.parametrize(
    ("algorithm", "result", "said"),
    [
        (Faces(), None, "gave a NoneType where a polars DataFrame was asked for"),
        (Faces(), FACES.lazy(), "gave a LazyFrame"),
        (Faces(), FACES.drop("x", "age"), "gave no column x, age"),
        (Faces(), FACES.with_columns(age=pl.lit("old")), "of another kind"),
        (Faces(), FACES.with_columns(age=pl.lit(70_000)), "of another kind"),
        (Faces(), FACES.with_columns(text=None), "1 rows whose text is empty"),
        (Faces(), FACES.with_columns(start_ms=None), "1 rows whose start_ms is empty"),
        (Faces(), FACES.with_columns(confidence=float("nan")), "1 rows whose confidence is empty"),
        (Faces(), FACES.with_columns(start_ms=10), "does not run forward"),
        (Ranges(), pl.DataFrame({"start_ms": [0], "end_ms": [1], "score": [None]}), "whose score is empty"),
        (Looks(), looks([1, 1]), "not of unit norm"),
        (People(), PERSON.with_columns(vector=pl.lit([1.0, 1.0])), "not of unit norm"),
        (People(), PERSON.with_columns(x=0.5), "1 boxes that reach out of the picture"),
        (People(), PERSON.with_columns(y=-0.1), "1 boxes that reach out of the picture"),
        (Faces(), FACES.with_columns(h=float("inf")), "1 boxes that reach out of the picture"),
        (People(), PERSON.drop("w"), "gave no column w"),
        (Looks(), looks([0, 0]), "not of unit norm"),
        (Looks(), looks([1, 0], [float("nan"), 0]), "not of unit norm"),
        (Looks(), looks([1, 0]).with_columns(vector=pl.lit(None, pl.Array(pl.Float32, 2))), "whose vector is empty"),
        (Looks(), looks([1, 0]).with_columns(vector=pl.lit([1.0, 0.0, 0.0])), "of another kind"),
    ],
)
def test_anything_else_is_a_sentence_with_the_algorithm_in_it(algorithm: Algorithm, result: Any, said: str) -> None:
    with pytest.raises(WrongResult, match=said) as caught:
        conform(algorithm, result, 2)
    assert caught.value.message.startswith(algorithm.name)
