"""The house: what the wheel holds, what an import costs, which way imports run, and what each module says of itself."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mediaflow.storage.objects import FolderStore
from tests.conftest import ROOT
from tests.search.world import World, cue

MODULES = sorted(
    path for folder in ("mediaflow", "assets", "resources", "sensors") for path in (ROOT / folder).rglob("*.py")
)
HEAVY = ("torch", "dagster", "lance", "lancedb", "polars", "pyarrow", "av", "cv2", "open_clip", "scenedetect", "numpy")


def imported(code: str) -> set[str]:
    """Run code in a new process; return which packages it has imported."""
    listed = f"{code}\nimport sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", listed], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    "code",
    [
        "import mediaflow",
        "from mediaflow.library import open_library",
        "from mediaflow.cli.main import app; app(['--help'], standalone_mode=False)",
        "from mediaflow.cli.main import app; app(['search', '--help'], standalone_mode=False)",
        "from mediaflow.cli.main import app; app(['serve', '--help'], standalone_mode=False)",
    ],
)
def test_a_look_at_the_door_imports_nothing_heavy(code: str) -> None:
    assert not imported(code) & set(HEAVY)


def test_the_faces_import_no_model_and_nothing_that_decodes() -> None:
    models = {"torch", "open_clip", "dagster", "av", "cv2", "scenedetect"}
    assert not imported("import mediaflow.serve.server") & models


def test_a_search_for_words_imports_no_torch_and_never_dagster(tmp_path: Path) -> None:
    world = World(FolderStore(tmp_path))
    world.title("film")
    world.dialogue(cue("film", 0, 1_000, "hello there"))
    manifest = world.reader().manifest
    (tmp_path / "manifest.json").write_bytes(manifest.to_json())
    code = f"""
from pathlib import Path
from mediaflow.models.registry import ModelRegistry
from mediaflow.search.gateway import Gateway
from mediaflow.search.query import Dialogue, Query
from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.reader import SnapshotReader
from mediaflow.storage.objects import FolderStore
root = Path({str(tmp_path)!r})
store = FolderStore(root)
reader = SnapshotReader(store, Manifest.from_json((root / "manifest.json").read_bytes()))
gateway = Gateway(reader, ModelRegistry(store, root / "models"), None)
assert [hit.title_id for hit in gateway.search(Query((Dialogue("hello"),)))] == ["film"]
"""
    packages = imported(code)
    assert "lance" in packages
    assert not packages & {"torch", "open_clip", "dagster", "av", "scenedetect"}


def test_the_wheel_holds_mediaflow_alone(tmp_path: Path) -> None:
    there = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in there:
        (tmp_path / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, tmp_path / "clone" / name)
    build = ["build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(tmp_path / "clone")]
    subprocess.run([sys.executable, "-m", *build], check=True, capture_output=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = set(packed.namelist())
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"mediaflow"}
    assert not {name for name in there if name.startswith("mediaflow/")} - names


def test_imports_run_one_way() -> None:
    done = subprocess.run([Path(sys.executable).parent / "lint-imports"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_the_table_of_contents_imports_only_the_deployment() -> None:
    tree = ast.parse((ROOT / "definitions.py").read_text())
    found = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    found += [name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names]
    packages = {str(name).partition(".")[0] for name in found} - sys.stdlib_module_names
    assert packages == {"dagster", "assets", "resources", "sensors"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_says_in_its_first_line_what_it_is_for(path: Path) -> None:
    said = ast.get_docstring(ast.parse(path.read_text())) or ""
    first = said.splitlines()[0] if said else ""
    assert len(first) > 15 and first[-1] in ".:;?", first


def test_no_function_is_past_60_lines() -> None:
    functions = [
        (path.name, node.name, (node.end_lineno or 0) - node.lineno)
        for path in MODULES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    ]
    assert not [one for one in functions if one[2] > 60]
