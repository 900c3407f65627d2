"""Tables of titles' rows: replacing titles in one commit, the indexes over them, and what Lance must do for that.

The second half states the behaviour of Lance on which the publishing rests; it is to hold for every version taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import lance
import numpy as np
import polars as pl
import pytest
from lance.query import PhraseQuery

from mediaflow.errors import SystemFault
from mediaflow.storage import layout
from mediaflow.storage.objects import FolderStore
from mediaflow.storage.tables import BASE, BATCH, EPOCH, FENCE, CommitRefused, Holding, Table, create

CUES = {"start_ms": pl.Int64, "text": pl.String}
DIM = 8


@pytest.fixture
def table(store: FolderStore) -> Table:
    return Table(store, "cues", CUES, text="text")


def lines(no: int, revision: str, *texts: str) -> pl.DataFrame:
    """Return rows of one title."""
    rows = {"title_no": [no] * len(texts), "revision": [revision] * len(texts), "start_ms": range(len(texts))}
    kinds = {"title_no": pl.Int32, "revision": pl.String, "start_ms": pl.Int64, "text": pl.String}
    return pl.DataFrame({**rows, "text": list(texts)}, schema=kinds)


def put(table: Table, new: Mapping[int, pl.DataFrame], gone: Sequence[int] = (), epoch: int = 1) -> lance.LanceDataset:
    """Replace titles in the newest version, all in one fragment, as the committer does."""
    base = table.open()
    written = table.write(base, pl.concat(new.values())) if new else []
    return table.replace(base, [*new, *gone], written, {EPOCH: str(epoch), BATCH: "b", BASE: str(base.version)})


def filled(table: Table, titles: int = 6) -> lance.LanceDataset:
    """Fill a table one title a commit, then compact it, so that its titles share one fragment, and index it."""
    for no in range(titles):
        put(table, {no: lines(no, f"r{no}", f"we sail north of {no}", "the tide is high", "good night")})
    dataset = table.open()
    dataset.optimize.compact_files(target_rows_per_fragment=1_000)
    return table.tend(table.open())


def rows(dataset: lance.LanceDataset, **scan: Any) -> list[tuple[int, str, str]]:
    """Return (title_no, revision, text) of all rows or of those that a scan finds, in order."""
    found = pl.from_arrow(dataset.scanner(columns=["title_no", "revision", "text"], **scan).to_table())
    assert isinstance(found, pl.DataFrame)
    return sorted(found.select("title_no", "revision", "text").rows())


def phrase(dataset: lance.LanceDataset, text: str) -> set[int]:
    return {no for no, _, _ in rows(dataset, full_text_query=PhraseQuery(text, "text"))}


def test_a_new_table_is_empty_and_has_its_columns(table: Table) -> None:
    assert table.open().schema.names == ["title_no", "revision", "start_ms", "text"]
    assert table.holdings(table.open()) == {}
    assert table.epoch(table.open()) == 0


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
    assert table.epoch(dataset) == 4


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
    dataset = table.replace(base, [], table.write(base, frame), {})
    dataset = table.replace(dataset, [3], [], {})
    found = dataset.to_table(nearest={"column": "vector", "q": given[7].astype(np.float32), "k": 1})
    assert found["title_no"].to_pylist() == [7]
    stored = pl.from_arrow(dataset.to_table(columns=["vector"]))
    assert isinstance(stored, pl.DataFrame)
    assert np.array_equal(stored["vector"].to_numpy(), np.delete(given, 3, axis=0))


def test_rows_that_do_not_fit_are_a_sentence(table: Table) -> None:
    with pytest.raises(SystemFault, match="do not fit") as caught:
        table.write(table.open(), lines(1, "r", "x").drop("text"))
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


# What Lance must do


def commit(
    base: lance.LanceDataset,
    *,
    removed: Sequence[int] = (FENCE,),
    new: Sequence[Any] = (),
    max_retries: int = 20,
    **properties: str,
) -> lance.LanceDataset:
    operation = lance.LanceOperation.Update(
        removed_fragment_ids=list(removed), updated_fragments=[], new_fragments=list(new)
    )
    transaction = lance.Transaction(base.version, operation, transaction_properties=properties)
    return lance.LanceDataset.commit(base, transaction, max_retries=max_retries)


def insert(table: Table, base: lance.LanceDataset, no: int) -> list[Any]:
    return table.write(base, lines(no, "r", "one", "two"))


@pytest.mark.parametrize("max_retries", [0, 20])
def test_of_two_fenced_updates_on_one_base_the_second_is_refused(table: Table, max_retries: int) -> None:
    base, same = table.open(), table.open()
    mine, theirs = insert(table, base, 1), insert(table, same, 1)
    commit(base, new=mine)
    with pytest.raises(Exception, match="onflict"):
        commit(same, new=theirs, max_retries=max_retries)
    assert table.open().count_rows() == 2


def test_without_the_fence_both_land_and_rows_are_doubled(table: Table) -> None:
    base, same = table.open(), table.open()
    mine, theirs = insert(table, base, 1), insert(table, same, 1)
    commit(base, removed=(), new=mine)
    commit(same, removed=(), new=theirs)
    assert table.open().count_rows() == 4


def test_a_stale_update_is_refused_after_cleanup_as_long_as_a_later_fenced_one_remains(table: Table) -> None:
    base = table.open()
    late = insert(table, base, 1)
    put(table, {1: lines(1, "r", "one", "two")})
    put(table, {})
    newest = table.open()
    newest.cleanup_old_versions(versions=[version["version"] for version in newest.versions()[1:-1]])
    with pytest.raises(Exception, match="onflict"):
        commit(base, new=late)
    assert table.open().count_rows() == 2


def test_an_index_made_meanwhile_lets_a_fenced_update_pass(table: Table) -> None:
    filled(table)
    base = table.open()
    new = insert(table, base, 8)
    table.open().create_scalar_index("start_ms", "BTREE")
    after = commit(base, new=new)
    assert len(rows(after, filter="title_no = 8")) == 2
    assert len(rows(after, filter="start_ms = 0")) == 7


def test_a_compaction_meanwhile_refuses_an_update_of_its_fragments(table: Table) -> None:
    for no in range(3):
        put(table, {no: lines(no, "r", "one")})
    base = table.open()
    new = insert(table, base, 1)
    table.open().optimize.compact_files(target_rows_per_fragment=1_000)
    with pytest.raises(CommitRefused) as caught:
        table.replace(base, [1], new, {})
    assert caught.value.fields["table"] == "cues"
    assert table.open().count_rows() == 3


def test_the_fence_harms_neither_rows_nor_indexes_among_many_fragments(table: Table) -> None:
    for no in range(60):
        put(table, {no: lines(no, f"r{no}", f"line {no}")})
    dataset = table.tend(table.open())
    for _ in range(3):
        dataset = commit(dataset)
    assert len(dataset.get_fragments()) == 60
    assert rows(dataset) == sorted((no, f"r{no}", f"line {no}") for no in range(60))
    assert rows(dataset, filter="title_no = 33") == [(33, "r33", "line 33")]
    assert phrase(dataset, "line 33") == {33}


def test_properties_come_back_by_version_also_after_a_rebase_and_a_cleanup(table: Table) -> None:
    put(table, {1: lines(1, "r", "one")}, epoch=3)
    table.tend(table.open())
    base = table.open()
    new = insert(table, base, 2)
    table.open().create_scalar_index("start_ms", "BTREE")
    after = commit(base, new=new, **{EPOCH: "5", BASE: str(base.version)})
    assert table.epoch(after) == 5
    said = after.read_transaction(after.version)
    assert said.transaction_properties[BASE] == str(base.version)
    assert said.read_version != base.version, "Lance rewrites it; only our own property says what was planned on"
    after = table.tend(after)
    kept = after.version
    after.cleanup_old_versions(versions=[one["version"] for one in after.versions() if one["version"] < kept - 1])
    assert table.epoch(table.open()) == 5


def test_the_uuid_of_a_transaction_protects_nothing(table: Table) -> None:
    base = table.open()
    operation = lance.LanceOperation.Update(
        removed_fragment_ids=[], updated_fragments=[], new_fragments=insert(table, base, 1)
    )
    transaction = lance.Transaction(base.version, operation)
    lance.LanceDataset.commit(base, transaction)
    lance.LanceDataset.commit(base, transaction)
    assert table.open().count_rows() == 4


def test_a_stale_update_over_a_restore_is_refused(table: Table) -> None:
    put(table, {1: lines(1, "r", "one")})
    base = table.open()
    late = insert(table, base, 2)
    older = table.open(base.version - 1)
    older.restore()
    with pytest.raises(Exception, match=r"onflict|ncompatible"):
        commit(base, new=late)


def test_a_tag_needs_its_version_and_keeps_it_through_a_cleanup(table: Table) -> None:
    tagged = put(table, {1: lines(1, "r", "one")})
    with pytest.raises(Exception, match=r"does not exist|not found"):
        tagged.tags.create("s-none", 99)
    tagged.tags.create("s-1", tagged.version)
    with pytest.raises(Exception, match=r"already exists|conflict"):
        tagged.tags.create("s-1", tagged.version)
    put(table, {1: lines(1, "r2", "two")})
    newest = put(table, {1: lines(1, "r3", "three")})
    old = [one["version"] for one in newest.versions() if one["version"] < newest.version]
    newest.cleanup_old_versions(versions=[v for v in old if v != tagged.version])
    assert rows(table.open("s-1")) == [(1, "r", "one")]
    assert [one["version"] for one in table.open().versions()] == [tagged.version, newest.version]


def test_files_named_by_a_version_are_found_in_one_listing(store: FolderStore, table: Table) -> None:
    dataset = filled(table)
    there = {Path(info.key).name for info in store.list(f"{layout.table('cues')}/data/")}
    named = {file.path for fragment in dataset.get_fragments() for file in fragment.metadata.files}
    assert named and named <= there
