"""Upkeep of tables: done when it is due and not before, and no answer changes by it."""

from __future__ import annotations

from typing import Any

import lance
import numpy as np
import polars as pl
import pytest

from mediaflow.search.searchers.vector import VectorSearcher
from mediaflow.storage.objects import FolderStore
from mediaflow.storage.tables import Holding, Table
from mediaflow.storage.upkeep import Upkeep
from tests.storage.cues import CUES, lines, phrase, put, rows

DIM, TITLES, PER_TITLE = 64, 60, 50
NEVER = Upkeep(fragments=10_000, deleted_share=1.0, unindexed_share=1.0, vector_rows=10**9)
ALWAYS = Upkeep(fragments=0, deleted_share=0.0, unindexed_share=0.0, vector_rows=256)


def said(table: Table) -> dict[str, Any]:
    """Return what a table of lines answers: all of it, one title, a phrase, a word."""
    dataset = table.open()
    return {
        "all": rows(dataset),
        "one": rows(dataset, filter="title_no = 3"),
        "phrase": phrase(dataset, "we sail north"),
        "word": [row[:2] for row in rows(dataset, full_text_query="high")],
    }


def worn(table: Table) -> None:
    """Fill a table title by title, index it, then change some of its titles."""
    for no in range(8):
        put(table, {no: lines(no, f"r{no}", f"we sail north of {no}", "the tide is high")})
    table.tend(table.open(), NEVER)
    for no in (2, 5, 3):
        put(table, {no: lines(no, "new", "north we sail", "the tide is high")}, gone=[7])


def test_compaction_and_indexes_change_no_answer(table: Table) -> None:
    worn(table)
    before, fragments = said(table), len(table.open().get_fragments())
    assert before["phrase"] == {0, 1, 4, 6}
    for turn in range(3):
        table.tend(table.open(), ALWAYS)
        assert said(table) == before
        assert len(table.open().get_fragments()) < fragments, turn
        put(table, {9: lines(9, "r", "high and dry")})
        put(table, {}, gone=[9])
    put(table, {3: lines(3, "newest", "we sail north")})
    assert said(table)["phrase"] == {0, 1, 3, 4, 6}, "out of a fragment that several titles share"
    assert said(table)["one"] == [(3, "newest", "we sail north")]


def test_what_is_not_due_is_not_done(table: Table) -> None:
    worn(table)
    before = table.open()
    assert table.tend(table.open(), Upkeep(unindexed_share=1.0)).version == before.version
    assert table.tend(table.open(), Upkeep(unindexed_share=0.99, fragments=7)).version == before.version


def test_many_small_fragments_are_merged_and_large_ones_are_left(table: Table) -> None:
    for no in range(5):
        put(table, {no: lines(no, "r", "one")})
    assert len(table.tend(table.open(), Upkeep(fragments=5)).get_fragments()) == 5
    put(table, {5: lines(5, "r", "one")})
    assert len(table.tend(table.open(), Upkeep(fragments=5)).get_fragments()) == 1
    assert rows(table.open()) == [(no, "r", "one") for no in range(6)]


def test_a_small_table_without_an_index_of_words_or_vectors_is_compacted_sooner(
    store: FolderStore, table: Table
) -> None:
    plain = Table(store, "plain", {name: kind for name, kind in CUES.items() if name != "text"})
    due = Upkeep(fragments=15)
    for no in range(4):
        if no == 3:
            assert [len(one.tend(one.open(), due).get_fragments()) for one in (plain, table)] == [3, 3]
        base = plain.open()
        plain.replace(base, [no], plain.write(base, [lines(no, "r", "one").drop("text")]), {})
        put(table, {no: lines(no, "r", "one")})
    assert [len(one.tend(one.open(), due).get_fragments()) for one in (plain, table)] == [1, 4]
    assert rows(table.open()) == [(no, "r", "one") for no in range(4)]
    assert plain.holdings(plain.open()) == {no: Holding(("r",), 1) for no in range(4)}


@pytest.mark.parametrize(("gone", "fragments"), [(12, 0), (10, 1)])
def test_a_table_of_which_much_is_deleted_is_compacted(table: Table, gone: int, fragments: int) -> None:
    put(table, {no: lines(no, "r", *["one"] * 100) for no in range(40)})
    table.tend(put(table, {}, gone=range(gone)), Upkeep(deleted_share=0.25))
    left = [fragment for fragment in table.open().get_fragments() if fragment.num_deletions]
    assert len(left) == fragments
    assert table.open().count_rows() == (40 - gone) * 100


