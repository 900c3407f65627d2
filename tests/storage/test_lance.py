"""What Lance must do for the publishing: to hold for every version that is taken.

The numbers are those of the list in the publishing protocol.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

import lance
import pytest
from lance.optimize import Compaction, CompactionOptions

from mediaflow.errors import SystemFault
from mediaflow.storage import commits, layout
from mediaflow.storage.commits import BASE, EPOCH, CommitRefused
from mediaflow.storage.objects import FolderStore
from mediaflow.storage.tables import Table
from tests.storage.cues import CUES, commit, filled, insert, lines, phrase, put, rows


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


def test_a_compaction_of_other_fragments_lets_a_fenced_update_pass(table: Table) -> None:
    for no in range(3):
        put(table, {no: lines(no, "r", "one")})
    base = table.open()
    new = insert(table, base, 8)
    table.open().optimize.compact_files(target_rows_per_fragment=1_000)
    operations = [type(table.open().read_transaction(v).operation).__name__ for v in range(base.version + 1, 7)]
    assert operations == ["BaseOperation", "Rewrite"], "ids are reserved, then fragments are rewritten"
    after = commit(base, new=new)
    assert (after.count_rows(), len(after.get_fragments())) == (5, 2)


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
    assert commits.epoch(after, table.name) == 5
    said = after.read_transaction(after.version)
    assert said.transaction_properties[BASE] == str(base.version)
    assert said.read_version != base.version, "Lance rewrites it; only our own property says what was planned on"
    updated = after.version
    after = table.tend(after)
    assert after.version > updated
    after.cleanup_old_versions(versions=[one["version"] for one in after.versions() if one["version"] < updated])
    assert commits.epoch(table.open(), table.name) == 5
    after.cleanup_old_versions(versions=[updated])
    with pytest.raises(SystemFault, match="no later one says who wrote it"):
        commits.epoch(table.open(), table.name)


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


def compacted(base: lance.LanceDataset) -> Callable[[], Any]:
    """Work out a compaction on a version; what is returned commits it."""
    plan = Compaction.plan(base, CompactionOptions(target_rows_per_fragment=1_000))
    done = [task.execute(base) for task in plan.tasks]
    assert done
    return lambda: Compaction.commit(base, done)


@pytest.mark.parametrize("indexed", [False, True])
def test_a_late_compaction_lands_over_a_seal_and_rows_are_as_they_were(table: Table, indexed: bool) -> None:
    for no in range(3):
        put(table, {no: lines(no, f"r{no}", "the tide is high")})
    base = table.tend(table.open()) if indexed else table.open()
    before = rows(base)
    late = compacted(base)
    commit(base, **{EPOCH: "7"})
    late()
    after = table.open()
    assert len(after.get_fragments()) == 1
    assert rows(after) == before
    assert rows(after, filter="title_no = 1") == [(1, "r1", "the tide is high")]
    assert commits.epoch(after, table.name) == 7
    if indexed:
        assert phrase(after, "tide is high") == {0, 1, 2}


def test_a_late_compaction_is_refused_when_a_fragment_of_it_is_gone(table: Table) -> None:
    for no in range(3):
        put(table, {no: lines(no, "r", "one")})
    late = compacted(table.open())
    put(table, {1: lines(1, "new", "two")})
    with pytest.raises(Exception, match="onflict"):
        late()
    assert rows(table.open()) == [(0, "r", "one"), (1, "new", "two"), (2, "r", "one")]


def test_a_late_compaction_is_refused_when_rows_of_a_fragment_of_it_are_deleted(table: Table) -> None:
    put(table, {4: lines(4, "r", "four"), 5: lines(5, "r", "five")})
    put(table, {7: lines(7, "r", "one")})
    late = compacted(table.open())
    kept = put(table, {}, gone=[4])
    assert [fragment.num_deletions for fragment in kept.get_fragments()] == [1, 0], "taken out of a larger fragment"
    with pytest.raises(Exception, match="onflict"):
        late()
    assert rows(table.open()) == rows(kept)


def test_a_compaction_that_lands_after_appends_puts_old_rows_behind_new_ones(table: Table) -> None:
    for no in range(3):
        put(table, {no: lines(no, "r", "one")})
    late = compacted(table.open())
    put(table, {3: lines(3, "r", "one")})
    late()
    # Where the order of rows says which is newest, as in the ledger, nothing may be compacted while others append.
    assert table.open().to_table()["title_no"].to_pylist() == [3, 0, 1, 2]


def test_a_compaction_that_rewrote_an_index_cannot_be_read_back(table: Table) -> None:
    put(table, {1: lines(1, "r", "one")})
    base = table.tend(put(table, {2: lines(2, "r", "two")})).version
    table.open().optimize.compact_files(target_rows_per_fragment=1_000)
    after = table.open()
    # Where this does not hold any more, `Table.batches` can pass over compactions.
    with pytest.raises(TypeError, match="RewrittenIndex"):
        after.read_transaction(after.version)
    assert commits.batches(after, base) is None
    assert commits.epoch(after, table.name) == 1


def test_a_cleanup_takes_fragments_older_than_a_week_that_no_version_names_and_a_late_commit_does_not_notice(
    store: FolderStore, table: Table
) -> None:
    put(table, {1: lines(1, "r", "one")})
    base = put(table, {1: lines(1, "r2", "one")})
    new = insert(table, base, 2)
    (file,) = [store.root / layout.table("cues") / "data" / one.path for fragment in new for one in fragment.files]
    aged_s = time.time() - 8 * 86_400
    os.utime(file, (aged_s, aged_s))
    base.cleanup_old_versions(versions=[1], delete_unverified=False)
    assert not file.exists()
    after = table.replace(base, [], new, {})
    assert after.count_rows() == 3, "counted from what the version says of itself"
    with pytest.raises(Exception, match=r"[Nn]ot found"):
        rows(after)
    with pytest.raises(SystemFault, match="1 of 1"):
        table.verify(table.changed(after, base)[0], 2)


def test_a_cleanup_leaves_younger_fragments_that_no_version_names(table: Table) -> None:
    put(table, {1: lines(1, "r", "one")})
    base = put(table, {1: lines(1, "r2", "one")})
    new = insert(table, base, 2)
    base.cleanup_old_versions(versions=[1])
    assert len(rows(table.replace(base, [], new, {}))) == 3


def test_a_commit_under_a_lock_is_look_then_put_and_loses_rows(store: FolderStore) -> None:
    def rows_of_two(name: str) -> int:
        table = Table(store, name, CUES)
        base = table.open()
        new = [insert(table, base, 1), insert(table, base, 2)]
        together, turns = Barrier(2), []

        @contextmanager
        def lock(version: int) -> Iterator[None]:
            turns.append(version)
            if len(turns) <= 2:
                together.wait(30)
            yield

        def append(fragments: list[Any]) -> None:
            operation = lance.LanceOperation.Append(fragments)
            lance.LanceDataset.commit(base.uri, operation, read_version=base.version, commit_lock=lock)

        with ThreadPoolExecutor(2) as threads:
            list(threads.map(append, new))
        return table.open().count_rows()

    found = (rows_of_two(f"t{turn}") for turn in range(50))
    assert 2 in found, "of two that appended two rows each, both are told that they did"


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
