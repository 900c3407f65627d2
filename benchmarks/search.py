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
from benchmarks._library import CUES, LABELS, LENGTH_MS, manifest, spoken, timed, titles, write
from mediaflow.search.gateway import Gateway
from mediaflow.search.joins import RELATIONS, pairs
from mediaflow.search.query import AllOf, Clause, Dialogue, Filters, Label, Not, Query, TimeJoin, Where
from mediaflow.snapshots.reader import SnapshotReader
from mediaflow.storage.objects import FolderStore

RANGES, TITLES, ROWS, TURNS = 200_000, 100_000, 10, 25
SOME_TITLES, MANY_ROWS = 10_000, 60
MOST_JOIN_MS, MOST_FILTER, MOST_COMBINED = 150.0, 1.5, 3.0
KINDS = 40


def snapshot(store: FolderStore, count: int, rows: int) -> Gateway:
    """Write a snapshot of titles of which three in ten are dramas, with cues and labels, and open it."""
    draw = np.random.default_rng(7)
    ranges = timed(count, rows, draw)
    named = np.array([f"thing{number}" for number in range(KINDS)])[draw.integers(0, KINDS, count * rows)]
    labels = (
        ranges.sample(fraction=1, shuffle=True, seed=1)
        .sort("title_no")
        .with_columns(label=pl.Series(named), confidence=pl.Series(draw.uniform(0, 1, count * rows), dtype=pl.Float32))
    )
    tables = {
        **titles(store, count),
        "dialogue-g": write(store, "dialogue-g", CUES, spoken(ranges, draw), "text"),
        "things-g": write(store, "things-g", LABELS, labels),
    }
    shown = manifest(tables, {"dialogue": "text", "things": "label"})
    return Gateway(SnapshotReader(store, shown), None, None)  # type: ignore[arg-type]


def cpu_ms(do: Callable[[], Any]) -> float:
    start = time.process_time()
    do()
    return 1e3 * (time.process_time() - start)


def joins() -> Claim:
    """Join ranges with ranges in every relation; tell of the dearest."""
    draw = np.random.default_rng(8)

    def ranges() -> pl.DataFrame:
        start = draw.integers(0, LENGTH_MS, RANGES)
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
