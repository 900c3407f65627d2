"""What the gates add to the publish of one changed title: CPU seconds in a small and in a large library.

Run from the repository root: `python -m benchmarks.gates [TITLES] [--dim 128]`. They look at samples, so the large
library may cost little more than the small one, whose samples are the whole of it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks._claims import Claim, tell
from mediaflow.publishing.gates import every
from mediaflow.publishing.gates.gate import Limits, Titles, Trial
from mediaflow.publishing.gates.judge import Gates
from mediaflow.snapshots.manifest import AlgorithmPart, Manifest, TablePart
from mediaflow.snapshots.reader import SnapshotReader
from mediaflow.storage.objects import FolderStore
from mediaflow.storage.tables import Table

SMALL, ROWS, AT_ONCE, REPEATS = 64, 100, 250, 5
MOST_TIMES = 3.0
MOST_S = 3.0
_SEEN = 500
_RANGE = {"start_ms": pl.Int64, "end_ms": pl.Int64}


class NoModel:
    """Encodes nothing: without golden questions no gate has anything to encode, or a picture to decode."""

    def encoder(self, identity: str) -> Any:
        raise AssertionError("a gate encodes something without a golden question")

    def picture(self, data: bytes) -> Any:
        raise AssertionError("a gate encodes something without a golden question")


class Shelf:
    """A library of made-up rows: shots with vectors, cues with words, and one table of titles."""

    def __init__(self, store: FolderStore, titles: int, dim: int) -> None:
        self._random = np.random.default_rng(1)
        self._dim = dim
        self._seen = self._random.standard_normal((_SEEN, dim), dtype=np.float32)
        vector = {"shot_no": pl.Int32, **_RANGE, "vector": pl.Array(pl.Float16, dim)}
        self.tables = {
            "visual-1": Table(store, "visual-1", vector),
            "dialogue-1": Table(store, "dialogue-1", {**_RANGE, "text": pl.String}, "text"),
            "titles": Table(store, "titles", {"title_id": pl.String}),
        }
        self.store, self.titles = store, titles
        for first in range(0, titles, AT_ONCE):
            self.put(range(first, min(first + AT_ONCE, titles)), "r1")

    def put(self, numbers: range, revision: str) -> None:
        """Replace the rows of some titles."""
        for name, table in self.tables.items():
            frame = self._rows(name, numbers).with_columns(revision=pl.lit(revision))
            base = table.open()
            done = table.replace(base, list(numbers), table.write(base, [frame]), {})
            if numbers.stop == self.titles or len(numbers) == 1:
                table.tend(done)

    def manifest(self, epoch: int) -> Manifest:
        """Return a snapshot of all tables as they are now."""
        opened = {name: table.open() for name, table in self.tables.items()}
        tables = {name: TablePart(name, int(one.version), "", one.count_rows()) for name, one in opened.items()}
        fields = {"vector": f"Array(Float16, shape=({self._dim},))"}
        visual = AlgorithmPart("g1", "visual-1", "shot_vector", "1", "", "", fields, "m1", None)
        dialogue = replace(visual, table="dialogue-1", shape="text", fields={}, model=None)
        return Manifest(f"{epoch:020d}-00000000", epoch, 0, 0, tables, {"visual": visual, "dialogue": dialogue})

    def _rows(self, name: str, numbers: range) -> pl.DataFrame:
        if name == "titles":
            ids = [f"title-{no}" for no in numbers]
            return pl.DataFrame({"title_no": list(numbers), "title_id": ids}, schema_overrides={"title_no": pl.Int32})
        count = len(numbers) * ROWS
        at = np.tile(np.arange(ROWS), len(numbers)) * 1000
        plain = {"title_no": np.repeat(np.asarray(numbers, np.int32), ROWS), "start_ms": at, "end_ms": at + 1000}
        if name == "dialogue-1":
            words = self._random.integers(0, 20_000, (count, 6))
            return pl.DataFrame({**plain, "text": [" ".join(f"w{one}" for one in row) for row in words.tolist()]})
        # As models give them, around what there is to see: of pure noise no vector is near any other.
        noise = self._random.standard_normal((count, self._dim), dtype=np.float32)
        vectors = self._seen[self._random.integers(0, _SEEN, count)] + 0.6 * noise
        unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float16)
        kept = pl.Series("vector", unit, dtype=pl.Array(pl.Float16, self._dim))
        return pl.DataFrame({**plain, "shot_no": (at // 1000).astype(np.int32)}).with_columns(kept)


def measure(folder: Path, titles: int, dim: int) -> dict[str, float]:
    """Return the median CPU seconds of each gate, and of all, over publishes of one changed title each."""
    shelf = Shelf(FolderStore(folder), titles, dim)
    gates = Gates(shelf.store, Limits(), NoModel(), NoModel())
    numbers = {f"title-{number}": number for number in range(titles)}
    seen: dict[str, list[float]] = {gate.name: [] for gate in every.GATES} | {"all gates": []}
    served = shelf.manifest(1)
    for repeat in range(REPEATS):
        shelf.put(range(repeat, repeat + 1), f"r{repeat + 2}")
        candidate = shelf.manifest(repeat + 2)
        changed = Titles(numbers, numbers.keys(), numbers.keys(), (f"title-{repeat}",))
        start = time.process_time()
        passed = gates.passed(candidate, served, changed, {})
        seen["all gates"].append(time.process_time() - start)
        readers = (SnapshotReader(shelf.store, one) for one in (candidate, served))
        trial = Trial(*readers, changed, Limits(), lambda reader: NotImplemented)
        for gate in every.GATES:
            start = time.process_time()
            gate.judge(trial)
            seen[gate.name].append(time.process_time() - start)
        served = passed
    return {name: statistics.median(times) for name, times in seen.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("titles", nargs="?", type=int, default=5000)
    parser.add_argument("--dim", type=int, default=128)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small = measure(Path(folder) / "small", SMALL, arguments.dim)
        large = measure(Path(folder) / "large", arguments.titles, arguments.dim)
    print(
        f"{'CPU s a publish of one title':<32}{SMALL:>8} titles{arguments.titles:>8} titles, {ROWS} shots and cues each"
    )
    for name in small:
        print(f"{name:<32}{small[name]:>15.3f}{large[name]:>15.3f}")
    return tell(
        Claim(
            "gates of one changed title, large by small",
            large["all gates"] / small["all gates"],
            large["all gates"],
            most=MOST_TIMES,
        ),
        Claim("gates of one changed title, CPU s", large["all gates"], large["all gates"], most=MOST_S),
    )


if __name__ == "__main__":
    sys.exit(main())
