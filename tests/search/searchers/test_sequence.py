"""Sequences of shots: the best alignment there is, by the definition; found by the index too, and under conditions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import lance
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from mediaflow.search.searchers.matches import MATCHES
from mediaflow.search.searchers.sequence import SequenceSearcher, align
from mediaflow.search.searchers.vector import EXACT_ROWS, VectorSearcher
from tests.conftest import examples

TITLES, SHOTS, DIM, SHOT_MS = 50, 40, 64, 1000


@pytest.fixture(scope="module")
def films() -> NDArray[np.float32]:
    """Vectors (title, shot, dim) of which those of a scene, three shots long, are alike."""
    random = np.random.default_rng(11)
    scenes = np.repeat(random.normal(size=(TITLES, SHOTS // 3 + 1, DIM)), 3, axis=1)[:, :SHOTS]
    return unit(scenes + 0.8 * random.normal(size=(TITLES, SHOTS, DIM)))


@pytest.fixture(scope="module")
def table(films: NDArray[np.float32], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The shots of all films, in no order, with an index of their vectors."""
    count = TITLES * SHOTS
    order = np.random.default_rng(12).permutation(count)
    at = np.arange(count) % SHOTS
    vectors = films.reshape(count, DIM)[order].astype(np.float16)
    rows = pa.table(
        {
            "title_no": pa.array((np.arange(count) // SHOTS)[order], pa.int32()),
            "shot_no": pa.array(at[order], pa.int32()),
            "start_ms": pa.array(at[order] * SHOT_MS, pa.int64()),
            "end_ms": pa.array((at[order] + 1) * SHOT_MS, pa.int64()),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIM),
        }
    )
    dataset = lance.write_dataset(rows, str(Path(tmp_path_factory.mktemp("shots")) / "t.lance"))
    dataset.create_scalar_index("title_no", "BTREE")
    yield dataset.create_index("vector", "IVF_RQ", metric="l2", num_partitions=8, num_bits=1)


def unit(vectors: NDArray[Any]) -> NDArray[np.float32]:
    normed: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)
    return normed


