"""`--server`: commands ask a server, with the key of the settings, and print what they print without it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mediaflow.cli.main import app
from tests.client.test_transport import Scripted, scripted
from tests.serve.conftest import Server, server

__all__ = ["scripted", "server"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A folder without a workspace."""
    monkeypatch.chdir(tmp_path)
    yield
    assert not list(tmp_path.glob(".mediaflow")), "a server is asked, and nothing is made here"


def test_the_setting_and_the_variable_name_the_server_too(server: Server, tmp_path: Path) -> None:
    asked = ["search", "--json", "--dialogue", "hello", "--limit", "1"]
    by_option = CliRunner().invoke(app, [*asked, "--server", server.url])
    assert json.loads(by_option.stdout)["release"] == 1
    by_variable = CliRunner().invoke(app, asked, env={"MEDIAFLOW_SERVER": server.url})
    (tmp_path / "mediaflow.toml").write_text(f'server = "{server.url}"')
    by_setting = CliRunner().invoke(app, asked)
    assert by_option.stdout == by_variable.stdout == by_setting.stdout


def test_titles_are_those_that_the_server_has_published(server: Server) -> None:
    done = CliRunner().invoke(app, ["titles", "--server", server.url, "--json"])
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["title_id"] for one in lines] == [
        *("harbour", "meadow", "night-shift-s01e01", "night-shift-s01e02", "night-shift-s02e01")
    ]
    assert lines[2] == {
        "title_id": "night-shift-s01e01",
        "title": "First",
        "kind": "episode",
        "year": 2009,
        "series": "Night Shift",
        "season": 1,
        "episode": 1,
    }
    table = CliRunner().invoke(app, ["titles", "--server", server.url]).stdout.splitlines()
    assert table[0].split() == ["title_id", "title", "year", "series", "season", "episode"]
    assert table[3].split() == ["night-shift-s01e01", "First", "2009", "Night", "Shift", "1", "1"]


@pytest.mark.parametrize("arguments", [[], ["--json"], ["scenes"], ["scenes", "--json"], ["smells"]])
def test_algorithms_are_told_as_without_a_server(server: Server, arguments: list[str]) -> None:
    here = CliRunner().invoke(app, ["algorithms", *arguments], env={"MEDIAFLOW_HOME": str(server.home)})
    there = CliRunner().invoke(app, ["algorithms", *arguments, "--server", server.url])
    assert (there.stdout, there.stderr, there.exit_code) == (here.stdout, here.stderr, here.exit_code)
    assert here.output


def test_the_past_is_not_asked_of_a_server(server: Server) -> None:
    done = CliRunner().invoke(app, ["search", "a", "--as-of", "1-aaaaaaaa", "--server", server.url])
    assert done.exit_code == 2
    assert done.stderr == "A server answers from what is current: leave out --as-of, or --server.\n"


def test_the_key_goes_to_the_server_and_nowhere_else(scripted: Scripted) -> None:
    scripted.script = [(200, {"data": {"search": 5}}, {})]
    done = CliRunner().invoke(app, ["search", "a", "--server", scripted.url], env={"MEDIAFLOW_KEY": "very secret"})
    assert scripted.asked[0]["authorization"] == "Bearer very secret"
    assert done.exit_code == 1 and "not as mediaflow does" in done.stderr
    assert "very secret" not in done.output


@pytest.mark.parametrize("wrong", ["films.example", ""])
def test_what_is_no_address_is_a_sentence(wrong: str) -> None:
    done = CliRunner().invoke(app, ["titles", "--server", wrong])
    assert done.exit_code == 2 and done.stderr.startswith(f"{wrong!r} is no address of a server")
