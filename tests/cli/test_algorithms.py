"""`mediaflow algorithms`: all in a table, one in full; and fields as conditions and sort keys of the search."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mediaflow.cli.main import app
from tests.serve.process import publish


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The harbour, published."""
    home = tmp_path_factory.mktemp("home")
    publish(home)
    return home


def run(home: Path, *arguments: str) -> Result:
    return CliRunner().invoke(app, arguments, env={"MEDIAFLOW_HOME": str(home), "MEDIAFLOW_VISUAL_MODEL": "demo"})


def test_all_are_listed_with_their_fields_and_coverage(home: Path) -> None:
    lines = run(home, "algorithms").stdout.splitlines()
    (faces,) = (line.split() for line in lines if line.startswith("faces "))
    assert faces == ["faces", "team:tests", "1", "label", "age,", "name,", "seen", "5", "of", "5", "3"]
    listed = [json.loads(line) for line in run(home, "algorithms", "--json").stdout.splitlines()]
    assert [one["name"] for one in listed] == sorted(one["name"] for one in listed) and len(listed) == len(lines) - 1


def test_one_is_shown_in_full(home: Path) -> None:
    shown = run(home, "algorithms", "scenes").stdout
    assert "owner: team:tests" in shown and "rows: 4 labels, of 5 of 5 titles" in shown
    assert ["scenes.light", "Float32", "equals,", "least,", "most"] in [line.split() for line in shown.splitlines()]
    assert ["scenes.tags", "List(String)", "contains"] in [line.split() for line in shown.splitlines()]
    body = json.loads(run(home, "algorithms", "scenes", "--json").stdout)
    assert {"name": "mood", "type": "String", "own": True, "comparisons": ["equals"]} in body["fields"]


def test_one_that_is_not_there_gets_a_sentence(home: Path) -> None:
    done = run(home, "algorithms", "smells")
    assert done.exit_code == 2 and done.stderr.startswith("The published snapshot has nothing of 'smells'; it can be")


@pytest.mark.parametrize(
    ("arguments", "titles"),
    [
        (["--where", "scenes.people>=2", "--where", "scenes.in_door=true"], ["harbour"]),
        (["--where", "scenes=night", "--where", "scenes.people<=5"], ["night-shift-s01e01"]),
        (["--where", "scenes.tags~=NIGHT", "--sort", "scenes.pixels"], ["night-shift-s01e02", "harbour"]),
        (["--where", "scenes.tags~=NIGHT", "--sort", "scenes.pixels:desc"], ["harbour", "night-shift-s01e02"]),
    ],
)
def test_fields_are_conditions_and_sort_keys(home: Path, arguments: list[str], titles: list[str]) -> None:
    done = run(home, "search", *arguments, "--json")
    assert [json.loads(line)["title_id"] for line in done.stdout.splitlines()] == titles, done.stderr
