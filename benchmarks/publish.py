"""What a publish costs: `python -m benchmarks.publish [titles]`: one changed title, many, store requests, a switch.

A library of 5,000 titles with 1 million vectors of 512 is published first (some minutes). The plan is apart: it is a
claim of its own. Beside a publish of one title stand the bare Lance updates of the tables that it touches, with their
tags, on copies of the same tables, turn by turn.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._claims import Claim, tell
from benchmarks._shelf import DIM, Shelf
from mediaflow.publishing.rollback import resume, rollback
from mediaflow.search.searchers.text import TextSearcher
from mediaflow.search.searchers.vector import VectorSearcher
from mediaflow.snapshots.reader import Releases
from mediaflow.storage import layout
from mediaflow.storage.commits import FENCE
from mediaflow.storage.objects import FolderStore, ObjectInfo

ROOT = Path(__file__).parent.parent
SMALL, MANY, TURNS, MANY_TURNS, SWITCHES = 500, 1_000, 15, 3, 120
MOST_RATIO, MOST_PER_TITLE_MS, MOST_WAIT_MS, MOST_ROLLBACK_S = 3.0, 10.0, 50.0, 1.0


class CountingStore(FolderStore):
    """Counts requests by kind; a listing is one for each thousand keys, as on S3."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.requests: Counter[str] = Counter()

    def get(self, key: str) -> bytes:
        self.requests["get"] += 1
        return super().get(key)

    def put(self, key: str, data: bytes) -> None:
        self.requests["put"] += 1
        super().put(key, data)

    def put_if_absent(self, key: str, data: bytes) -> bool:
        self.requests["put if absent"] += 1
        return super().put_if_absent(key, data)

    def exists(self, key: str) -> bool:
        self.requests["exists"] += 1
        return super().exists(key)

    def list(self, prefix: str, start_after: str = "") -> Iterator[ObjectInfo]:
        found = list(super().list(prefix, start_after))
        self.requests["list"] += max(1, -(-len(found) // 1_000))
        return iter(found)


@dataclass
class Spent:
    """CPU and wall seconds of one side, turn by turn."""

    cpu: list[float]
    wall: list[float]

    def time(self, do: Callable[[], Any]) -> Any:
        cpu, wall = time.process_time(), time.perf_counter()
        done = do()
        self.cpu.append(time.process_time() - cpu)
        self.wall.append(time.perf_counter() - wall)
        return done


def copy_tables(shelf: Shelf, folder: Path) -> Path:
    """Copy the tables by links: Lance rewrites no file."""
    subprocess.run(["cp", "-al", shelf.store.root / layout.TABLES, folder], check=True)
    return folder


def raw_updates(folder: Path, names: list[str], title_no: int, spent: Spent) -> None:
    """Replace a title's rows in each of the tables by the same rows, and tag what comes of it, with Lance alone."""
    import lance
    from lance.fragment import write_fragments

    where = f"title_no = {title_no}"
    rows = {name: lance.dataset(str(folder / f"{name}.lance")).to_table(filter=where) for name in names}

    def update(name: str) -> None:
        base = lance.dataset(str(folder / f"{name}.lance"))
        new = write_fragments(rows[name], base)
        found = base.scanner(columns=[], filter=where, with_row_address=True).to_table()
        removed, updated = [FENCE], []
        for number in np.unique(found["_rowaddr"].to_numpy() >> 32).tolist():
            kept = base.get_fragment(number).delete(where)
            if kept is None:
                removed.append(number)
            else:
                updated.append(kept)
        operation = lance.LanceOperation.Update(
            removed_fragment_ids=removed, updated_fragments=updated, new_fragments=list(new)
        )
        done = lance.LanceDataset.commit(base, lance.Transaction(base.version, operation))
        done.tags.create(f"s-{done.version}", done.version)

    spent.time(lambda: [update(name) for name in names])


def requests_of_one(shelf: Shelf, title_no: int) -> Counter[str]:
    """Publish one changed title and count the requests; upkeep that was due by then is done before."""
    shelf.change([title_no - 1])
    assert shelf.publish().outcome == "released"
    shelf.change([title_no])
    store = CountingStore(shelf.store.root)
    assert shelf.publish(store=store).outcome == "released"
    return store.requests


def one_title(shelf: Shelf, folder: Path) -> tuple[Spent, Spent]:
    """Publish one title, and update the same tables bare, turn by turn; each publisher begins with no memory."""
    before = shelf.publisher()._current().manifest.tables
    shelf.change([1])
    after = shelf.publish().manifest.tables
    touched = [name for name in after if after[name].version != before[name].version]
    copy, ours, raw = copy_tables(shelf, folder), Spent([], []), Spent([], [])
    for turn in range(TURNS):
        raw_updates(copy, touched, 100 + turn, raw)
        shelf.change([100 + turn])
        plan = shelf.plan()
        assert ours.time(lambda made=plan: shelf.publish(made)).outcome == "released"
    print(f"tables touched by one title: {len(touched)} of {len(after)}")
    return ours, raw


def many_titles(shelf: Shelf, titles: int) -> Spent:
    """Publish many changed titles at once, some times."""
    spent = Spent([], [])
    for _ in range(MANY_TURNS):
        shelf.change(range(titles - MANY + 1, titles + 1))
        plan = shelf.plan()
        assert spent.time(lambda made=plan: shelf.publish(made)).outcome == "released"
    told = ", ".join(f"{cpu:.1f} CPU, {wall:.1f} wall" for cpu, wall in zip(spent.cpu, spent.wall, strict=True))
    print(f"s for {MANY} titles: {told}")
    return spent


def read(root: Path, signs: Path) -> None:
    """Ask without pause until the sign `stop` is there; print how long each request waited for its snapshot.

    The sign `seen` says which release was answered from last.
    """
    store = FolderStore(root)
    releases = Releases(store)
    reader = releases.current()
    asked = np.random.default_rng(1).normal(size=DIM).astype(np.float32)
    vector = VectorSearcher(asked / np.linalg.norm(asked))
    waits, idle, requests = [], [], []
    turn = 0
    while not (signs / "stop").exists():
        turn += 1
        start = time.perf_counter()
        switches = releases.tip() != reader.release
        if switches:
            reader = releases.current()
        tables = [reader.table(name) for name in reader.manifest.tables]
        (waits if switches else idle).append(time.perf_counter() - start)
        parts = reader.manifest.algorithms
        vector.search(reader.table(parts["visual"].table), f"title_no = {turn % SMALL + 1}", 10)
        TextSearcher(f"word{turn % 1000}").search(reader.table(parts["dialogue"].table), None, 10)
        requests.append(time.perf_counter() - start)
        assert tables
        (signs / "seen.new").write_text(str(reader.release))
        (signs / "seen.new").rename(signs / "seen")
    print(json.dumps({"waits": waits, "idle": idle, "requests": requests, "cpu": time.process_time()}))


def switches(shelf: Shelf, folder: Path) -> tuple[dict[str, Any], Spent]:
    """Roll back and forth, and publish now and then, while a process reads."""
    stop, seen = folder / "stop", folder / "seen"
    seen.write_text("0")
    command = [sys.executable, "-m", "benchmarks.publish", "--read", str(shelf.store.root), "--signs", str(folder)]
    reading = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    spent, turn = Spent([], []), 0
    releases = Releases(shelf.store)
    while turn < SWITCHES:
        turn += 1
        if turn % 10 == 0:
            if releases.newest().held:
                resume(shelf.store)
            shelf.change([300 + turn])
            assert shelf.publish().outcome == "released"
        else:
            # Between the two newest snapshots, so that each is a switch.
            target = releases.entry(releases.tip() - 1).snapshot
            spent.time(lambda target=target: (rollback(shelf.store, target, "bench"), releases.current()))
        while int(seen.read_text() or 0) < releases.tip():
            time.sleep(0.002)
    stop.touch()
    return json.loads(reading.communicate(timeout=300)[0]), spent


def percentile(values: list[float], share: float) -> float:
    return float(np.quantile(values, share))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("titles", nargs="?", type=int, default=5_000)
    parser.add_argument("--read", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--signs", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.read:
        read(given.read, given.signs)
        return 0
    with tempfile.TemporaryDirectory(dir=given.folder) as name:
        return measure(Path(name), given.titles)


def measure(folder: Path, titles: int) -> int:
    """Make two libraries, publish, and tell what it cost."""
    made, shelves = Spent([], []), {}
    for count in (SMALL, titles):
        shelves[count] = made.time(lambda count=count: Shelf.filled(FolderStore(folder / str(count)), count))
    large = shelves[titles]
    print(f"two libraries made, published batch by batch: {sum(made.cpu):.0f} CPU s, {sum(made.wall):.0f} s")
    few, many = requests_of_one(shelves[SMALL], 7), requests_of_one(large, 7)
    print(f"store requests of a publish of one title: {dict(few)} at {SMALL} titles, {dict(many)} at {titles}")
    ours, raw = one_title(large, folder / "copy")
    sides = (("ours", ours), ("bare", raw))
    told = [
        f"{name} {1e3 * statistics.median(s.cpu):.0f} CPU, {1e3 * statistics.median(s.wall):.0f}" for name, s in sides
    ]
    print(f"ms for one title: {' wall; '.join(told)} wall")
    waits, rollbacks = switches(large, folder)
    if releases_held(large):
        resume(large.store)
    many_changed = many_titles(large, titles)
    what = f"publish, {titles} titles"
    ratio = statistics.median(ours.cpu) / statistics.median(raw.cpu)
    print(
        f"requests of a reader: p99 {1e3 * percentile(waits['requests'], 0.99):.1f} ms, median "
        f"{1e3 * statistics.median(waits['requests']):.1f} ms; waits without a switch: p99 "
        f"{1e3 * percentile(waits['idle'], 0.99):.1f} ms; {len(waits['waits'])} switches seen"
    )
    return tell(
        Claim(f"{what}, one changed / bare Lance, CPU", ratio, sum(ours.cpu), most=MOST_RATIO),
        Claim(
            f"{what}, one changed / bare Lance, wall",
            statistics.median(ours.wall) / statistics.median(raw.wall),
            sum(ours.cpu),
        ),
        Claim(f"{what}, requests beyond those at {SMALL}", many.total() - few.total(), ours.cpu[0], most=0),
        Claim(
            f"{what}, {MANY} changed, CPU ms a title",
            1e3 * statistics.median(many_changed.cpu) / MANY,
            sum(many_changed.cpu),
            most=MOST_PER_TITLE_MS,
        ),
        Claim(
            "switch, a reader's wait, p99, ms", 1e3 * percentile(waits["waits"], 0.99), waits["cpu"], most=MOST_WAIT_MS
        ),
        Claim(
            "rollback and a reader at it, p99, s",
            percentile(rollbacks.wall, 0.99),
            sum(rollbacks.cpu),
            most=MOST_ROLLBACK_S,
        ),
    )


def releases_held(shelf: Shelf) -> bool:
    newest = Releases(shelf.store).newest()
    return newest is not None and newest.held


if __name__ == "__main__":
    sys.exit(main())
