"""The code location: it lists what the plan knows, imports one way, and loads whatever algorithms are there."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.deployment.place import ROOT, Place

_DESCRIBE = """
import json
import sys

from definitions import defs
from resources.library import open_library

library = open_library()
graph = defs.get_repository_def().asset_graph
assets = {
    key.path[-1]: {
        "deps": sorted(parent.path[-1] for parent in graph.get(key).parent_keys),
        "owners": list(graph.get(key).owners),
        "group": graph.get(key).group_name,
        "kinds": sorted(graph.get(key).kinds),
        "code": graph.get(key).code_version,
        "partitioned": graph.get(key).is_partitioned,
        "external": graph.get(key).is_external,
        "observable": graph.get(key).is_observable,
        "description": graph.get(key).description,
    }
    for key in graph.get_all_asset_keys()
}
inputs = {stage.name: sorted(stage.inputs) for stage in library.graph()}
models = library.model_names()
torch = "torch" in sys.modules
# As Dagster's code server does, which resolves what each sensor may start.
repository = defs.get_repository_def()
jobs = {job.name for job in repository.get_all_jobs()}
sensors = {sensor.name: sorted({target.job_name for target in sensor.targets}) for sensor in repository.sensor_defs}
found = {"assets": assets, "inputs": inputs, "models": models, "torch": torch}
print(json.dumps(found | {"jobs": sorted(jobs), "sensors": sensors}))
"""


def describe(place: Place) -> dict[str, Any]:
    """Load the code location in a process of its own, as Dagster does."""
    done = subprocess.run(
        [sys.executable, "-c", _DESCRIBE], cwd=ROOT, env=place.env(), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A place with algorithms whose authors did everything that an author can do wrong."""
    place = Place(tmp_path_factory.mktemp("definitions"))
    body = (place.algorithms / "brightness.py").read_text()
    for name, owner in (("type", "Jane Doe @ home"), ("media", "team:"), ("visual_model", "a:b"), ("class", "")):
        changed = body.replace('"brightness"', repr(name)).replace('"light@example.org"', repr(owner))
        (place.algorithms / f"named_{name}.py").write_text(changed)
    (place.algorithms / "torn.py").write_text(body.replace('"brightness"', '"torn"') + "\nthis is no Python\n")
    return place


@pytest.fixture(scope="module")
def found(place: Place) -> dict[str, Any]:
    return describe(place)


def test_edges_are_the_inputs_of_the_plan(found: dict[str, Any]) -> None:
    assert {"media", "subtitles", "catalogue", "frames", "visual", "dialogue", "brightness"} <= set(found["inputs"])
    for name, inputs in found["inputs"].items():
        model = [f"{name}_model"] if name in found["models"] else []
        assert found["assets"][name]["deps"] == sorted([*inputs, *model])
        assert found["assets"][name]["partitioned"]
    assert found["assets"]["snapshot"]["deps"] == sorted(found["inputs"])
    assert found["assets"]["release"]["deps"] == ["snapshot"]
    rest = set(found["assets"]) - set(found["inputs"])
    assert rest == {"snapshot", "release", *(f"{name}_model" for name in found["models"])}


def test_models_are_observed_and_never_made(found: dict[str, Any]) -> None:
    assert found["models"]
    external = {name for name, asset in found["assets"].items() if asset["external"]}
    # What cannot be observed has no data version for Dagster, and what was made with it would never be fresh.
    assert external == {name for name, asset in found["assets"].items() if asset["observable"]}
    assert external == {f"{name}_model" for name in found["models"]}


def test_a_place_without_any_model_loads(tmp_path: Path) -> None:
    found = describe(Place(tmp_path, algorithms='{"visual": {"no_such_parameter": 1}}'))
    assert found["models"] == {} and "no_such_parameter" in found["assets"]["visual"]["description"]


def test_every_sensor_has_a_job_that_can_be_made(found: dict[str, Any]) -> None:
    assert "releases" in found["sensors"]
    assert all(jobs and set(jobs) <= set(found["jobs"]) for jobs in found["sensors"].values())


def test_every_asset_says_who_owns_it_what_it_is_and_which_code(found: dict[str, Any]) -> None:
    for name, asset in found["assets"].items():
        assert asset["owners"], name
        assert asset["group"] in {"sources", "frames", "algorithms", "models", "published"}, name
        assert asset["code"] or asset["external"], name
        assert asset["kinds"] or "cannot" in asset["description"] or "taken" in asset["description"], name
    assert found["assets"]["brightness"]["owners"] == ["light@example.org"]


def test_a_broken_algorithm_is_an_asset_that_says_so_and_names_its_owner(found: dict[str, Any]) -> None:
    torn = found["assets"]["torn"]
    assert torn["owners"] == ["light@example.org"]
    assert torn["description"].startswith("torn.py cannot be imported: SyntaxError")


def test_a_name_that_is_taken_is_one_broken_algorithm(found: dict[str, Any]) -> None:
    for name in ("media", "visual_model", "type", "class"):
        renamed = [other for other in found["inputs"] if other.startswith(f"{name}_") and other != "media_type"]
        assert [found["assets"][other]["description"] for other in renamed] == [
            f"The name {name!r} in named_{name}.py is taken by mediaflow itself: rename one of them."
        ]


def test_loading_reads_algorithms_and_no_engine(found: dict[str, Any]) -> None:
    assert not found["torch"]


def imported(file: Path) -> set[str]:
    """The first parts of all modules that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


HOUSE = {"definitions", "sensors", "assets", "resources", "mediaflow", "dagster", "benchmarks", "scripts", "tests"}


@pytest.mark.parametrize(
    ("files", "allowed"),
    [
        ("definitions.py", {"assets", "resources", "sensors", "mediaflow", "dagster"}),
        ("sensors/**/*.py", {"definitions", "sensors", "assets", "resources", "mediaflow", "dagster"}),
        ("assets/**/*.py", {"assets", "resources", "mediaflow", "dagster"}),
        ("resources/**/*.py", {"resources", "mediaflow", "dagster"}),
        ("mediaflow/**/*.py", {"mediaflow"}),
    ],
)
def test_imports_run_one_way(files: str, allowed: set[str]) -> None:
    found = sorted(ROOT.glob(files))
    assert found
    for file in found:
        assert imported(file) & HOUSE <= allowed, file


def test_only_the_command_imports_the_table_of_contents() -> None:
    importing = {file.name for file in (ROOT / "sensors").glob("*.py") if "definitions" in imported(file)}
    assert importing == {"__main__.py"}
