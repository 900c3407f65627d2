"""The docs say what the code does: settings, commands, options, links and the example of an algorithm."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import typer.main

from mediaflow.algorithms.registry import find
from mediaflow.cli.evaluate import print_comparison, print_evaluation, print_stored
from mediaflow.cli.main import app
from mediaflow.quality.comparison import compare
from mediaflow.quality.evaluation import evaluate
from mediaflow.quality.questions import ANSWERED, ASKED, NARROWED, read
from mediaflow.search.post.facets import FACETS
from mediaflow.search.process.wire import LEAVES, SIMILAR, read_clause, read_query, write_clause, write_query
from mediaflow.search.query import Filters, Query, SpaceJoin, TimeJoin, Weighted
from mediaflow.settings import Settings
from mediaflow.storage.objects import FolderStore
from tests.publishing.gates.studio import Studio
from tests.publishing.world import STAGES
from tests.quality.club import PAGE, gateway, golden

ROOT = Path(__file__).parent.parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def table_rows(page: str) -> list[list[str]]:
    """Return the cells of all table rows of a page of the docs."""
    lines = (ROOT / "docs" / page).read_text().splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]


def test_the_settings_page_lists_every_setting_with_its_default() -> None:
    said = {row[0].strip("`"): (row[1].strip("`"), row[2]) for row in table_rows("settings.md")}
    defaults = {name: field.default for name, field in Settings.model_fields.items()}
    expected = {
        name: ("none" if value is None else str(value), Settings.model_fields[name].description)
        for name, value in defaults.items()
    }
    assert said == expected


def test_the_start_page_lists_every_command_with_its_options() -> None:
    commands = dict(_commands(typer.main.get_command(app)))
    rows = [row for row in table_rows("start.md") if row[0].startswith("`mediaflow ")]
    words = [re.findall(r"(?<= )[a-z]+", row[0].strip("`")) for row in rows]
    said = {" ".join(of): set(re.findall(r"--[a-z-]+", row[2])) for of, row in zip(words, rows, strict=True)}
    assert said.keys() == commands.keys()
    for name, command in commands.items():
        if name != "search":
            options = {option for param in command.params for option in param.opts if option.startswith("--")}
            assert said[name] == options - {"--help"}, name


def _commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """Give each command by all of its words: those of a group come with the group's."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def test_the_example_of_an_algorithm_is_one(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "algorithms.md").read_text()
    example = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert example
    (tmp_path / "brightness.py").write_text(example.group(1))
    found = {one.name: one for one in find((tmp_path,), {"brightness": {"dark_below": 10}})}
    assert found["brightness"].broken == ""
    assert found["brightness"].parameters.model_dump() == {"dark_below": 10.0}


def test_the_example_of_an_evaluation_comes_to_what_the_page_shows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PAGE.read_text()
    shown = dict(re.findall(r"```console\n\$ mediaflow (.*?)\n(.*?)```", text, re.DOTALL))
    questions = read(golden(tmp_path))
    before = evaluate(
        gateway(FolderStore(tmp_path / "before"), "00000000000000000003-d024becf", "green fog"), questions
    )
    after = evaluate(gateway(FolderStore(tmp_path / "after")), questions)
    at_ms = int(datetime(2026, 11, 22, 14, 31, 9).timestamp() * 1000)
    stored = [replace(before, at_ms=at_ms), replace(after, at_ms=at_ms + 1000)]
    for words, show in (
        ("evaluate golden.toml", lambda: print_evaluation(after)),
        ("evaluate golden.toml --against previous", lambda: print_comparison(compare(before, after))),
        ("evaluate --stored", lambda: print_stored(stored, as_json=False)),
    ):
        show()
        printed = "".join(f"{line.rstrip()}\n" for line in capsys.readouterr().out.splitlines())
        assert printed == shown[words].removeprefix("…\n")


def test_the_page_on_evaluation_lists_every_key_of_a_question() -> None:
    said = [key for row in table_rows("evaluation.md") for key in re.findall(r"`(\w+)`", row[0])]
    assert sorted(said) == sorted([*ASKED, *NARROWED, *ANSWERED, "RR"])


def test_the_program_of_the_page_on_evaluation_runs(tmp_path: Path) -> None:
    world = Studio(FolderStore(tmp_path / "store"), [stage for stage in STAGES if stage.name != "objects"])
    for lines in ((), ("I never left.",)):
        world.film("the-paper-signal-1956", lines=lines)
        world.compute()
        assert world.publish().outcome == "released"
    (tmp_path / "mediaflow.toml").write_text('home = "."')
    entry = '[[question]]\ndialogue = "never left"\ntitle = "the-paper-signal-1956"\ntime = "0"\n'
    (tmp_path / "golden.toml").write_text(entry)
    (program,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("all  1.0\nclause dialogue 1.0\n", "")


def test_every_query_of_the_page_on_queries_is_one() -> None:
    blocks = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "query.md").read_text(), re.S)
    assert len(blocks) > 4
    for block in map(json.loads, blocks):
        written = write_query(read_query(block)) if "clauses" in block else write_clause(read_clause(block))
        assert written.keys() <= block.keys()


def test_the_page_on_queries_lists_every_clause_with_its_fields() -> None:
    page = (ROOT / "docs" / "query.md").read_text()
    rows = {name: row for row in table_rows("query.md") for name in re.findall(r"`(\w+)`", row[0])}
    for name, kind in LEAVES.items():
        missing = {one.name for one in fields(kind)} - set(re.findall(r"`(\w+)`", rows[name][1]))
        assert not missing, f"{name}: {missing}"
    told = set(re.findall(r"`(\w+)`", page))
    assert {one.name for kind in (Query, Filters, TimeJoin, SpaceJoin, Weighted) for one in fields(kind)} <= told
    assert set(SIMILAR) | set(FACETS) <= told


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text())
    missing = [link for link in links if not (page.parent / link).is_file()]
    assert not missing
