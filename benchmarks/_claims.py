"""What the benchmarks claim, beside what they saw: printed by each, and gathered by `make bench` into one table."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

_GATHERED = "BENCH_CLAIMS"


@dataclass(frozen=True)
class Claim:
    """A figure and where it must lie.

    Attributes
    ----------
    what : str
        What was measured, with its unit.
    seen : float
        The figure.
    cpu_s : float
        CPU seconds of the side that is ours.
    least, most : float or None
        The bounds; where there is none, the figure is there to be read.
    """

    what: str
    seen: float
    cpu_s: float
    least: float | None = None
    most: float | None = None

    def holds(self) -> bool:
        return (self.least is None or self.seen >= self.least) and (self.most is None or self.seen <= self.most)

    def line(self) -> str:
        bounds = (("at least", self.least), ("at most", self.most))
        bound = ", ".join(f"{word} {value:g}" for word, value in bounds if value is not None)
        verdict = ("holds" if self.holds() else "DOES NOT HOLD") if bound else ""
        return f"{self.what:<52}{self.seen:>9.3f}  {bound:<15}{verdict:<15}{self.cpu_s:>8.2f}"


HEADER = f"{'claim':<52}{'seen':>9}  {'bound':<15}{'':<15}{'CPU s':>8}"


def tell(*claims: Claim) -> int:
    """Print claims; hand them on where somebody gathers them; 1 where one does not hold, else 0."""
    print(HEADER)
    for claim in claims:
        print(claim.line())
    if gathered := os.environ.get(_GATHERED):
        with Path(gathered).open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(asdict(claim)) + "\n" for claim in claims)
    return 0 if all(claim.holds() for claim in claims) else 1


def gathering(file: Path) -> dict[str, str]:
    """Return the environment in which benchmarks hand their claims on to `file`."""
    file.touch()
    return os.environ | {_GATHERED: str(file)}


def gathered(file: Path) -> list[Claim]:
    """Return what benchmarks handed on."""
    return [Claim(**json.loads(line)) for line in file.read_text(encoding="utf-8").splitlines()]