@pytest.fixture
def vectors(store: FolderStore) -> Table:
    """A table of vectors with neighbourhoods of ten, as the shots of a scene are; a title a fragment."""
    table = Table(store, "vectors", {**_RANGE, "vector": pl.Array(pl.Float16, DIM)})
    for no in range(TITLES):
        put(table, {no: _vectors(no, seed=no)})
    return table


_RANGE = {"start_ms": pl.Int64, "end_ms": pl.Int64}


def _vectors(no: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    drawn = np.repeat(random.normal(size=(PER_TITLE // 10, DIM)), 10, axis=0)
    drawn += 0.4 * random.normal(size=drawn.shape)
    unit = (drawn / np.linalg.norm(drawn, axis=1, keepdims=True)).astype(np.float16)
    at = range(no * PER_TITLE, (no + 1) * PER_TITLE)
    rows = {"start_ms": at, "end_ms": range(at.start + 1, at.stop + 1)}
    keys = [pl.lit(no, pl.Int32).alias("title_no"), pl.lit(f"s{seed}").alias("revision")]
    return pl.DataFrame(rows, schema=_RANGE).with_columns(*keys, pl.Series("vector", unit, pl.Array(pl.Float16, DIM)))


def nearest(dataset: lance.LanceDataset, exact_rows: int, condition: str | None = None) -> list[list[int]]:
    """Return the ten rows nearest to each of some of a table's own vectors."""
    asked = dataset.to_table(columns=["vector"], limit=1000)["vector"].to_pylist()[::40]
    found = [VectorSearcher(np.asarray(one, np.float32), exact_rows).search(dataset, condition, 10) for one in asked]
    return [one["start_ms"].to_list() for one in found]


def indexed(dataset: lance.LanceDataset) -> int | None:
    """Return how many vectors are in the index, None where there is none."""
    return next((one.num_rows_indexed for one in dataset.describe_indices() if one.field_names == ["vector"]), None)


def test_few_vectors_have_no_index_and_many_have_one_that_is_kept_up(vectors: Table) -> None:
    rows = TITLES * PER_TITLE
    assert indexed(vectors.tend(vectors.open(), Upkeep(vector_rows=rows + 1))) is None
    due = Upkeep(vector_rows=rows, unindexed_share=0.1)
    assert indexed(vectors.tend(vectors.open(), due)) == rows
    put(vectors, {no: _vectors(no, seed=100 + no) for no in range(3)})
    assert indexed(vectors.tend(vectors.open(), due)) == rows - 3 * PER_TITLE
    put(vectors, {no: _vectors(no, seed=100 + no) for no in range(3, 9)})
    assert indexed(vectors.tend(vectors.open(), due)) == rows
    (index,) = [one for one in vectors.open().describe_indices() if one.field_names == ["vector"]]
    assert index.index_type == "IVF_RQ"


def test_a_vector_index_that_is_kept_up_stays_one_part(vectors: Table) -> None:
    due = Upkeep(vector_rows=256, unindexed_share=0.0)
    parts = set()
    for turn in range(5):
        put(vectors, {turn: _vectors(turn, seed=200 + turn)})
        dataset = vectors.tend(vectors.open(), due)
        (index,) = [one for one in dataset.describe_indices() if one.field_names == ["vector"]]
        parts.add(len(index.segments))
        assert indexed(dataset) == dataset.count_rows()
    assert parts == {1}


def test_compaction_and_the_vector_index_change_answers_by_recall_alone(vectors: Table) -> None:
    exact = nearest(vectors.open(), exact_rows=10**9)
    narrow = nearest(vectors.open(), exact_rows=10**9, condition="title_no < 30")
    for _ in range(2):
        dataset = vectors.tend(vectors.open(), ALWAYS)
        assert len(dataset.get_fragments()) < TITLES
        assert nearest(dataset, exact_rows=10**9) == exact, "without the index: the very same"
        for condition, right in ((None, exact), ("title_no < 30", narrow)):
            found = nearest(dataset, exact_rows=0, condition=condition)
            shared = sum(len(set(one) & set(other)) for one, other in zip(found, right, strict=True))
            assert shared >= 0.95 * 10 * len(right), condition
        put(vectors, {TITLES + 1: _vectors(TITLES + 1, seed=1)})
        put(vectors, {}, gone=[TITLES + 1])
