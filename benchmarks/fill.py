"""What readers feel of a first fill: `python -m benchmarks.fill [titles]`: p99 idle, beside a paced and an unpaced one.

A small library is filled and published, and a process searches it without pause: lines, shots like a text, both
together, within filters. Then titles by the thousand come in, and `python -m sensors` fills them in with its decode
workers, its model and its publishes. It is not awaited: it works for some seconds and is stopped (SIGSTOP) for as many,
turn by turn, so that idle stands beside it at the same size of the library; between these turns it goes on alone, so
that they lie all over the fill. Then it goes again from the same start with the setting `nice` at 0 in the place of the
default, for as many turns at its beginning: an unpaced fill stands beside the paced one.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks._claims import Claim, tell

ROOT = Path(__file__).parent.parent
SERVED, TITLES = 100, 2_000
WINDOWS, WINDOW_S, WARM_S = 6, 10.0, 3.0
MOST_RATIO = 2.0

# One line a search: when it was begun, and how long it took. Times of all processes are of one clock.
_READ = """
import itertools
import time

import mediaflow
from mediaflow.search.query import Dialogue, Filters, Query, Visual

QUERIES = [
    Query((Dialogue("number"),)),
    Query((Visual("a red car at night"),)),
    Query((Dialogue("number"), Visual("a tower by the sea"))),
    Query((Visual("a blue tree"),), Filters(genres=("Tiny",))),
    Query((Dialogue("number", language="en"),), Filters(genres=("Tiny",), kinds=("movie",))),
]
with mediaflow.open() as library:
    for query in itertools.cycle(QUERIES):
        begun = time.monotonic()
        assert library.search(query).hits, query
        print(begun, time.monotonic() - begun, flush=True)