def seen(vectors: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Vectors of the same shots from a worse copy."""
    return unit(vectors + 0.08 * np.random.default_rng(seed).normal(size=vectors.shape))


def sequence(clip: NDArray[np.float32], exact_rows: int = EXACT_ROWS) -> SequenceSearcher:
    """Look for shots that are all equally long."""
    return SequenceSearcher(clip, np.ones(len(clip)), exact_rows)


def places(found: pl.DataFrame) -> list[tuple[int, int, int]]:
    return [
        (no, start // SHOT_MS, end // SHOT_MS)
        for no, start, end in found.select("title_no", "start_ms", "end_ms").rows()
    ]


def best(cosines: NDArray[Any], weights: NDArray[Any], at: Sequence[int], end: int) -> tuple[float, list[int]]:
    """Return by the definition the best sum of an alignment that ends at a place, and the places of its pairs."""
    sums = []
    for steps in product((0, 1, 2), repeat=len(cosines) - 1):
        path = end - np.concatenate([np.cumsum(steps[::-1], dtype=int)[::-1], [0]])
        if all(place in at for place in path):
            gains = [weights[nth] * max(float(cosines[nth, at.index(place)]), 0.0) for nth, place in enumerate(path)]
            sums.append((sum(gains), [int(place) for place, gain in zip(path, gains, strict=True) if gain > 0], gains))
    total, pairs, _ = max(sums, key=lambda one: one[0])
    return total, pairs


@examples(0.5)
@given(st.integers(0, 2**32 - 1), st.integers(2, 5), st.lists(st.sampled_from([1, 1, 1, 2, 3]), max_size=8))
def test_an_alignment_is_the_best_of_all_that_there_are(seed: int, length: int, gaps: list[int]) -> None:
    at = [0, *np.cumsum(gaps, dtype=int).tolist()]
    random = np.random.default_rng(seed)
    cosines = random.uniform(-0.5, 1, (length, len(at))).astype(np.float32)
    weights = random.uniform(0.1, 1, length).astype(np.float32)
    found = align(cosines, weights, np.array(at))
    for row, place in enumerate(at):
        total, pairs = best(cosines, weights, at, place)
        assert found.total[row] == pytest.approx(total, abs=1e-5)
        if pairs:
            assert (found.first[row], found.last[row]) == (at.index(pairs[0]), at.index(pairs[-1]))
            assert at[found.peak[row]] in pairs


@pytest.mark.parametrize("exact_rows", [TITLES * SHOTS, 0], ids=["exactly", "by the index"])
def test_a_sequence_finds_the_place_that_it_was_taken_from(
    table: Any, films: NDArray[np.float32], exact_rows: int
) -> None:
    asked = [(title, (7 * title) % 30, 2 + title % 8) for title in range(TITLES)]
    for title, start, length in asked:
        clip = seen(films[title, start : start + length], title)
        found = sequence(clip, max(exact_rows, 400)).search(table, None, 10)
        assert places(found)[0] == (title, start, start + length)
        pairs = np.einsum("nd,nd->n", clip, films[title, start : start + length])
        assert found["score"][0] == pytest.approx(pairs.mean(), abs=2e-3)
        peak = table.to_table(columns=["shot_no"], filter=f"_rowaddr = {found['row'][0]}")["shot_no"].to_pylist()
        assert peak == [start + int(pairs.argmax())]


@pytest.mark.parametrize("exact_rows", [TITLES * SHOTS, 400], ids=["exactly", "by the index"])
def test_a_sequence_whose_middle_lies_is_found_and_its_middle_is_not(
    table: Any, films: NDArray[np.float32], exact_rows: int
) -> None:
    for title in range(TITLES):
        other, start = (title + 1) % TITLES, title % 30
        clip = seen(films[title, start : start + 6], title)
        clip[2:4] = seen(films[other, 20:22], title)
        assert places(sequence(clip, exact_rows).search(table, None, 5))[0][0] == title
        assert VectorSearcher(clip[3]).search(table, None, 1)["title_no"][0] == other


def test_a_cut_found_in_one_and_not_in_the_other_costs_little(table: Any, films: NDArray[np.float32]) -> None:
    shots = films[17, 10:16]
    merged = unit(np.stack([shots[0], shots[1], shots[2] + shots[3], shots[4], shots[5]]))
    parted = shots[[0, 1, 2, 2, 3, 4, 5]]
    missed = np.delete(shots, 3, axis=0)
    for clip, least in ((merged, 0.9), (parted, 0.99), (missed, 0.99)):
        found = sequence(clip).search(table, None, 3)
        assert places(found)[0] == (17, 10, 16)
        assert found["score"][0] >= least
        assert found["score"][0] >= found["score"][1] + 0.2


def test_the_index_reads_all_that_an_alignment_may_have(table: Any, films: NDArray[np.float32]) -> None:
    for title in range(TITLES):
        clip = films[title, 10:17].copy()
        # Nothing like these is near: where they come in the title, only the others say.
        clip[[0, 1, 5, 6]] = unit(np.random.default_rng(title).normal(size=(4, DIM)))
        indexed, exact = (sequence(clip, rows).search(table, None, 1) for rows in (1_000, TITLES * SHOTS))
        assert indexed.equals(exact)


def test_long_shots_count_more(table: Any, films: NDArray[np.float32]) -> None:
    clip = np.stack([films[1, 4], films[2, 20], films[2, 21]])
    for lengths, title in (((1.0, 1.0, 1.0), 2), ((30.0, 1.0, 1.0), 1), ((0.1, 0.001, 0.001), 1)):
        assert SequenceSearcher(clip, np.array(lengths)).search(table, None, 1)["title_no"][0] == title


def test_the_order_counts(table: Any, films: NDArray[np.float32]) -> None:
    ahead = sequence(films[5, 3:9]).search(table, "title_no = 5", 1)["score"][0]
    back = sequence(films[5, 3:9][::-1].copy()).search(table, "title_no = 5", 1)["score"][0]
    assert ahead == pytest.approx(1, abs=2e-3)
    assert back < ahead - 0.2


def test_matches_of_a_title_do_not_overlap_and_come_best_first(table: Any, films: NDArray[np.float32]) -> None:
    found = sequence(films[3, 4:8]).search(table, None, None)
    assert dict(found.schema) == {name: kind() if isinstance(kind, type) else kind for name, kind in MATCHES.items()}
    assert found["score"].is_sorted(descending=True)
    assert found["title_no"].n_unique() == TITLES
    for title in range(TITLES):
        ranges = found.filter(title_no=title).sort("start_ms")
        assert (ranges["start_ms"][1:] >= ranges["end_ms"][:-1]).all()
    few = sequence(films[3, 4:8]).search(table, None, 7)
    assert few.equals(found.head(7))


@pytest.mark.parametrize("exact_rows", [TITLES * SHOTS, 0], ids=["exactly", "by the index"])
def test_only_what_fulfils_the_condition_is_matched(table: Any, films: NDArray[np.float32], exact_rows: int) -> None:
    clip = films[8, 10:14]
    without = "NOT (title_no = 8 AND shot_no >= 10 AND shot_no <= 13)"
    found = sequence(clip, max(exact_rows, 400)).search(table, without, 50)
    assert len(found)
    # What is left out parts what is before it from what is after it.
    assert all(no != 8 or last <= 10 or first >= 14 for no, first, last in places(found))
    narrow = sequence(clip, max(exact_rows, 60)).search(table, "title_no IN (2, 3)", 50)
    assert set(narrow["title_no"]) == {2, 3}
    assert sequence(clip, exact_rows).search(table, "title_no = 999", 5).is_empty()


def test_a_sequence_of_one_shot_is_a_shot(table: Any, films: NDArray[np.float32]) -> None:
    one = films[9, 4:5]
    assert (
        sequence(one)
        .search(table, "title_no < 20", 30)
        .equals(VectorSearcher(one[0]).search(table, "title_no < 20", 30))
    )
