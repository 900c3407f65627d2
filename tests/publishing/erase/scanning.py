"""Looks for bytes in all files of a workspace: as they lie there, and as Lance, Parquet and SQLite unpack them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import lance
import polars as pl
from lance.file import LanceFileReader


def find(root: Path, *markers: bytes) -> set[str]:
    """Return the files, and the tables at all their versions, in which any of the markers stands."""
    found = set()
    for name, data in (*_raw(root), *_parquet(root), *_tables(root), *_sqlite(root)):
        if any(marker in data for marker in markers):
            found.add(name)
    return found


def indexes_of_the_past(root: Path) -> set[str]:
    """Return the indexes of words or vectors that may hold what was deleted: made over fragments that are gone since.

    Such an index packs words bit by bit, so that they cannot be looked for.
    """
    found = set()
    for path in root.rglob("*.lance"):
        for one in lance.dataset(str(path)).version_refs() if (path / "_versions").is_dir() else ():
            dataset = lance.dataset(str(path), version=one["version"])
            there = {fragment.fragment_id for fragment in dataset.get_fragments()}
            for index in dataset.describe_indices():
                covered = {number for segment in index.segments for number in segment.fragment_ids}
                if index.index_type != "BTree" and covered - there:
                    found.add(f"{path.name} version {one['version']} {index.name}")
    return found


def words(dataset: lance.LanceDataset) -> int:
    """Return how many words the index of a text knows, those included that no row has any more."""
    (index,) = (one for one in dataset.describe_indices() if one.index_type == "Inverted")
    folders = [Path(dataset.uri, "_indices", str(segment.uuid)) for segment in index.segments]
    tokens = [LanceFileReader(str(file)) for folder in folders for file in folder.glob("part_*_tokens.lance")]
    return sum(int(number) for one in tokens for number in one.read_all().to_table()["_token_next_id"].to_pylist())


def unheld(root: Path) -> set[str]:
    """Return the files below indexes that no version of their table holds."""
    found = set()
    for path in root.rglob("*.lance"):
        if (path / "_versions").is_dir():
            batches = lance.dataset(str(path)).tracked_files()
            held = {name for batch in batches for name in batch["path"].to_pylist()}
            there = {file.relative_to(path).as_posix() for file in path.rglob("_indices/*/*") if file.is_file()}
            found |= {f"{path.name}/{name}" for name in there - held}
    return found


def _raw(root: Path) -> Iterator[tuple[str, bytes]]:
    for path in root.rglob("*"):
        name = path.relative_to(root).as_posix()
        yield name, name.encode()
        if path.is_file():
            yield name, path.read_bytes()


def _parquet(root: Path) -> Iterator[tuple[str, bytes]]:
    for path in root.rglob("*.parquet"):
        yield f"{path.relative_to(root)} (decoded)", _bytes(pl.read_parquet(path))


def _tables(root: Path) -> Iterator[tuple[str, bytes]]:
    """Give the rows of every version of every table, those included that are deleted and still in their fragments."""
    for path in root.rglob("*.lance"):
        if not (path / "_versions").is_dir():
            continue
        for one in lance.dataset(str(path)).version_refs():
            dataset = lance.dataset(str(path), version=one["version"])
            rows = dataset.scanner(include_deleted_rows=True, with_row_id=True).to_table()
            yield f"{path.relative_to(root)} version {one['version']}", _bytes(pl.DataFrame(pl.from_arrow(rows)))


def _sqlite(root: Path) -> Iterator[tuple[str, bytes]]:
    for path in root.rglob("*"):
        if path.is_file() and path.read_bytes()[:15] == b"SQLite format 3":
            connection = sqlite3.connect(path)
            yield f"{path.relative_to(root)} (rows)", "\n".join(connection.iterdump()).encode(errors="replace")
            connection.close()


def _bytes(frame: pl.DataFrame) -> bytes:
    """Return all values of a frame: texts as UTF-8, bytes as they are, numbers as they lie in memory."""
    parts = []
    for column in frame:
        if column.dtype == pl.Binary:
            parts += [value or b"" for value in column]
        elif column.dtype == pl.String:
            parts += [(value or "").encode() for value in column]
        elif isinstance(column.dtype, pl.Array | pl.List) and column.dtype.inner == pl.Float32:
            parts.append(column.explode().drop_nulls().to_numpy().tobytes())
        else:
            parts.append(str(column.to_list()).encode())
    return b"\0".join(parts)