"""


@dataclass
class Seen:
    """What was seen of one fill: begin and end of its windows (s), and what it used and finished in them."""

    idle: list[tuple[float, float]] = field(default_factory=list)
    busy: list[tuple[float, float]] = field(default_factory=list)
    searches: list[tuple[float, float]] = field(default_factory=list)
    cpu_s: float = 0.0
    artifacts: int = 0

    def p99_ms(self, windows: list[tuple[float, float]]) -> float:
        """Return the 99th percentile of the searches that were begun in some windows."""
        took = [took for begun, took in self.searches if any(first <= begun < last for first, last in windows)]
        return 1000 * statistics.quantiles(took, n=100)[98]

    @property
    def ratio(self) -> float:
        return self.p99_ms(self.busy) / self.p99_ms(self.idle)


class Fill:
    """A running `python -m sensors` with all that it has started: in a process group of its own, in this session."""

    def __init__(self, env: dict[str, str]) -> None:
        command = [sys.executable, "-m", "sensors"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=pipe, text=True, process_group=0)
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if "run: frames" in line:
                return
        raise AssertionError("the fill has ended before it decoded anything")

    def stop(self) -> None:
        os.killpg(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process.poll() is None, "the fill has ended: there are too few titles"
        os.killpg(self._process.pid, signal.SIGCONT)

    def alone_until(self, there: Callable[[], bool]) -> None:
        """Go on from a stop until something is there, and stop again."""
        while not there():
            self.go_on()
            time.sleep(0.5)
        self.stop()

    def kill(self) -> None:
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.communicate()

    def cpu_s(self) -> float:
        """Return the CPU seconds of all of its processes that live."""
        ticks = 0
        for file in Path("/proc").glob("[0-9]*/stat"):
            try:
                said = file.read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(said[2]) == self._process.pid:
                ticks += int(said[11]) + int(said[12])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def reading(env: dict[str, str], said: Path) -> Iterator[subprocess.Popen[str]]:
    """Search without pause, in a process of its own, and write it behind what `said` holds already."""
    with said.open("a") as file:
        process = subprocess.Popen([sys.executable, "-c", _READ], cwd=ROOT, env=env, stdout=file, text=True)
    try:
        before = said.read_text().count("\n")
        while said.read_text().count("\n") < before + 100:
            assert process.poll() is None, "the reader has ended"
            time.sleep(0.2)
        yield process
        assert process.poll() is None, "the reader has ended"
    finally:
        process.kill()
        process.wait()


def measure(env: dict[str, str], folder: Path, titles: int) -> Seen:
    """Fill a library beside a reader, window by window; `titles` more are computed between the first and the last."""
    seen, said = Seen(), folder / "searches"
    begun = made(env)
    fill = Fill(env)
    try:
        fill.stop()
        for turn in range(WINDOWS):
            fill.alone_until(lambda turn=turn: made(env) >= begun + begun * titles * turn // SERVED // WINDOWS)
            with reading(env, said):
                seen.idle.append(window())
                before, cpu_s = made(env), fill.cpu_s()
                fill.go_on()
                seen.busy.append(window())
                fill.stop()
                seen.cpu_s += fill.cpu_s() - cpu_s
                seen.artifacts += made(env) - before
    finally:
        fill.kill()
    assert seen.artifacts, "nothing was filled in meanwhile"
    lines = said.read_text().splitlines()[:-1]
    seen.searches = [(float(begun), float(took)) for begun, took in map(str.split, lines)]
    return seen


def window() -> tuple[float, float]:
    """Let some time pass, the beginning of which does not count; return the rest."""
    time.sleep(WARM_S)
    begun = time.monotonic()
    time.sleep(WINDOW_S)
    return begun, time.monotonic()


def made(env: dict[str, str]) -> int:
    """Return how many artifacts there are."""
    return len(list(Path(env["MEDIAFLOW_HOME"]).glob("store/artifacts/*/*")))


def report(name: str, seen: Seen) -> None:
    """Print what was seen window by window: the machine may be at other work, too."""
    working_s = WINDOWS * (WARM_S + WINDOW_S)
    print(f"{name}: {seen.artifacts} artifacts in {working_s:.0f} s, {seen.cpu_s:.1f} CPU s; p99 in ms")
    for what, windows in (("idle", seen.idle), ("beside the fill", seen.busy)):
        each = " ".join(f"{seen.p99_ms([one]):8.1f}" for one in windows)
        print(f"  {what:18}{each}   in all {seen.p99_ms(windows):8.1f}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("titles", nargs="?", type=int, default=TITLES)
    titles = parser.parse_args().titles
    from benchmarks._tiny import make_tiny_library

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_tiny_library(folder / "library", SERVED)
        (folder / "mediaflow.toml").touch()
        env = os.environ | {
            "MEDIAFLOW_HOME": str(folder / "start"),
            "DAGSTER_HOME": str(folder / "start" / "dagster"),
            "MEDIAFLOW_LIBRARY": str(folder / "library"),
            "MEDIAFLOW_SETTLE_S": "0",
            "MEDIAFLOW_VISUAL_MODEL": "demo",
            # Small batches, so that all kinds of work come in turn within the windows.
            "MEDIAFLOW_BATCH_TITLES": "16",
            "MEDIAFLOW_CONFIG": str(folder / "mediaflow.toml"),
        }
        subprocess.run([sys.executable, "-m", "sensors"], cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL)
        make_tiny_library(folder / "library", titles, first=SERVED)
        found = {}
        for name, changed, spread in (("paced", {}, titles), ("unpaced", {"MEDIAFLOW_NICE": "0"}, 0)):
            home = folder / name
            shutil.copytree(folder / "start", home)
            own = {"MEDIAFLOW_HOME": str(home), "DAGSTER_HOME": str(home / "dagster")}
            found[name] = measure(env | own | changed, home, spread)
            report(name, found[name])
    paced, unpaced = found["paced"], found["unpaced"]
    return tell(
        Claim("readers' p99 beside a paced fill, x idle", paced.ratio, paced.cpu_s, most=MOST_RATIO),
        Claim("readers' p99 beside an unpaced fill, x idle", unpaced.ratio, unpaced.cpu_s),
    )


if __name__ == "__main__":
    sys.exit(main())
