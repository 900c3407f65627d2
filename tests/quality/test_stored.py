"""Evaluations in the store: found again, with their snapshot gone, and without a title that is erased."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mediaflow.quality.evaluation import Evaluation, evaluate
from mediaflow.quality.questions import read
from mediaflow.quality.stored import forget, keep, orphans, stored
from mediaflow.snapshots.reader import SnapshotExpired
from mediaflow.storage import layout
from mediaflow.storage.objects import FolderStore
from tests.quality.club import NIGHT, SNAPSHOT, gateway, golden


@pytest.fixture
def evaluation(store: FolderStore, tmp_path: Path) -> Evaluation:
    """What a snapshot, whose manifest stands in the store, came to."""
    opened = gateway(store)
    store.put(layout.snapshot(SNAPSHOT), opened.reader.manifest.to_json())
    return evaluate(opened, read(golden(tmp_path)))


def test_what_is_kept_is_found_and_the_same_questions_once(store: FolderStore, evaluation: Evaluation) -> None:
    assert stored(store) == []
    keep(store, evaluation)
    assert stored(store) == [evaluation]
    later = dataclasses.replace(evaluation, at_ms=evaluation.at_ms + 1)
    keep(store, later)
    assert stored(store) == [later]
    other = dataclasses.replace(evaluation, digest="other")
    keep(store, other)
    assert sorted(one.digest for one in stored(store)) == sorted([evaluation.digest, "other"])


def test_of_a_snapshot_that_was_collected_meanwhile_nothing_is_kept(store: FolderStore, evaluation: Evaluation) -> None:
    store.delete(layout.snapshot(SNAPSHOT))
    with pytest.raises(SnapshotExpired, match="is not kept any more"):
        keep(store, evaluation)
    assert stored(store) == []


def test_those_of_snapshots_that_are_gone_or_going_are_orphans(store: FolderStore, evaluation: Evaluation) -> None:
    keep(store, evaluation)
    assert orphans(store, frozenset()) == []
    assert [info.key for info in orphans(store, frozenset({SNAPSHOT}))] == [
        layout.evaluation(SNAPSHOT, evaluation.digest)
    ]
    store.delete(layout.snapshot(SNAPSHOT))
    assert len(orphans(store, frozenset())) == 1


def test_a_title_is_forgotten_with_all_evaluations_that_name_it(store: FolderStore, evaluation: Evaluation) -> None:
    silent = dataclasses.replace(evaluation, digest="silent", questions=evaluation.questions[3:])
    keep(store, evaluation)
    keep(store, silent)
    forget(store, "nobody")
    assert len(stored(store)) == 2
    forget(store, NIGHT)
    assert stored(store) == [silent]
