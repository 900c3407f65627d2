"""`make bench`: every measured claim, one after the other; each prints both sides, and one table at the end."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._claims import HEADER, gathered, gathering


def main() -> int:
    """Run each benchmark in a process of its own; 1 if one of them failed or missed its bound."""
    here = Path(__file__).parent
    failed = []
    with tempfile.TemporaryDirectory() as folder:
        claims = Path(folder) / "claims.jsonl"
        for file in sorted(here.glob("[!_]*.py")):
            print(f"== {file.stem}: {file.read_text().splitlines()[0].strip(chr(34))}", flush=True)
            command = [sys.executable, "-m", f"benchmarks.{file.stem}"]
            if subprocess.run(command, cwd=here.parent, env=gathering(claims)).returncode:
                failed.append(file.stem)
            print(flush=True)
        print("== all claims")
        print(HEADER)
        for claim in gathered(claims):
            print(claim.line())
    print(f"failed or over its bound: {', '.join(failed)}" if failed else "all bounds hold")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
