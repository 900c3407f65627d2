"""The page on own fields says what is so: its commands and programs run as they stand, over rows of its algorithm."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from typer.testing import CliRunner

from mediaflow.algorithms.contract import Algorithm, Shape
from mediaflow.cli.main import app
from mediaflow.search.process.wire import read_query
from mediaflow.search.route.fields import compares, type_of
from mediaflow.serve.graphql.names import camel, members
from mediaflow.storage.objects import FolderStore
from tests.conftest import ROOT
from tests.search.world import LABEL, World, cue
from tests.serve.conftest import Server, start, stop
from tests.serve.process import release

PAGE = (ROOT / "docs" / "types.md").read_text()
PROGRAMS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
CONSOLE = "\n".join(re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL))
COMMANDS = re.findall(r"^\$ (.*?)(?=\n\$|\Z|\n\n)", CONSOLE, re.DOTALL | re.MULTILINE)
ROWS: list[dict[str, Any]] = [
    {
        "label": "dark",
        "mean_luma": 0.1,
        "indoors": True,
        "lamps": 2,
        "hues": ["Teal", "red"],
        "brightest": {"x": 0.5, "y": 0.25},
    },
    {"label": "bright", "mean_luma": 0.75, "indoors": False, "lamps": None, "hues": ["teal"], "brightest": None},
    {
        "label": "dark",
        "mean_luma": 0.25,
        "indoors": True,
        "lamps": 5,
        "hues": ["teal"],
        "brightest": {"x": 0.0, "y": 1.0},
    },
]


def declared() -> type[Algorithm]:
    """Return the algorithm of the page."""
    names: dict[str, Any] = {"Algorithm": Algorithm, "Shape": Shape, "pl": pl}
    exec(PROGRAMS[0], names)
    light: type[Algorithm] = names["Light"]
    return light


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Films whose shots have rows of the page's algorithm, released."""
    home = tmp_path_factory.mktemp("home")
    world = World(FolderStore(home / "store"))
    light = declared()
    for at in range(len(ROWS)):
        world.title(f"film-{at}")
    world.dialogue(*(cue(f"film-{at}", 0, 900, "Hello") for at in range(len(ROWS))))
    rows = [
        {"title_id": f"film-{at}", "start_ms": 0, "end_ms": 1000, "confidence": 1.0, **row}
        for at, row in enumerate(ROWS)
    ]
    world.algorithm(light.name, light.shape.value, {**LABEL, **light.fields}, rows, tuple(light.fields))
    release(home, world)
    return home


@pytest.fixture(scope="module")
def served(home: Path) -> Iterator[Server]:
    server = start(home)
    yield server
    assert stop(server) == 0


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.startswith("mediaflow ")])
def test_each_command_prints_what_there_is(command: str, home: Path) -> None:
    done = CliRunner().invoke(app, shlex.split(command)[1:], env={"MEDIAFLOW_HOME": str(home)})
    assert done.exit_code == 0 and done.stdout and not done.stderr, done.stderr
    if "--json" in command:
        assert [json.loads(line)["title_id"] for line in done.stdout.splitlines()] == ["film-2", "film-0", "film-1"]
    if "algorithms" in command:
        assert all(f"light.{name}" in done.stdout for name in declared().fields)


@pytest.mark.parametrize("at", range(3))
def test_each_request_gets_an_answer(at: int, served: Server) -> None:
    command = [one for one in COMMANDS if one.startswith("curl ")][at].replace("http://127.0.0.1:8000", served.url)
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=60)
    data = json.loads(done.stdout)["data"]
    if at == 2:
        assert {one["name"] for one in data["__type"]["inputFields"]} > {"meanLuma", "hues", "value"}
        return
    assert [hit["titleId"] for hit in data["search"]["hits"]] == (
        ["film-2", "film-0"] if at == 0 else ["film-0", "film-2"]
    )
    if at == 0:
        (first, _) = (hit["sources"][0]["own"] for hit in data["search"]["hits"])
        assert first == {"meanLuma": 0.25, "lamps": 5, "hues": ["teal"], "brightest": {"x": 0.0, "y": 1.0}}


def test_the_programs_run(home: Path, served: Server) -> None:
    _, local, remote = PROGRAMS
    environment = {**os.environ, "MEDIAFLOW_HOME": str(home), "PYTHONPATH": str(ROOT)}
    printed = []
    for program in (local, remote.replace("127.0.0.1:8001", served.grpc)):
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=home, env=environment, capture_output=True, text=True
        )
        assert not done.stderr
        printed.append(done.stdout.splitlines())
    assert [line.split()[0] for line in printed[0]] == ["film-0", "film-2"] and "['Teal', 'red']" in printed[0][0]
    assert printed[1] == ["film-0 2.0", "film-2 5.0"]


def test_the_query_is_one(home: Path) -> None:
    import mediaflow

    (block,) = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    with mediaflow.open(home=home) as library:
        hits = library.search(read_query(json.loads(block))).hits
    assert [hit.title_id for hit in hits] == ["film-2", "film-0"]


def test_the_table_is_that_of_the_code() -> None:
    for said, how in re.findall(r"^\| (.*?) \| (.*?) \|$", PAGE, re.MULTILINE)[2:]:
        for name in re.findall(r"`(\w+)`", said):
            kind = {"List": "List(Int8)", "Array": "Array(Int8, shape=(2,))", "Struct": "Struct({'a': Int8})"}.get(
                name, name
            )
            assert list(compares(type_of(kind))) == re.findall(r"`(\w+)`", how), name
    assert list(compares(pl.Int8())) == list(compares(pl.Float32())) == ["equals", "least", "most"]


def test_the_names_are_those_of_the_code() -> None:
    assert camel("mean_luma") == "meanLuma" and "`mean_luma` is `meanLuma`" in PAGE
    assert members(["a1", "a_1"])["a_1"] == "a1_" and "of `a1` and `a_1`, the second is `a1_`" in PAGE
