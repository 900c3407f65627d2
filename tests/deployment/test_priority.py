"""Runs give way to readers: the niceness of real processes, with their threads and their decode workers."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.deployment.films import Films
from tests.deployment.place import Place

ALPHA = "alpha-2001"
FULL, HALF = 19, 9

# Says while it runs how nice the threads of its process are, and those of the processes that this one has started.
_WITNESS = """
import json
import os
from pathlib import Path

import polars as pl

from mediaflow.algorithms.contract import Algorithm, Shape


def niceness(process):
    tasks = Path(f"/proc/{process}/task").iterdir()
    return [os.getpriority(os.PRIO_PROCESS, int(task.name)) for task in tasks]


def parent(process):
    return int(Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[1])


class Witness(Algorithm):
    name = "witness"
    version = "1"
    owner = "team:peace"
    inputs = ("shots", "frames")
    shape = Shape.LABEL

    def run(self, batch):
        all_ = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
        workers = [one for one in all_ if parent(one) == os.getpid()]
        said = {"own": niceness(os.getpid()), "workers": [nice for one in workers for nice in niceness(one)]}
        (Path(__file__).parent / "said.json").write_text(json.dumps(said))
        for title in batch:
            yield title.shots.select("start_ms", "end_ms", label=pl.lit("seen"), confidence=pl.lit(1, pl.Float32))
"""

# What processes of Dagster's do: one looks, and is started from for runs; a run publishes, or computes.
_LOOK_AND_RUN = """
import os
import warnings

import dagster as dg

warnings.simplefilter("ignore")
from definitions import defs
from resources.library import LibraryResource

repository = defs.get_repository_def()
with dg.DagsterInstance.get() as instance:
    with dg.build_sensor_context(
        instance, repository_def=repository, sensor_name="refresh", resources={"library": LibraryResource()}
    ) as context:
        repository.get_sensor_def("refresh").evaluate_tick(context)
    print("NICE", os.getpriority(os.PRIO_PROCESS, 0))
    for names, partition in ((("snapshot", "release"), None), (("witness",), "alpha-2001")):
        keys = [dg.AssetKey(name) for name in names]
        job = repository.get_implicit_job_def_for_assets(keys)
        assert job.execute_in_process(instance=instance, asset_selection=keys, partition_key=partition).success
        print("NICE", os.getpriority(os.PRIO_PROCESS, 0))
"""


@pytest.fixture
def place(tmp_path: Path, films: Films) -> Place:
    place = Place(tmp_path)
    films.put(place.library, ALPHA, seed=0)
    (place.algorithms / "brightness.py").unlink()
    (place.algorithms / "witness.py").write_text(_WITNESS)
    return place


def own() -> int:
    """Return how nice this process is: what it starts is never less so."""
    return os.getpriority(os.PRIO_PROCESS, 0)


def refreshed(place: Place) -> dict[str, list[int]]:
    """Return how nice the threads of a refresh were, and those of its decode workers."""
    done = place.refresh()
    file = place.algorithms / "said.json"
    assert file.is_file(), done.stdout + done.stderr
    said: dict[str, list[int]] = json.loads(file.read_text())
    assert said["own"] and said["workers"]
    return said


def test_runs_and_their_decode_workers_give_way_and_a_publish_half_as_far_and_sensors_not(place: Place) -> None:
    said = refreshed(place)
    assert set(said["own"] + said["workers"]) == {FULL}
    done = place.python("-c", _LOOK_AND_RUN)
    assert done.returncode == 0, done.stderr
    nice = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("NICE")]
    assert nice == [own(), max(own(), HALF), FULL]


def test_with_0_they_run_as_everything_else(place: Place) -> None:
    place.config.write_text("nice = 0\n")
    said = refreshed(place)
    assert set(said["own"] + said["workers"]) == {own()}
