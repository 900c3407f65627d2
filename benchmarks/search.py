"""What combining and filtering cost: `python -m benchmarks.search`: joins in time, wide filters, many clauses at once.

Each side is asked in turn in one process, from memory of nothing but the tables: every question is another one.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks._claims import Claim, tell
from mediaflow.search.gateway import Gateway
from mediaflow.search.joins import RELATIONS, pairs
from mediaflow.search.query import AllOf, Clause, Dialogue, Filters, Label, Not, Query, TimeJoin, Where
from mediaflow.snapshots.manifest import AlgorithmPart, Manifest, TablePart
from mediaflow.snapshots.reader import SnapshotReader
from mediaflow.storage.objects import FolderStore
from mediaflow.storage.tables import Table

RANGES, TITLES, ROWS, TURNS = 200_000, 100_000, 10, 25
SOME_TITLES, MANY_ROWS = 10_000, 60
MOST_JOIN_MS, MOST_FILTER, MOST_COMBINED = 150.0, 1.5, 3.0
WORDS, LABELS = 2_000, 40

_RANGE = {"start_ms": pl.Int64, "end_ms": pl.Int64}
_CUES = {**_RANGE, "text": pl.String, "language": pl.String, "speaker": pl.String}
_LABELS = {**_RANGE, "label": pl.String, "confidence": pl.Float32}
_TITLES = {
    **dict.fromkeys(("title_id", "title", "kind", "series"), pl.String),
    **dict.fromkeys(("year", "season", "episode"), pl.Int32),
    **dict.fromkeys(("genres", "languages"), pl.List(pl.String)),
    "duration_ms": pl.Int64,
}
_LENGTH_MS = 6_000_000


def snapshot(store: FolderStore, titles: int, rows: int) -> Gateway:
    """Write a snapshot of titles of which three in ten are dramas, with cues and labels, and open it."""
    draw = np.random.default_rng(7)
    numbers = pl.Series("title_no", np.arange(titles, dtype=np.int32))
    drama = draw.permutation(titles) < 0.3 * titles
    plain = pl.DataFrame(
        {
            "title_no": numbers,
            "title_id": [f"film-{number}" for number in range(titles)],
            "title": [f"Film {number}" for number in range(titles)],
            "genres": [["Drama"] if one else ["News"] for one in drama],
            "duration_ms": np.full(titles, _LENGTH_MS),
        }
    )
    count = titles * rows
    start = draw.integers(0, _LENGTH_MS, count)
    timed = pl.DataFrame(
        {
            "title_no": np.repeat(np.arange(titles, dtype=np.int32), rows),
            "start_ms": start,
            "end_ms": start + draw.integers(500, 6_000, count),
        }
    )
    # Words are said as often as words are: few very often.
    word = np.minimum((draw.pareto(0.8, (count, 6)) * 3).astype(int), WORDS - 1)
    names = np.array([f"word{number}" for number in range(WORDS)])
    cues = timed.with_columns(text=pl.Series([" ".join(one) for one in names[word]]))
    labels = (
        timed.sample(fraction=1, shuffle=True, seed=1)
        .sort("title_no")
        .with_columns(
            label=pl.Series(np.array([f"thing{number}" for number in range(LABELS)])[draw.integers(0, LABELS, count)]),
            confidence=pl.Series(draw.uniform(0, 1, count), dtype=pl.Float32),
        )
    )
    people = {"talent": pl.String, "character": pl.String, "position": pl.Int32}
    tables = {
        "titles": _write(store, "titles", _TITLES, plain),
        "people": _write(store, "people", people, pl.DataFrame({"title_no": []}, schema={"title_no": pl.Int32})),
        "dialogue-g": _write(store, "dialogue-g", _CUES, cues, "text"),
        "things-g": _write(store, "things-g", _LABELS, labels),
    }
    parts = {
        name: AlgorithmPart(name, f"{name}-g", shape, "1", "team:bench", "", {}, None, None)
        for name, shape in (("dialogue", "text"), ("things", "label"))
    }
    manifest = Manifest(id="1-aaaaaaaa", epoch=1, base_release=0, created_ms=0, tables=tables, algorithms=parts)
    return Gateway(SnapshotReader(store, manifest), None, None)  # type: ignore[arg-type]


def _write(
    store: FolderStore, name: str, columns: dict[str, Any], rows: pl.DataFrame, text: str | None = None
) -> TablePart:
    table = Table(store, name, columns, text)
    missing = [pl.lit(None, kind).alias(one) for one, kind in columns.items() if one not in rows.columns]
    whole = rows.with_columns(pl.lit("r").alias("revision"), *missing).select("title_no", "revision", *columns)
    base = table.open()
    dataset = table.tend(table.replace(base, [], table.write(base, [whole]), {}))
    return TablePart(name, int(dataset.version), "", dataset.count_rows())


def cpu_ms(do: Callable[[], Any]) -> float:
    start = time.process_time()
    do()
    return 1e3 * (time.process_time() - start)


def joins() -> Claim:
    """Join ranges with ranges in every relation; tell of the dearest."""
    draw = np.random.default_rng(8)

    def ranges() -> pl.DataFrame:
        start = draw.integers(0, _LENGTH_MS, RANGES)
        title_no = draw.integers(0, 1_000, RANGES).astype(np.int32)
        return pl.DataFrame(
            {"title_no": title_no, "start_ms": start, "end_ms": start + draw.integers(0, 4_000, RANGES)}
        )

    left, right = ranges(), ranges()
    spent = {}
    for relation in RELATIONS:
        found = len(pairs(left, right, relation, 2_000)[0])
        spent[relation] = statistics.median(cpu_ms(lambda r=relation: pairs(left, right, r, 2_000)) for _ in range(5))
        print(f"{relation:<8} {found:>8} pairs {spent[relation]:>6.0f} ms")
    what = f"time join, {RANGES} x {RANGES} ranges, CPU ms"
    return Claim(what, max(spent.values()), sum(spent.values()) / 1e3, most=MOST_JOIN_MS)


def filters(gateway: Gateway) -> Claim:
    """Ask for words with and without a filter that leaves three titles in ten, in turn."""
    drama = Filters(genres=("Drama",))
    left = gateway.catalogue.select(drama).title_nos
    assert left is not None
    bare, filtered = [], []
    for turn in range(TURNS):
        word = Dialogue(f"word{turn + 3}")
        bare.append(cpu_ms(lambda word=word: gateway.search(Query((word,)))))
        filtered.append(cpu_ms(lambda word=word: gateway.search(Query((word,), drama))))
    one, other = statistics.median(filtered), statistics.median(bare)
    print(f"a word: {other:.1f} ms, within {len(left)} of {TITLES} titles {one:.1f} ms")
    return Claim(
        f"a filter that leaves {len(left)} of {TITLES} titles", one / other, sum(filtered) / 1e3, most=MOST_FILTER
    )


def combined(gateway: Gateway) -> Claim:
    """Ask for four clauses with joins, beside the dearest of them alone."""
    all_of, dearest = [], []
    for turn in range(TURNS):
        one, other = Dialogue(f"word{turn + 20}"), Dialogue(f"word{turn + 50}")
        thing, least = Label(f"thing{turn}"), Where("things", f"thing{turn + 1}")
        near: Clause = TimeJoin(one, other, "within", 60_000)
        whole = AllOf((near, TimeJoin(thing, one, "before", 60_000), Not(least)))
        singles = [
            cpu_ms(lambda c=clause: gateway.search(Query((AllOf((c,)),)))) for clause in (one, other, thing, least)
        ]
        all_of.append(cpu_ms(lambda c=whole: gateway.search(Query((c,)))))
        dearest.append(max(singles))
    ours, slowest = statistics.median(all_of), statistics.median(dearest)
    print(f"four clauses: {ours:.1f} ms, the dearest of them alone {slowest:.1f} ms")
    what = f"four clauses over {SOME_TITLES} titles / dearest alone"
    return Claim(what, ours / slowest, sum(all_of) / 1e3, most=MOST_COMBINED)


def main() -> int:
    """Measure all."""
    claims = [joins()]
    with tempfile.TemporaryDirectory() as folder:
        claims.append(filters(snapshot(FolderStore(Path(folder) / "wide"), TITLES, ROWS)))
        claims.append(combined(snapshot(FolderStore(Path(folder) / "deep"), SOME_TITLES, MANY_ROWS)))
    return tell(*claims)


if __name__ == "__main__":
    sys.exit(main())
