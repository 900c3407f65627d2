"""Artifacts: parts that come back as they were, attempts that never share a file, and damage that is a sentence."""

from __future__ import annotations

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from mediaflow.errors import SystemFault
from mediaflow.storage import artifacts
from mediaflow.storage.objects import FolderStore

SHOTS = pl.DataFrame({"shot_no": [0, 1], "end_ms": [10, None]}, schema={"shot_no": pl.Int32, "end_ms": pl.Int64})
KEPT = pl.DataFrame(
    {"vector": [[1.0, 0.0]], "tags": [["a", "b"]]},
    schema={"vector": pl.Array(pl.Float16, 2), "tags": pl.List(pl.String)},
)


def write(store: FolderStore) -> str:
    return artifacts.write(store, "frames", "film", "r1", {"shots": SHOTS, "kept": KEPT})


def test_parts_come_back_as_they_were(store: FolderStore) -> None:
    attempt = write(store)
    assert_frame_equal(artifacts.read(store, "frames", "film", "r1", attempt, "shots"), SHOTS)
    assert_frame_equal(artifacts.read(store, "frames", "film", "r1", attempt, "kept"), KEPT)
    only = artifacts.read(store, "frames", "film", "r1", attempt, "shots", ["end_ms"])
    assert only.columns == ["end_ms"]


def test_each_attempt_has_its_own_files(store: FolderStore) -> None:
    first, second = write(store), write(store)
    assert first != second
    assert len(list(store.list("artifacts/frames/film/r1/"))) == 4


def test_damaged_bytes_are_a_fault_of_the_system_that_names_the_file(store: FolderStore) -> None:
    attempt = write(store)
    (damaged,) = [info.key for info in store.list("artifacts/") if info.key.endswith(".shots.parquet")]
    store.put(damaged, store.get(damaged)[:20])
    with pytest.raises(SystemFault, match="is damaged") as caught:
        artifacts.read(store, "frames", "film", "r1", attempt, "shots")
    assert caught.value.fields["key"] == damaged


def test_a_file_that_is_gone_is_a_fault_of_the_system_that_says_what_to_do(store: FolderStore) -> None:
    with pytest.raises(SystemFault, match="is gone") as caught:
        artifacts.read(store, "frames", "film", "r1", "x", "shots")
    assert caught.value.fields["key"] == "artifacts/frames/film/r1/x.shots.parquet"
