"""Vector search: exact where few rows may answer, by the index where many may, always behind the filter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lance
import numpy as np
import pyarrow as pa
import pytest

from mediaflow.search.literals import among
from mediaflow.search.searchers.vector import EXACT_ROWS, VectorSearcher

ROWS, DIM = 3000, 128


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Neighbourhoods of ten, as the shots of a scene are."""
    random = np.random.default_rng(7)
    drawn = np.repeat(random.normal(size=(ROWS // 10, DIM)), 10, axis=0) + 0.5 * random.normal(size=(ROWS, DIM))
    unit: np.ndarray = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float32)
    return unit


@pytest.fixture(scope="module")
def table(vectors: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    rows = pa.table(
        {
            "title_no": pa.array(np.arange(ROWS) // 10, pa.int32()),
            "start_ms": pa.array(np.arange(ROWS), pa.int64()),
            "end_ms": pa.array(np.arange(ROWS) + 1, pa.int64()),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.astype(np.float16).ravel()), DIM),
        }
    )
    dataset = lance.write_dataset(rows, str(Path(tmp_path_factory.mktemp("vectors")) / "t.lance"))
    dataset.create_scalar_index("title_no", "BTREE")
    yield dataset.create_index("vector", "IVF_RQ", metric="l2", num_partitions=8, num_bits=1)


def test_the_nearest_come_first_with_their_cosine(table: Any, vectors: np.ndarray) -> None:
    cosines = vectors.astype(np.float16).astype(np.float32) @ vectors[17]
    found = VectorSearcher(vectors[17]).search(table, None, 20)
    assert found["start_ms"].to_list() == np.argsort(-cosines)[:20].tolist()
    assert found["score"].to_numpy() == pytest.approx(np.sort(cosines)[::-1][:20], abs=2e-3)


def test_a_filter_comes_before_the_nearest(table: Any, vectors: np.ndarray) -> None:
    found = VectorSearcher(vectors[17]).search(table, among("title_no", [200]), 20)
    cosines = vectors[2000:2010] @ vectors[17]
    assert found["start_ms"].to_list() == (2000 + np.argsort(-cosines)).tolist()


@pytest.mark.parametrize(
    ("exact_rows", "condition", "indexed"),
    [
        (EXACT_ROWS, None, False),
        (ROWS, None, False),
        (ROWS - 1, None, True),
        (99, "title_no < 10", True),
        (100, "title_no < 10", False),
    ],
)
def test_the_index_is_used_only_where_many_rows_may_answer(
    table: Any, vectors: np.ndarray, exact_rows: int, condition: str | None, indexed: bool
) -> None:
    plan = VectorSearcher(vectors[0], exact_rows).plan(table, condition, 10)
    explained = table.scanner(nearest=plan, filter=condition, prefilter=True, columns=["title_no"]).explain_plan()
    assert ("ANN" in explained) == indexed


def test_the_index_finds_what_exact_search_finds(table: Any, vectors: np.ndarray) -> None:
    shared = 0
    for at in range(0, 1000, 50):
        exact = VectorSearcher(vectors[at]).search(table, None, 10)["start_ms"].to_list()
        shared += len(set(exact) & set(VectorSearcher(vectors[at], 0).search(table, None, 10)["start_ms"].to_list()))
    assert shared >= 190


@pytest.mark.parametrize(
    ("condition", "limit", "probes", "refine"),
    [(None, 10, 20, 100), (None, 200, 20, 5), ("title_no < 150", 10, 20, 100), ("title_no < 10", 10, 147, 100)],
)
def test_the_fewer_rows_may_answer_the_more_partitions_are_looked_at(
    table: Any, vectors: np.ndarray, condition: str | None, limit: int, probes: int, refine: int
) -> None:
    plan = VectorSearcher(vectors[0], 0).plan(table, condition, limit)
    assert (plan["minimum_nprobes"], plan["refine_factor"]) == (probes, refine)


def test_of_no_rows_everything_is_nothing(table: Any, vectors: np.ndarray) -> None:
    assert not len(VectorSearcher(vectors[0], least=-1.0).search(table, "title_no = -1", None))
