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


def _pieces(store: FolderStore) -> list[artifacts.Piece]:
    return [artifacts.Piece("film", "r1", write(store), len(SHOTS)) for _ in range(3)]


def test_artifacts_that_are_read_at_once_come_one_after_the_other(store: FolderStore) -> None:
    shots = [SHOTS.with_columns(end_ms=pl.lit(no, pl.Int64)).head(no) for no in range(3)]
    attempts = [artifacts.write(store, "frames", f"film-{no}", "r1", {"shots": one}) for no, one in enumerate(shots)]
    pieces = [artifacts.Piece(f"film-{no}", "r1", attempt, no) for no, attempt in enumerate(attempts)]
    assert_frame_equal(artifacts.read_all(store, "frames", "shots", pieces), pl.concat(shots))
    assert_frame_equal(artifacts.read_all(store, "frames", "shots", pieces[2:]), shots[2])


@pytest.mark.parametrize("at", range(3))
def test_one_of_many_that_has_other_rows_than_were_written_down_is_named(store: FolderStore, at: int) -> None:
    pieces = _pieces(store)
    other = artifacts.write(store, "frames", "film", "r2", {"shots": SHOTS.head(1)})
    pieces[at] = artifacts.Piece("film", "r2", other, len(SHOTS))
    with pytest.raises(SystemFault, match="has 1 rows, the ledger says 2") as caught:
        artifacts.read_all(store, "frames", "shots", pieces)
    assert caught.value.fields["key"] == f"artifacts/frames/film/r2/{other}.shots.parquet"


@pytest.mark.parametrize("alone", [False, True])
def test_one_of_many_that_is_damaged_or_gone_is_named(store: FolderStore, alone: bool) -> None:
    pieces = _pieces(store)
    key = f"artifacts/frames/film/r1/{pieces[1].attempt}.shots.parquet"
    store.put(key, store.get(key)[:20])
    pieces = pieces[1:2] if alone else pieces
    with pytest.raises(SystemFault, match="is damaged") as caught:
        artifacts.read_all(store, "frames", "shots", pieces)
    assert caught.value.fields["key"] == key
    store.delete(key)
    with pytest.raises(SystemFault, match="is gone") as caught:
        artifacts.read_all(store, "frames", "shots", pieces)
    assert caught.value.fields["key"] == key


def _vectors(rows: list[list[float | None] | None], size: int = 2) -> pl.DataFrame:
    return pl.DataFrame({"vector": rows}, schema={"vector": pl.Array(pl.Float32, size)})


@pytest.mark.parametrize("rows", [[[1.0, 0.0], [0.5, -2.0]], [[1.0, 0.0], None], [[1.0, None]], []])
def test_vectors_come_back_as_they_were(store: FolderStore, rows: list[list[float | None] | None]) -> None:
    frame = _vectors(rows)
    attempt = artifacts.write(store, "visual", "film", "r1", {"rows": frame})
    assert_frame_equal(artifacts.read(store, "visual", "film", "r1", attempt, "rows"), frame)
    several = [artifacts.Piece("film", "r1", attempt, len(rows))] * 2
    assert_frame_equal(artifacts.read_all(store, "visual", "rows", several), pl.concat([frame, frame]))


def test_titles_without_vectors_are_read_with_others(store: FolderStore) -> None:
    frames = [_vectors([]), _vectors([[1.0, 0.0]]), _vectors([[0.0, 1.0], None])]
    attempts = [artifacts.write(store, "visual", "film", "r1", {"rows": frame}) for frame in frames]
    pieces = [artifacts.Piece("film", "r1", one, len(frame)) for one, frame in zip(attempts, frames, strict=True)]
    assert_frame_equal(artifacts.read_all(store, "visual", "rows", pieces), pl.concat(frames))


def test_vectors_of_other_lengths_are_not_read_as_one(store: FolderStore) -> None:
    frames = [_vectors([[1.0, 0.0]]), _vectors([[1.0, 0.0, 0.0, 0.0]], 4)]
    attempts = [artifacts.write(store, "visual", "film", "r1", {"rows": frame}) for frame in frames]
    with pytest.raises(SystemFault, match="do not fit each other"):
        artifacts.read_all(store, "visual", "rows", [artifacts.Piece("film", "r1", one, 1) for one in attempts])
