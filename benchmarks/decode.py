"""What a decode pass costs beyond bare decoding: CPU time of both on the same files, in one loop.

Run from the repository root: `python -m benchmarks.decode [FOLDER]`. The bound is 1.20 at 720p and 1.30 at 480p.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import av

from benchmarks._claims import Claim, tell
from mediaflow.media.decode import decode_file
from mediaflow.media.options import DecodeOptions, Limits

REPETITIONS = 5
BOUNDS = {720: 1.20, 480: 1.30}


@dataclass
class Timed:
    """CPU seconds of each repetition, both ways."""

    height: int
    frames: int
    bare: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        """Median of the ratios of neighbours in time, which share the machine's mood."""
        return statistics.median(w / b for w, b in zip(self.whole, self.bare, strict=True))


def bare_decode(path: Path) -> int:
    """Decode every frame with one thread and do nothing with it; returns their number."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        return sum(1 for _ in container.decode(stream))


def whole_pass(path: Path) -> int:
    """Decode, detect and keep frames as JPEG; returns the number of frames."""
    done = decode_file(path, DecodeOptions(), Limits(), lambda kept: None, lambda frames: None)
    return int(done.facts["frames"])


def cpu(work: Callable[[Path], int], path: Path) -> float:
    """Return the CPU seconds of this process that `work` takes."""
    start = time.process_time()
    work(path)
    return time.process_time() - start


def measure(files: list[Path]) -> dict[Path, Timed]:
    """Time both ways on each file that a bound speaks of, one after the other, several times over."""
    timed: dict[Path, Timed] = {}
    for path in files:
        with av.open(str(path)) as container:
            height = container.streams.video[0].height
        if height in BOUNDS:
            # This first pass also pays for the imports.
            timed[path] = Timed(height, whole_pass(path))
    for _ in range(REPETITIONS):
        for path, times in timed.items():
            times.bare.append(cpu(bare_decode, path))
            times.whole.append(cpu(whole_pass, path))
    return timed


def main() -> int:
    """Print the table; the exit code is 1 where a bound does not hold."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path("../shared/data/video")
    files = sorted(path for path in folder.glob("*.*") if path.suffix in (".mp4", ".ts", ".webm", ".mkv"))
    if not files:
        print(f"no films in {folder}: name a folder with some", file=sys.stderr)
        return 2
    timed = measure(files)
    print(f"{'film':<32} {'height':>6} {'frames':>6} {'bare ms/frame':>14} {'pass ms/frame':>14} {'ratio':>6}")
    groups: dict[int, list[Timed]] = defaultdict(list)
    for path, times in timed.items():
        groups[times.height].append(times)
        bare, whole = (1000 * statistics.median(side) / times.frames for side in (times.bare, times.whole))
        print(f"{path.name:<32} {times.height:>6} {times.frames:>6} {bare:>14.3f} {whole:>14.3f} {times.ratio:>6.3f}")
    claims = []
    for height, bound in BOUNDS.items():
        of_height = groups.get(height, [])
        if not of_height:
            continue
        rounds = zip(*(zip(t.bare, t.whole, strict=True) for t in of_height), strict=True)
        ratio = statistics.median(sum(w for _, w in r) / sum(b for b, _ in r) for r in rounds)
        seconds = sum(statistics.median(t.whole) for t in of_height)
        claims.append(Claim(f"decode pass / bare decode, {height}p", ratio, seconds, most=bound))
    return tell(*claims)


if __name__ == "__main__":
    sys.exit(main())
