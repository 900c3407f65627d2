"""Tables of titles' rows: replacing titles in one commit, and the indexes over them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import polars as pl
import pytest

from mediaflow.errors import SystemFault
from mediaflow.storage import commits, layout
from mediaflow.storage.commits import CommitRefused
from mediaflow.storage.objects import FolderStore
from mediaflow.storage.tables import Holding, Table, create
from tests.storage.cues import CUES, DIM, filled, insert, lines, phrase, put, rows


def test_a_new_table_is_empty_and_has_its_columns(table: Table) -> None:
    assert table.open().schema.names == ["title_no", "revision", "start_ms", "text"]
    assert table.holdings(table.open()) == {}
    assert commits.epoch(table.open(), table.name) == 0


def at_once(do: Callable[[], Any], times: int = 6) -> list[Any]:
    """Do something in several threads that start together; return what each gave."""
    barrier = Barrier(times)

    def start() -> Any:
        barrier.wait()
        return do()

    with ThreadPoolExecutor(times) as threads:
        return [running.result() for running in [threads.submit(start) for _ in range(times)]]


def test_those_that_make_a_table_at_once_make_one(store: FolderStore) -> None:
    for number in range(5):
        versions = at_once(lambda name=f"t{number}": Table(store, name, CUES).open().version)  # type: ignore[misc]
        assert set(versions) == {1}


def test_a_table_that_cannot_be_made_is_a_sentence(store: FolderStore) -> None:
    store.put("tables", b"a file stands where the folder should be")
    with pytest.raises(SystemFault, match="could not be made"):
        Table(store, "cues", CUES).open()


def test_one_that_makes_a_table_late_harms_nothing(store: FolderStore, table: Table) -> None:
    kept = put(table, {1: lines(1, "r", "one")})
    create(store.uri(layout.table("cues")), kept.schema)
    assert rows(table.open()) == [(1, "r", "one")]
    assert table.open().version == kept.version


def test_those_that_make_indexes_at_once_make_one_of_each_or_are_refused(table: Table) -> None:
    put(table, {no: lines(no, "r", "one two") for no in range(3)})

    def tend() -> str:
        try:
            table.tend(table.open())
        except CommitRefused:
            return "refused"
        return "made"

    assert "made" in at_once(tend)
    assert sorted(index.field_names[0] for index in table.open().describe_indices()) == ["text", "title_no"]
    assert phrase(table.open(), "one two") == {0, 1, 2}


def test_a_version_says_what_it_holds_of_each_title(table: Table) -> None:
    put(table, {1: lines(1, "a", "one", "two"), 2: lines(2, "b", "three")})
    dataset = put(table, {3: lines(3, "c", "four")}, epoch=4)
    assert table.holdings(dataset) == {1: Holding(("a",), 2), 2: Holding(("b",), 1), 3: Holding(("c",), 1)}
    assert table.holdings(dataset, [2, 9]) == {2: Holding(("b",), 1)}
    assert table.holdings(dataset, []) == {}
    assert commits.epoch(dataset, table.name) == 4


@pytest.mark.parametrize("shared", [False, True], ids=["a fragment a title", "one fragment for all"])
def test_replaced_titles_lose_all_their_old_rows_and_no_other_does(table: Table, shared: bool) -> None:
    if shared:
        before = filled(table)
        assert len(before.get_fragments()) == 1
    else:
        for no in range(6):
            put(table, {no: lines(no, f"r{no}", f"we sail north of {no}", "the tide is high", "good night")})
        before = table.open()
    after = put(table, {2: lines(2, "new", "ashore"), 7: lines(7, "r7", "hello")}, gone=[4])
    expected = [row for row in rows(before) if row[0] not in (2, 4)] + [(2, "new", "ashore"), (7, "r7", "hello")]
    assert rows(after) == sorted(expected)
    assert after.count_rows() == len(expected)
    assert 4 in table.holdings(table.open(before.version)), "the older version stays as it was"


def test_a_fragment_whose_titles_all_go_goes_too(table: Table) -> None:
    filled(table)
    after = put(table, {}, gone=range(6))
    assert (after.count_rows(), len(after.get_fragments())) == (0, 0)
    assert table.tend(after).version == after.version, "there is nothing to index"


def test_of_two_that_put_the_same_title_on_one_base_the_second_is_refused(table: Table) -> None:
    base, same = table.open(), table.open()
    mine, theirs = insert(table, base, 1), insert(table, same, 1)
    table.replace(base, [1], mine, {})
    with pytest.raises(CommitRefused, match="on version 1 was refused"):
        table.replace(same, [1], theirs, {})
    assert table.open().count_rows() == 2


def test_the_text_index_finds_no_ghosts_and_phrases_exactly(table: Table) -> None:
    filled(table)
    for turn in range(5):
        put(table, {2: lines(2, f"turn{turn}", f"turn {turn}: north we sail", "the tide is low")}, gone=[4])
        dataset = table.tend(table.open())
        assert phrase(dataset, "we sail north") == {0, 1, 3, 5}
        assert phrase(dataset, "north we sail") == {2}
        assert rows(dataset, full_text_query="low") == [(2, f"turn{turn}", "the tide is low")]
        assert [row[0] for row in rows(dataset, full_text_query="high")] == [0, 1, 3, 5]
    dataset.optimize.compact_files(target_rows_per_fragment=1_000)
    compacted = table.open()
    assert phrase(compacted, "north we sail") == {2}
    assert [row[0] for row in rows(compacted, full_text_query="high")] == [0, 1, 3, 5]


def test_words_are_parted_at_apostrophes_and_hyphens(table: Table) -> None:
    put(table, {1: lines(1, "r", "C’est l’été là-bas", "To be, or not to be", "東京タワーへ")})
    dataset = table.tend(table.open())
    for asked in ("été", "là", "bas", "or not to be", "東京"):
        assert phrase(dataset, asked) == {1}, asked
    assert phrase(dataset, "be to") == set()


def test_the_index_of_titles_filters_also_what_came_after_it(table: Table) -> None:
    filled(table)
    put(table, {8: lines(8, "r8", "late")}, gone=[1])
    dataset = table.open()
    assert rows(dataset, filter="title_no = 8") == [(8, "r8", "late")]
    assert rows(dataset, filter="title_no = 1") == []
    assert len(rows(dataset, filter="title_no IN (0, 8)")) == 4
    assert "title_no" in {index.field_names[0] for index in dataset.describe_indices()}


def test_an_index_is_brought_up_to_date_when_it_lags_and_left_alone_otherwise(table: Table) -> None:
    whole = filled(table)
    assert table.tend(whole).version == whole.version
    put(table, {9: lines(9, "r9", *(["more"] * 10))})
    lagging = table.open().version
    tended = table.tend(table.open())
    assert tended.version > lagging
    assert {index.num_rows_indexed for index in tended.describe_indices()} == {tended.count_rows()}
    assert rows(tended) == rows(table.open(lagging))


def test_half_precision_vectors_come_back_and_are_searched(store: FolderStore) -> None:
    table = Table(store, "vectors", {"vector": pl.Array(pl.Float16, DIM)})
    given = np.random.default_rng(1).normal(size=(20, DIM)).astype(np.float16)
    frame = pl.DataFrame(
        {
            "title_no": pl.Series(range(20), dtype=pl.Int32),
            "revision": ["r"] * 20,
            "vector": pl.Series(given, dtype=pl.Array(pl.Float16, DIM)),
        }
    )
    base = table.open()
    dataset = table.replace(base, [], table.write(base, [frame]), {})
    dataset = table.replace(dataset, [3], [], {})
    found = dataset.to_table(nearest={"column": "vector", "q": given[7].astype(np.float32), "k": 1})
    assert found["title_no"].to_pylist() == [7]
    stored = pl.from_arrow(dataset.to_table(columns=["vector"]))
    assert isinstance(stored, pl.DataFrame)
    assert np.array_equal(stored["vector"].to_numpy(), np.delete(given, 3, axis=0))


def test_rows_that_do_not_fit_are_a_sentence(table: Table) -> None:
    with pytest.raises(SystemFault, match="do not fit") as caught:
        table.write(table.open(), [lines(1, "r", "x").drop("text")])
    assert caught.value.fields["table"] == "cues"


def test_a_version_or_tag_that_is_gone_is_a_sentence(table: Table) -> None:
    put(table, {1: lines(1, "r", "x")})
    for version in (99, "s-none"):
        with pytest.raises(SystemFault, match="is gone"):
            table.open(version)


def test_the_lancedb_client_opens_published_tables_at_a_version(store: FolderStore, table: Table) -> None:
    import lancedb

    first = filled(table)
    put(table, {2: lines(2, "new", "ashore")})
    opened = lancedb.connect(store.uri(layout.TABLES.rstrip("/"))).open_table("cues")
    assert opened.count_rows() == table.open().count_rows() == 16
    opened.checkout(first.version)
    assert opened.count_rows() == 18
    assert {row["title_no"] for row in opened.search("north", query_type="fts").limit(20).to_list()} == set(range(6))


@pytest.mark.parametrize("frames", [0, 1, 2, 40])
def test_rows_that_fail_to_come_fail_the_write_with_their_own_error(table: Table, frames: int) -> None:
    def rows() -> Iterator[pl.DataFrame]:
        for number in range(frames):
            yield lines(number, "r", "x")
        raise SystemFault("The artifact has gone.", key="a key")

    with pytest.raises(SystemFault, match=r"^The artifact has gone\.$") as caught:
        table.write(table.open(), rows())
    assert caught.value.fields["key"] == "a key"


def test_frames_that_come_one_by_one_are_written_in_order_as_one_fragment(table: Table) -> None:
    base = table.open()
    empty = lines(0, "r", "x").clear()
    frames = [empty, *(lines(number, "r", f"said {number}") for number in range(30)), empty]
    written = table.write(base, iter(frames))
    assert len(written) == 1
    found = table.replace(base, [], written, {}).to_table(columns=["title_no", "text"])
    assert found["title_no"].to_pylist() == list(range(30))
    assert found["text"].to_pylist() == [f"said {number}" for number in range(30)]
    assert table.write(base, [empty]) == table.write(base, []) == []
