"""A new algorithm is one file: dropped into a folder, or installed as a package, and nothing else is changed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mediaflow.demo.library import make_film
from tests.conftest import ROOT

PLUGIN = '''
"""`{name}`: which lines are questions, and how long they are."""

import polars as pl

from mediaflow.algorithms.contract import Algorithm, Shape


class {kind}(Algorithm):
    name = "{name}"
    version = "1"
    owner = "ann@example.org"
    inputs = ("cues",)
    shape = Shape.LABEL
    fields = {{"letters": pl.Int32, "words": pl.List(pl.String)}}
    description = "Whether a line asks or says."

    def run(self, batch):
        text = pl.col("text")
        asks = pl.when(text.str.contains("?", literal=True)).then(pl.lit("asks")).otherwise(pl.lit("says"))
        own = {{"letters": text.str.len_chars().cast(pl.Int32), "words": text.str.split(" ")}}
        for title in batch:
            yield title.cues.select("start_ms", "end_ms", label=asks, confidence=pl.lit(1.0), **own)
'''
CUES = "1\n00:00:00,100 --> 00:00:00,900\nWho goes there?\n\n2\n00:00:01,000 --> 00:00:01,500\nA friend.\n"


class Place:
    """A library of one film, and processes that look after it."""

    told = ""

    def __init__(self, folder: Path) -> None:
        self.library = folder / "library"
        self.algorithms = folder / "algorithms"
        self.packages = folder / "packages"
        for part in (self.library, self.algorithms, self.packages):
            part.mkdir()
        film = self.library / "Watch (2001).mp4"
        make_film(film, seed=1, shots=2, size=(96, 64), shot_seconds=1.0, fps=12)
        film.with_suffix(".en.srt").write_text(CUES)
        self.environment = {
            **os.environ,
            "MEDIAFLOW_HOME": str(folder / "home"),
            "DAGSTER_HOME": str(folder / "home" / "dagster"),
            "MEDIAFLOW_LIBRARY": str(self.library),
            "MEDIAFLOW_ALGORITHM_FOLDERS": str(self.algorithms),
            "MEDIAFLOW_VISUAL_MODEL": str(folder / "no model"),
            "MEDIAFLOW_SETTLE_S": "0",
            "PYTHONPATH": str(self.packages),
        }

    def refresh(self) -> str:
        """Refresh in another process; exit code 3, because `visual` has no model here."""
        done = self._run("sensors")
        assert done.returncode == 3, done.stdout + done.stderr
        return done.stdout

    def search(self, *asked: str) -> list[dict[str, Any]]:
        done = self._run("mediaflow.cli.main", "search", *asked, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    def status(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self._run("mediaflow.cli.main", "status", "--json").stdout)
        return found

    def python(self, code: str) -> str:
        return self._run(None, "-c", code).stdout

    def _run(self, module: str | None, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, *(["-m", module] if module else []), *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A library that is published, and has then got two new algorithms, and been refreshed once."""
    place = Place(tmp_path_factory.mktemp("place"))
    place.refresh()
    assert "asking" not in place.status()["algorithms"]
    (place.algorithms / "asking.py").write_text(PLUGIN.format(name="asking", kind="Asking"))
    install_wheel(tmp_path_factory.mktemp("wheel"), place.packages)
    place.told = place.refresh()
    return place


def hits(found: list[dict[str, Any]]) -> list[tuple[str, int, int, str]]:
    return [(one["title"], one["start_ms"], one["end_ms"], one["sources"][0]["algorithm"]) for one in found]


def test_a_file_dropped_into_the_folder_is_computed_and_searchable(place: Place) -> None:
    assert hits(place.search("--where", "asking=asks")) == [("Watch", 100, 900, "asking")]
    assert hits(place.search("--where", "asking.letters=9")) == [("Watch", 1000, 1500, "asking")]
    assert place.status()["algorithms"]["asking"] == {
        "owner": "ann@example.org",
        "covered": 1,
        "of": 1,
        "without": 0,
        "served": True,
        "current": True,
        "pending": [],
        "kept": None,
        "seconds_left": None,
    }


def test_an_installed_wheel_is_computed_and_searchable(place: Place) -> None:
    assert hits(place.search("--where", "wondering=says")) == [("Watch", 1000, 1500, "wondering")]


def test_only_the_new_algorithms_were_computed(place: Place) -> None:
    # A model that cannot be had is looked for again now and then, however long all of it takes.
    runs = [line for line in place.told.splitlines() if line.startswith("run: ") and "visual_model" not in line]
    assert len(runs) == 2
    assert runs[0].startswith("run: asking, wondering of 1 title (never built: 1)")
    assert runs[1].startswith("run: snapshot, release")


def test_both_are_assets_with_their_owner(place: Place) -> None:
    specs = "import definitions; specs = {one.key.path[-1]: one for one in definitions.defs.resolve_all_asset_specs()}"
    said = place.python(f"{specs}; print(*(specs[name].owners for name in ('asking', 'wondering')))")
    assert said.strip() == "['ann@example.org'] ['ann@example.org']"


def test_a_file_that_breaks_is_said_with_its_owner_and_what_it_gave_stays(place: Place) -> None:
    (place.algorithms / "asking.py").write_text("import nowhere" + PLUGIN.format(name="asking", kind="Asking"))
    assert "stopped: asking: asking.py cannot be imported: ModuleNotFoundError" in place.refresh()
    asking = place.status()["algorithms"]["asking"]
    assert (asking["owner"], asking["served"], asking["current"]) == ("ann@example.org", True, False)
    assert hits(place.search("--where", "asking=asks")) == [("Watch", 100, 900, "asking")]


def install_wheel(folder: Path, target: Path) -> None:
    """Build the wheel of a package that offers an algorithm, and install it."""
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[project]\nname = "wondering"\nversion = "1"\n'
        '[project.entry-points."mediaflow.algorithms"]\nwondering = "wondering:Wondering"\n'
        '[tool.setuptools]\npy-modules = ["wondering"]\n'
    )
    (folder / "wondering.py").write_text(PLUGIN.format(name="wondering", kind="Wondering"))
    build = ["build", "--wheel", "--no-isolation", "--outdir", str(folder / "out"), str(folder)]
    subprocess.run([sys.executable, "-m", *build], check=True, capture_output=True, timeout=300)
    (wheel,) = (folder / "out").glob("*.whl")
    install = ["uv", "pip", "install", "--offline", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run([sys.executable, "-m", *install], check=True, capture_output=True, timeout=300)
