"""The page for users says what the code does."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mediaflow.catalog.overlay import TitleFile, parse_overlay
from tests.catalog.library import Library

PAGE = (Path(__file__).parents[2] / "docs" / "library.md").read_text()


@pytest.fixture(scope="module")
def example() -> dict[str, Any]:
    (text,) = re.findall(r"```json\n(.*?)```", PAGE, re.S)
    value: dict[str, Any] = json.loads(text)
    return value


def test_the_example_is_read_without_a_problem_and_shows_every_field(example: dict[str, Any]) -> None:
    facts, problems = parse_overlay(json.dumps(example).encode())
    assert problems == []
    assert set(facts) == set(TitleFile.model_fields)
    assert facts["fields"] == example["fields"]
    assert facts["people"] == (("Sigourney Weaver", "Ripley"), ("Jerry Goldsmith", None))


def test_the_table_names_every_field() -> None:
    table = PAGE.split("| field | value |")[1].split("\n\n")[0]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == set(TitleFile.model_fields)


def test_the_layout_gives_the_ids_that_the_page_names(library: Library, example: dict[str, Any]) -> None:
    (drawn,) = re.findall(r"```text\nlibrary/\n(.*?)```", PAGE, re.S)
    folders: list[str] = []
    for line in drawn.splitlines():
        indent, name = re.fullmatch(r"((?:[│ ]   )*)[├└]── (.*)", line).groups()  # type: ignore[union-attr]
        folders = folders[: len(indent) // 4]
        if name.endswith("/"):
            folders.append(name)
        else:
            nfo = "<tvshow><title>The Show</title></tvshow>" if name == "tvshow.nfo" else "<movie/>"
            nfo = "<episodedetails/>" if "S01E01" in name else nfo
            content = {"nfo": nfo, "json": json.dumps(example)}.get(name.rpartition(".")[2])
            library.write("".join(folders) + name, content)
    library.refresh()
    assert library.last.problems == []
    assert set(library.catalog.titles) == {
        "alien-1979",
        "the-show-s01e01",
        "the-show-s01e02",
        "the-show-s00e01",
        "holiday-beach",
    }
    assert len(library.title("alien-1979").subtitles) == 3
    for title_id in ("alien-1979", "the-show-s01e02", "holiday-beach"):
        assert f"`{title_id}`" in PAGE
