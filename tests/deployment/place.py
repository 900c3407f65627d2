"""A library with its workspace, as the deployment's processes see it: by environment variables."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cached_property
from pathlib import Path
from typing import Any

import mediaflow
from mediaflow.library import Library

ROOT = Path(__file__).parent.parent.parent

# Shots are labelled; titles that the file `sulking` names fail, and not by their own fault.
BRIGHTNESS = """
from pathlib import Path

import polars as pl

from mediaflow.algorithms.contract import Algorithm, Shape


class Brightness(Algorithm):
    name = "brightness"
    version = "1"
    owner = "light@example.org"
    description = "Whether a shot is bright."
    inputs = ("shots", "frames")
    shape = Shape.LABEL

    def run(self, batch):
        for title in batch:
            if title.title_id in (Path(__file__).parent / "sulking").read_text().split():
                raise RuntimeError("the lamp is out")
            yield title.shots.select(
                "start_ms", "end_ms", label=pl.lit("bright"), confidence=pl.lit(0.5, pl.Float32)
            )
"""


class Place:
    """A library folder, a workspace and a folder of algorithms.

    Parameters
    ----------
    folder : Path
        A folder of its own.
    **settings
        Settings that differ from those of the tests.
    """

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.home, self.library, self.algorithms = folder / "home", folder / "library", folder / "algorithms"
        self.dagster_home = self.home / "dagster"
        self.library.mkdir(parents=True)
        self.algorithms.mkdir()
        (self.algorithms / "brightness.py").write_text(BRIGHTNESS)
        self.sulk()
        self.config = folder / "mediaflow.toml"
        self.config.touch()
        self._settings: dict[str, Any] = {
            "home": self.home,
            "library": self.library,
            "algorithm_folders": self.algorithms,
            "built_in": "visual,dialogue",
            "settle_s": 0,
            # Weights would cost seconds in every run; without them the algorithm is stopped, which is a case, too.
            "visual_model": str(folder / "nowhere"),
            "decode_workers": 2,
            "retry_delays_s": "[3600, 3600]",
            **settings,
        }

    def sulk(self, *titles: str) -> None:
        """Say which titles the algorithm `brightness` fails on from now on."""
        (self.algorithms / "sulking").write_text(" ".join(titles))

    def env(self) -> dict[str, str]:
        """Return the environment of a process of this deployment."""
        foreign = ("MEDIAFLOW_", "DAGSTER_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        given = {f"MEDIAFLOW_{name.upper()}": str(value) for name, value in self._settings.items()}
        return kept | given | {"MEDIAFLOW_CONFIG": str(self.config), "DAGSTER_HOME": str(self.dagster_home)}

    def start_refresh(self) -> subprocess.Popen[str]:
        """Start `python -m sensors`."""
        command = [sys.executable, "-m", "sensors"]
        pipe = subprocess.PIPE
        return subprocess.Popen(command, cwd=ROOT, env=self.env(), stdout=pipe, stderr=pipe, text=True)

    def refresh(self) -> subprocess.CompletedProcess[str]:
        """Run `python -m sensors` to its end."""
        process = self.start_refresh()
        output, errors = process.communicate(timeout=240)
        return subprocess.CompletedProcess(process.args, process.returncode, output, errors)

    def python(self, *arguments: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run Python in the repository, in this deployment's environment or in `env`."""
        command = [sys.executable, *arguments]
        return subprocess.run(command, cwd=ROOT, env=env or self.env(), capture_output=True, text=True, timeout=120)

    def forget_dagster(self) -> None:
        """Delete all that Dagster knows."""
        shutil.rmtree(self.dagster_home)

    def open(self) -> Library:
        """Open the library in this process."""
        settings = self._settings | {"algorithm_folders": [self.algorithms], "retry_delays_s": [3600, 3600]}
        return mediaflow.open(**settings)

    def reopen(self) -> None:
        """See the library with the code of algorithms as it is now."""
        del self.view

    @cached_property
    def view(self) -> Library:
        """The library as this process sees it."""
        return self.open()

    def states(self) -> dict[tuple[str, str], tuple[str, str]]:
        """Return by (stage, title) the plan's state and revision."""
        rows = self.view.plan().frame.select("stage", "title_id", "state", "revision").iter_rows()
        return {(stage, title): (state, revision) for stage, title, state, revision in rows}

    def revisions(self) -> dict[tuple[str, str], str]:
        """Return by (stage, title) the revision of each artifact that the plan calls fresh."""
        return {what: revision for what, (state, revision) in self.states().items() if state == "fresh"}

    def served(self) -> dict[str, str]:
        """Return by title what the current release serves of it, as it stands in the table of titles."""
        rows = self.view.current().table("titles").to_table(columns=["title_id", "served"]).to_pylist()
        return {row["title_id"]: row["served"] for row in rows}

    def settled(self, *titles: str) -> bool:
        """Say whether the plan asks for nothing more of these titles, and what is whole is published."""
        plan = self.view.plan()
        stale = set(plan.stale()["title_id"])
        known = set(plan.frame["title_id"])
        return known.issuperset(titles) and stale.isdisjoint(titles) and not self.view.publish_due(plan)

    def all_facts(self) -> list[tuple[str, str, str]]:
        """Return the (stage, title, state) of all facts about titles in the ledger, in the order in which they came."""
        rows = self.view.ledger.facts().select("stage", "title_id", "state").iter_rows()
        return [(stage, title, state) for stage, title, state in rows if title]

    def facts(self, state: str) -> list[tuple[str, str]]:
        """Return the (stage, title) of those of one state."""
        return [(stage, title) for stage, title, found in self.all_facts() if found == state]
