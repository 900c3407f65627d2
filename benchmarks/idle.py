"""What `python -m sensors` costs when nothing has changed: `python benchmarks/idle.py [titles]` prints CPU seconds.

The library is filled by `python -m sensors` itself (minutes). Then it runs once more; a process that only imports the
same modules is subtracted.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
# In place of this folder, in which `dagster` would be a benchmark.
sys.path[0] = str(ROOT)
MOST_S = 3.0

_RUN = """
import json, sys, time
from pathlib import Path
from sensors.__main__ import main
code = main()
Path(sys.argv[1]).write_text(json.dumps({"cpu": time.process_time(), "modules": list(sys.modules)}))
sys.exit(code)
"""
_IMPORT = """
import importlib, json, sys, time
from pathlib import Path
for name in json.loads(Path(sys.argv[1]).read_text())["modules"]:
    if name != "__main__":
        try:
            importlib.import_module(name)
        except ImportError:  # names that modules make up for themselves
            pass
Path(sys.argv[2]).write_text(json.dumps({"cpu": time.process_time()}))
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("titles", nargs="?", type=int, default=1000)
    titles = parser.parse_args().titles
    from benchmarks.tiny import make_tiny_library

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
        filled = subprocess.run([sys.executable, "-m", "sensors"], cwd=ROOT, env=env, check=False)
        assert filled.returncode == 0, "the library could not be filled"
        ran, imported = folder / "ran.json", folder / "imported.json"
        command = [sys.executable, "-c", _RUN, str(ran)]
        said = subprocess.run(command, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout
        subprocess.run([sys.executable, "-c", _IMPORT, str(ran), str(imported)], cwd=ROOT, env=env, check=True)
        whole, imports = (json.loads(file.read_text())["cpu"] for file in (ran, imported))
    runs = said.count("run: ")
    print(f"{titles} titles, nothing changed; CPU s")
    print(f"{'imports':24}{imports:10.3f}")
    print(f"{'the rest':24}{whole - imports:10.3f}   at most {MOST_S:g}   {(whole - imports) / MOST_S:6.2f} of it")
    print(f"{'runs':24}{runs:10d}   at most 0")
    return 0 if whole - imports <= MOST_S and runs == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
