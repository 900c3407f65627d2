"""What a snapshot says, row for row, and what the model's keys say that it must be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping
from typing import Any

import polars as pl

from mediaflow.snapshots.reader import SnapshotReader
from tests.proof.model import Key, Snapshot

# By stage: which columns of its table the model knows; a vector comes last.
COLUMNS = {
    "frames": ("shot_no", "start_ms", "end_ms"),
    "visual": ("shot_no", "start_ms", "vector"),
    "dialogue": ("start_ms", "text"),
    "loud": ("start_ms", "text"),
    "cuts": ("start_ms", "label"),
    "billing": ("label",),
}
_STARTS_MS = (100, 500)
# Vectors are kept at half precision, and batches of other sizes may differ in their last bits.
_NEAR = 4e-3

# By film: its shots as (shot_no, start_ms, end_ms). By film and model: a vector a shot.
Shots = Callable[[str], list[tuple[int, int, int]]]
Vectors = Callable[[str, str], list[list[float]]]


def frame(reader: SnapshotReader, table: str) -> pl.DataFrame:
    """Return all rows of a table, with the title's id."""
    ids = pl.DataFrame(pl.from_arrow(reader.table("titles").to_table(columns=["title_no", "title_id"])))
    rows = pl.DataFrame(pl.from_arrow(reader.table(table).to_table()))
    if "title_id" in rows.columns:
        rows = rows.drop("title_id")
    return ids.join(rows, on="title_no", how="right", maintain_order="right")


def tables(reader: SnapshotReader) -> dict[str, str]:
    """Return the tables of a snapshot by what they hold: `titles`, `people`, `thumbnails`, or a stage's rows."""
    manifest = reader.manifest
    found = {"titles": "titles", "people": "people"}
    found |= {"frames": manifest.shots} if manifest.shots else {}
    found |= {"thumbnails": manifest.thumbnails} if manifest.thumbnails else {}
    return found | {name: part.table for name, part in manifest.algorithms.items()}


def in_full(reader: SnapshotReader, stage: str, names: Mapping[str, str], of: Collection[str]) -> list[str]:
    """Return all columns of some titles' rows, but for numbers of titles and names of attempts."""
    rows = frame(reader, tables(reader)[stage]).with_columns(pl.col("title_id").replace(names))
    # The table of titles says which artifacts of other stages are served: those stages are compared themselves.
    kept = [name for name in rows.columns if stage != "titles" or name not in ("served", "revision", "revisions")]
    return sorted(map(repr, rows.filter(pl.col("title_id").is_in(list(of))).select(kept).drop("title_no").iter_rows()))


def fingerprint(reader: SnapshotReader) -> str:
    """Return a hash of all that a snapshot says: every row of every table that it names."""
    digest = hashlib.sha256()
    for name in sorted(reader.manifest.tables):
        rows = pl.DataFrame(pl.from_arrow(reader.table(name).to_table()))
        lines = sorted(map(repr, rows.select(sorted(rows.columns)).iter_rows()))
        digest.update(repr((name, len(lines), lines)).encode())
    return digest.hexdigest()


def rows_of(reader: SnapshotReader, names: Mapping[str, str]) -> dict[str, list[Any]]:
    """Return what a snapshot says, as `expected` does: by stage, the rows of all titles in order."""
    found: dict[str, list[Any]] = {}
    for stage, table in tables(reader).items():
        rows = frame(reader, table).with_columns(pl.col("title_id").replace(names).alias("name"))
        if stage == "titles":
            rows = rows.select("name", "title", "year", pl.col("genres").list.join(","))
        elif stage == "people":
            rows = rows.select("name", "talent", "character")
        elif stage == "thumbnails":
            rows = rows.select("name", "shot_no")
        else:
            rows = rows.select("name", *COLUMNS[stage])
        found[stage] = sorted(rows.iter_rows(), key=_place)
    return found


def expected(snapshot: Snapshot, shots: Shots, vectors: Vectors) -> dict[str, list[Any]]:
    """Return what a snapshot must say."""
    found: dict[str, list[Any]] = {name: [] for name in ("titles", "people", *snapshot.made)}
    if "frames" in snapshot.made:
        found["thumbnails"] = []
    for name, keys in snapshot.titles.items():
        entry = keys["catalogue"][1]
        found["titles"].append((name, name.title(), 2000 + entry, f"genre {entry}"))
        found["people"].append((name, f"Talent {entry}", f"Hero of {name.title()}"))
        for stage, key in keys.items():
            if stage in found:
                found[stage] += [(name, *row) for row in _rows(key, shots, vectors)]
            if stage == "frames":
                found["thumbnails"] += [(name, row[0]) for row in shots(key[2][1])]
    return {stage: sorted(rows, key=_place) for stage, rows in found.items()}


def differences(found: Mapping[str, list[Any]], wanted: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Return by stage what is not as it must be: rows that are missing, and rows that must not be there."""
    wrong: dict[str, Any] = {}
    for stage in sorted(found.keys() | wanted.keys()):
        here, there = found.get(stage), wanted.get(stage)
        if here is None or there is None:
            wrong[stage] = "is not served" if here is None else "is served"
        elif len(here) != len(there) or not all(map(_same, here, there)):
            missing = [row for row in there if not any(_same(row, one) for one in here)]
            wrong[stage] = {"missing": missing, "too much": [r for r in here if not any(_same(r, o) for o in there)]}
            wrong[stage] |= {"rows": len(here), "wanted": len(there)}
    return wrong


def _same(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    if isinstance(one[-1], list) and isinstance(other[-1], list):
        near = all(abs(a - b) < _NEAR for a, b in zip(one[-1], other[-1], strict=True))
        return near and one[:-1] == other[:-1]
    return one == other


def _place(row: tuple[Any, ...]) -> str:
    return repr([value for value in row if not isinstance(value, list)])


def _rows(key: Key, shots: Shots, vectors: Vectors) -> list[tuple[Any, ...]]:
    stage, recipe, *given = key
    if stage == "frames":
        return list(shots(given[0][1]))
    if stage == "visual":
        film = given[0][2][1]
        return [(*shot[:2], vector) for shot, vector in zip(shots(film), vectors(film, recipe), strict=True)]
    if stage == "dialogue":
        return list(zip(_STARTS_MS, _lines(given[1]), strict=False))
    mark = "".join(recipe)
    if stage == "loud":
        return [(at, f"{line.upper()} {mark}") for at, line in zip(_STARTS_MS, _lines(given[1]), strict=False)]
    if stage == "cuts":
        return [(start_ms, f"shot {number} {mark}") for number, start_ms, _ in shots(given[0][2][1])]
    assert stage == "billing"
    loud = "; ".join(text for _, text in _rows(given[1], shots, vectors))
    return [(f"genre {given[0][1]} {loud} {mark}",)]


def _lines(subtitles: Key) -> list[str]:
    said = subtitles[1]
    return [] if said is None else [f"line {said}", f"and {said}"]
