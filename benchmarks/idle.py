"""What `python -m sensors` costs when nothing has changed: `python -m benchmarks.idle [titles]` prints CPU seconds.

The library is computed and published without Dagster, then `python -m sensors` records it in the event log (some
minutes in all). Then it runs once more, and imports are told apart.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks._claims import Claim, tell

ROOT = Path(__file__).parent.parent
MOST_S = 3.0

_FILL = """
import mediaflow

with mediaflow.open() as library:
    library.scan()
    for algorithm in library.model_names():
        library.ensure_model(algorithm)
    stages = [stage.name for stage in library.graph()]
    outcomes = list(library.workshop().run(library.titles(), stages))
    assert all(outcome.ok for outcome in outcomes), [one for one in outcomes if not one.ok][:3]
    library.publish()
"""
# CPU seconds inside import statements, the outermost of them, are imports; all else is the rest.
_RUN = """
import builtins, json, sys, time
from pathlib import Path
plain, spent, depth = builtins.__import__, 0.0, 0
def timed(*given, **named):
    global spent, depth
    start, depth = time.process_time(), depth + 1
    try:
        return plain(*given, **named)
    finally:
        depth -= 1
        if depth == 0:
            spent += time.process_time() - start
builtins.__import__ = timed
from sensors.__main__ import main
code = main()
Path(sys.argv[1]).write_text(json.dumps({"whole": time.process_time(), "imports": spent}))
sys.exit(code)
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("titles", nargs="?", type=int, default=1000)
    titles = parser.parse_args().titles
    from benchmarks._tiny import make_tiny_library

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_tiny_library(folder / "library", titles)
        (folder / "mediaflow.toml").touch()
        env = os.environ | {
            "MEDIAFLOW_HOME": str(folder / "home"),
            "MEDIAFLOW_LIBRARY": str(folder / "library"),
            "MEDIAFLOW_SETTLE_S": "0",
            "MEDIAFLOW_VISUAL_MODEL": "demo",
            "MEDIAFLOW_BATCH_TITLES": "250",
            "MEDIAFLOW_CONFIG": str(folder / "mediaflow.toml"),
            "DAGSTER_HOME": str(folder / "dagster"),
        }
        subprocess.run([sys.executable, "-c", _FILL], cwd=ROOT, env=env, check=True)
        filled = subprocess.run([sys.executable, "-m", "sensors"], cwd=ROOT, env=env, check=False)
        assert filled.returncode == 0, "the library could not be filled"
        times = folder / "times.json"
        command = [sys.executable, "-c", _RUN, str(times)]
        said = subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout
        cpu = json.loads(times.read_text())
    whole, imports = cpu["whole"], cpu["imports"]
    runs = said.count("run: ")
    rest = whole - imports
    print(f"{titles} titles, nothing changed: {whole:.3f} CPU s, {imports:.3f} of them imports")
    return tell(
        Claim("refresh of nothing, CPU s beyond imports", rest, rest, most=MOST_S),
        Claim("refresh of nothing, runs", runs, rest, most=0),
    )


if __name__ == "__main__":
    sys.exit(main())
