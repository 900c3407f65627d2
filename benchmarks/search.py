"""What combining and filtering cost: `python -m benchmarks.search`: joins in time, wide filters, many clauses at once.

Each side is asked in turn in one process; every question is another one.
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
from mediaflow.search.post.joins import RELATIONS, pairs
from mediaflow.search.query import AllOf, Clause, Dialogue, Filters, Label, Not, Query, TimeJoin, Where
from mediaflow.snapshots.reader import SnapshotReader
from mediaflow.storage.objects import FolderStore

RANGES, TITLES, ROWS, TURNS = 200_000, 100_000, 10, 25
SOME_TITLES, MANY_ROWS = 10_000, 60
MOST_JOIN_MS, MOST_FILTER, MOST_COMBINED = 150.0, 1.5, 3.0
KINDS = 40


def snapshot(store: FolderStore, count: int, rows: int) -> Gateway:
    """Write a snapshot of titles of which three in ten are dramas, with cues and labels, and open it as an engine."""
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
    gateway = Gateway(SnapshotReader(store, shown), None, None)  # type: ignore[arg-type]
    gateway.warm()
    return gateway


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


def filters(gateway: Gateway) -> list[Claim]:
    """Ask for words of all titles; of three in ten, by a filter; and for who may see these alone, in turn."""
    drama = Filters(genres=("Drama",))
    left = gateway.catalogue.select(drama).title_nos
    assert left is not None
    of_titles = pl.col("title_no").is_in(sorted(left))
    entitled = gateway.within(frozenset(gateway.catalogue.titles.filter(of_titles)["title_id"]))
    claims = []
    for kind, words in (("usual word", "word{}"), ("rarer word", "word{}00"), ("two words", "word{} word{}0")):
        spent = []
        for turn in range(TURNS + 1):
            word = Dialogue(words.format(turn + 3, turn + 3))
            asked = ((gateway, Filters()), (gateway, drama), (entitled, Filters()))
            one = [cpu_ms(lambda q=Query((word,), how), at=at: at.search(q)) for at, how in asked]
            # The first turn reads what all further ones find in memory.
            if turn:
                spent.append(one)
        bare, filtered, seen = (statistics.median(side) for side in zip(*spent, strict=True))
        print(
            f"{kind}: {bare:.1f} ms, a genre {filtered:.1f} ms, a key's titles {seen:.1f} ms; {len(left)} of {TITLES}"
        )
        cpu_s = sum(map(sum, spent)) / 1e3
        claims.append(Claim(f"{kind}: a genre / all titles", filtered / bare, cpu_s, most=MOST_FILTER))
        claims.append(Claim(f"{kind}: a key's titles / all titles", seen / bare, cpu_s, most=MOST_FILTER))
    return claims


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
        claims += filters(snapshot(FolderStore(Path(folder) / "wide"), TITLES, ROWS))
        claims.append(combined(snapshot(FolderStore(Path(folder) / "deep"), SOME_TITLES, MANY_ROWS)))
    return tell(*claims)


if __name__ == "__main__":
    sys.exit(main())
