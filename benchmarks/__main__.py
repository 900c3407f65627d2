"""`make bench`: every measured claim, one after the other; each prints both sides, their ratio and the CPU time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run each benchmark in a process of its own; 1 if one of them failed or missed its bound."""
    here = Path(__file__).parent
    failed = []
    for file in sorted(here.glob("[!_]*.py")):
        print(f"== {file.stem}: {file.read_text().splitlines()[0].strip(chr(34))}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{file.stem}"], cwd=here.parent).returncode:
            failed.append(file.stem)
        print(flush=True)
    print(f"failed or over its bound: {', '.join(failed)}" if failed else "all bounds hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
