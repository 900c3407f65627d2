"""The docs say what the code does: settings, commands, options, links and the example of an algorithm."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from mediaflow.algorithms.registry import find
from mediaflow.cli.main import app
from mediaflow.settings import Settings

ROOT = Path(__file__).parent.parent
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text())
    missing = [link for link in links if not (page.parent / link).is_file()]
    assert not missing
