"""Dagster's own share in a run of 50 titles: `python -m benchmarks.dagster [titles]` prints CPU seconds as a table.

Everything is fresh, so that a run computes nothing and only says what there is: once through Dagster, which logs an
event a title and stage, and once without it. The difference is Dagster's.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks._claims import Claim, tell

ROOT = Path(__file__).parent.parent
MOST_MS_AN_EVENT = 25.0
MOST_S_A_TITLE = 0.2
_REPEATS = 3


def cpu(work: Callable[[], Any]) -> float:
    """Return the least CPU seconds of some repetitions of `work`, in this process."""
    best = float("inf")
    for _ in range(_REPEATS):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def process_start() -> float:
    """Return the CPU seconds of a process that loads the code location and ends."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", "import definitions"], cwd=ROOT, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def fill(library: Any) -> list[str]:
    """Compute all stages without Dagster; return their names."""
    library.scan()
    for algorithm in library.model_names():
        library.ensure_model(algorithm)
    stages = [stage.name for stage in library.graph() if not stage.broken]
    outcomes = list(library.workshop().run(library.titles(), stages))
    assert all(outcome.ok for outcome in outcomes), [outcome.reason for outcome in outcomes if not outcome.ok][:3]
    return stages


def measure(titles: int) -> int:
    """Print what was seen; 1 where a bound does not hold."""
    import dagster as dg

    from definitions import defs
    from resources.library import open_library
    from sensors.prepare import prepare_home
    from sensors.requests import titles_run

    with open_library() as library:
        stages = fill(library)
        prepare_home(library)
        records = library.titles()
        keys = [dg.AssetKey(stage) for stage in stages]
        job = defs.get_repository_def().get_implicit_job_def_for_assets(keys)
        request = titles_run(stages, [record.title_id for record in records], "light", "benchmark", record=True)
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        with dg.DagsterInstance.get() as instance:
            instance.add_dynamic_partitions("titles", [record.title_id for record in records])

            def through_dagster() -> None:
                result = job.execute_in_process(
                    run_config={**request.run_config, **quiet},
                    instance=instance,
                    asset_selection=keys,
                    tags=request.tags,
                )
                made = result.filter_events(lambda event: event.is_step_materialization)
                assert len(made) == len(stages) * titles

            with_it = cpu(through_dagster)
        without = cpu(lambda: list(library.workshop().run(records, stages, record=True)))
    share = with_it - without
    an_event, a_title = 1000 * share / (len(stages) * titles), share / titles
    print(f"{titles} titles, {len(stages)} stages: {len(stages) * titles} events; CPU s")
    for name, value in (("run through Dagster", with_it), ("same without", without)):
        print(f"{name:24}{value:10.3f}")
    start = process_start()
    return tell(
        Claim("Dagster's share, CPU ms an event", an_event, share, most=MOST_MS_AN_EVENT),
        Claim("Dagster's share, CPU s a title", a_title, share, most=MOST_S_A_TITLE),
        Claim("Dagster's process start, CPU s", start, start),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("titles", nargs="?", type=int, default=50)
    titles = parser.parse_args().titles
    warnings.simplefilter("ignore")
    from benchmarks._tiny import make_tiny_library

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_tiny_library(folder / "library", titles)
        (folder / "mediaflow.toml").touch()
        os.environ |= {
            "MEDIAFLOW_HOME": str(folder / "home"),
            "MEDIAFLOW_LIBRARY": str(folder / "library"),
            "MEDIAFLOW_SETTLE_S": "0",
            "MEDIAFLOW_VISUAL_MODEL": "demo",
            "MEDIAFLOW_CONFIG": str(folder / "mediaflow.toml"),
            "DAGSTER_HOME": str(folder / "dagster"),
        }
        return measure(titles)


if __name__ == "__main__":
    sys.exit(main())
