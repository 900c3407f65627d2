"""What a plan costs: `python -m benchmarks.plan [titles]` prints CPU seconds and memory, 10 artifacts a title.

The ledger knows everything; the plan is made in a process of its own, as by a sensor: once to begin with, again with
nothing stale, and once more after 1,000 titles have changed. The scan is apart.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks._claims import Claim, tell
from mediaflow.planning.ledger import DONE, Fact, Ledger
from mediaflow.planning.plan import desired_revisions, plan, recipe_of
from mediaflow.planning.stage import Stage, StageGraph
from mediaflow.storage.objects import FolderStore

ROOT = Path(__file__).parent.parent
MOST_S, MOST_CHANGED_S, MOST_GB = 3.0, 4.0, 1.5
CHANGED = 1_000
_AT_ONCE = 20_000

GRAPH = StageGraph(
    [
        Stage("media", "1"),
        Stage("subtitles", "2"),
        Stage("catalogue", "1"),
        Stage("frames", "1", ("media",), {"frames_per_shot": 3, "short_side": 512, "quality": 90}, lane="decode"),
        Stage("visual", "1", ("frames",), model="0123456789abcdef" * 2, lane="gpu"),
        Stage("dialogue", "1", ("media", "subtitles")),
        *(Stage(f"labels_{number}", "1", ("frames",), {"least": 0.5, "words": ["a", "b"]}) for number in range(4)),
    ]
)


@dataclass(frozen=True)
class Title:
    """A title as the plan sees it."""

    title_id: str
    title_no: int
    roots: dict[str, str]


def make_titles(count: int) -> list[Title]:
    """Return titles with hashes of their roots as long as real ones."""
    return [
        Title(f"a-film-of-some-name-{no}-1999", no, {root: f"{no:032x}{at:032x}" for at, root in enumerate(_roots())})
        for no in range(1, count + 1)
    ]


def fill(ledger: Ledger, titles: list[Title]) -> None:
    """Write down that everything is as it should be, batch by batch."""
    for at in range(0, len(titles), _AT_ONCE):
        part = titles[at : at + _AT_ONCE]
        frame = desired_revisions(GRAPH, part)
        of = dict(zip(frame.select("title_id", "stage").iter_rows(), frame["revision"], strict=True))
        facts = []
        for title in part:
            for stage in GRAPH:
                inputs = {name: of[title.title_id, name] for name in stage.inputs} or {
                    stage.name: title.roots[stage.name]
                }
                facts.append(
                    Fact(
                        title.title_id,
                        stage.name,
                        of[title.title_id, stage.name],
                        GRAPH.generations[stage.name],
                        DONE,
                        f"{title.title_no:016x}",
                        recipe=recipe_of(stage, title.title_id, inputs),
                        facts={"rows": {"rows": 1200}, "seconds": 1.234, "why": "never built"},
                    )
                )
        ledger.append(facts)


def measure(store: Path, count: int) -> dict[str, float]:
    """Plan three times; return CPU seconds of each and the most memory in GB."""
    ledger = Ledger(FolderStore(store))
    titles = make_titles(count)
    found = {}
    for name, stale in (("first", 0), ("nothing stale", 0), ("changed", CHANGED)):
        if stale:
            titles[:stale] = [
                replace(one, roots=one.roots | {"media": f"{one.title_no:064x}"}) for one in titles[:stale]
            ]
        start = time.process_time()
        made = plan(GRAPH, titles, ledger)
        found[name] = time.process_time() - start
        assert len(made.frame) == count * len(GRAPH.names)
        assert len(made.stale()) == stale * 8, "media and the seven that read it"
        del made
    return found | {"gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6}


def _roots() -> list[str]:
    return [stage.name for stage in GRAPH if stage.root]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("titles", nargs="?", type=int, default=100_000)
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.store:
        print(json.dumps(measure(given.store, given.titles)))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        fill(Ledger(FolderStore(Path(folder))), make_titles(given.titles))
        command = [sys.executable, "-m", "benchmarks.plan", str(given.titles), "--store", folder]
        done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    cpu = json.loads(done.stdout)
    what = f"plan, {given.titles} titles x {len(GRAPH.names)}"
    return tell(
        Claim(f"{what}, first, CPU s", cpu["first"], cpu["first"]),
        Claim(f"{what}, nothing stale, CPU s", cpu["nothing stale"], cpu["nothing stale"], most=MOST_S),
        Claim(f"{what}, {CHANGED} changed, CPU s", cpu["changed"], cpu["changed"], most=MOST_CHANGED_S),
        Claim(f"{what}, memory, GB", cpu["gb"], cpu["first"], most=MOST_GB),
    )


if __name__ == "__main__":
    sys.exit(main())
