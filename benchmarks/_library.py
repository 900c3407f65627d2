"""Snapshots that benchmarks of searches ask: tables of any size, written without computing anything."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mediaflow.search.engine import Gateways, SearchEngine
from mediaflow.serve.access.door import Door
from mediaflow.serve.cursors import Cursors
from mediaflow.serve.server import Address, serve
from mediaflow.snapshots.manifest import AlgorithmPart, Manifest, TablePart
from mediaflow.snapshots.reader import Releases
from mediaflow.snapshots.release import Release
from mediaflow.storage import layout
from mediaflow.storage.objects import FolderStore
from mediaflow.storage.tables import Table

LENGTH_MS = 6_000_000
RANGE = {"start_ms": pl.Int64, "end_ms": pl.Int64}
CUES = {**RANGE, "text": pl.String, "language": pl.String, "speaker": pl.String}
LABELS = {**RANGE, "label": pl.String, "confidence": pl.Float32}
WORDS = 2_000
_PEOPLE = {"talent": pl.String, "character": pl.String, "position": pl.Int32}
_TITLES = {
    **dict.fromkeys(("title_id", "title", "kind", "series"), pl.String),
    **dict.fromkeys(("year", "season", "episode"), pl.Int32),
    **dict.fromkeys(("genres", "languages"), pl.List(pl.String)),
    "duration_ms": pl.Int64,
}


def write(
    store: FolderStore, name: str, columns: Mapping[str, Any], rows: pl.DataFrame, text: str | None = None
) -> TablePart:
    """Write a table with its indexes; columns that are missing are null."""
    table = Table(store, name, columns, text)
    missing = [pl.lit(None, kind).alias(one) for one, kind in columns.items() if one not in rows.columns]
    whole = rows.with_columns(pl.lit("r").alias("revision"), *missing).select("title_no", "revision", *columns)
    base = table.open()
    dataset = table.tend(table.replace(base, [], table.write(base, [whole]), {}))
    return TablePart(name, int(dataset.version), "", dataset.count_rows())


def titles(store: FolderStore, count: int) -> dict[str, TablePart]:
    """Write the tables of titles and people: films, of which three in ten are dramas, without a cast."""
    drama = np.random.default_rng(7).permutation(count) < 0.3 * count
    plain = pl.DataFrame(
        {
            "title_no": np.arange(count, dtype=np.int32),
            "title_id": [f"film-{number}" for number in range(count)],
            "title": [f"Film {number}" for number in range(count)],
            "genres": [["Drama"] if one else ["News"] for one in drama],
            "duration_ms": np.full(count, LENGTH_MS),
        }
    )
    nobody = pl.DataFrame({"title_no": []}, schema={"title_no": pl.Int32})
    return {"titles": write(store, "titles", _TITLES, plain), "people": write(store, "people", _PEOPLE, nobody)}


def timed(titles: int, rows: int, draw: np.random.Generator) -> pl.DataFrame:
    """Return so many ranges of each title, of half a second to six."""
    start = draw.integers(0, LENGTH_MS, titles * rows)
    return pl.DataFrame(
        {
            "title_no": np.repeat(np.arange(titles, dtype=np.int32), rows),
            "start_ms": start,
            "end_ms": start + draw.integers(500, 6_000, titles * rows),
        }
    )


def spoken(ranges: pl.DataFrame, draw: np.random.Generator) -> pl.DataFrame:
    """Return ranges with texts of six words, which are said as often as words are: few very often."""
    word = np.minimum((draw.pareto(0.8, (len(ranges), 6)) * 3).astype(int), WORDS - 1)
    names = np.array([f"word{number}" for number in range(WORDS)])
    return ranges.with_columns(text=pl.Series([" ".join(one) for one in names[word]]))


def manifest(tables: Mapping[str, TablePart], shapes: Mapping[str, str]) -> Manifest:
    """Return a snapshot of tables; of each algorithm the shape, its table is `<name>-g`."""
    parts = {
        name: AlgorithmPart(name, f"{name}-g", shape, "1", "team:bench", "", {}, None, None)
        for name, shape in shapes.items()
    }
    return Manifest(id="1-aaaaaaaa", epoch=1, base_release=0, created_ms=0, tables=dict(tables), algorithms=parts)


def release(store: FolderStore, snapshot: Manifest) -> None:
    """Make a snapshot current."""
    store.put(layout.snapshot(snapshot.id), snapshot.to_json())
    assert Releases(store).add(Release(1, snapshot.id, snapshot.epoch))


def main() -> None:
    """Serve the snapshot that is current in a folder, over both protocols, until this process is told to end."""
    print("imported", flush=True)
    engine = SearchEngine(FolderStore(Path(sys.argv[1])), Gateways(None, None))  # type: ignore[arg-type]
    serve(engine, Cursors(), Address(port=0, grpc_port=0), lambda sentence: print(sentence, flush=True), Door())


if __name__ == "__main__":
    main()
