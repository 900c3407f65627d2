"""`mediaflow keys`: a key is printed once, listed without its secret, and ended; each of it leaves a line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mediaflow.cli.main import app
from mediaflow.search.titles.rights import Rights
from mediaflow.serve.access.keys import Keys, found
from mediaflow.storage.objects import FolderStore


def run(home: Path, *words: str) -> Any:
    return CliRunner().invoke(app, ["keys", *words], env={"MEDIAFLOW_HOME": str(home)})


def test_a_key_is_printed_once_and_lets_in(tmp_path: Path) -> None:
    done = run(tmp_path, "add", "shop", "--series", "Night Shift", "--title", "harbour", "--expires", "90d")
    assert done.exit_code == 0, done.stderr
    assert done.stderr.splitlines() == [
        "There is no title 'harbour' now; the key sees it once there is.",
        "There is no series 'Night Shift' now; the key sees it once there is.",
    ]
    key = found(Keys(FolderStore(tmp_path / "store")).look(), done.stdout.strip())
    assert key and key.rights == Rights(frozenset({"harbour"}), frozenset({"Night Shift"}))
    assert key.expires_ms and key.expires_ms - key.made_ms == pytest.approx(90 * 86_400_000, abs=60_000)
    listed = run(tmp_path, "list", "--json").stdout
    (line,) = map(json.loads, listed.splitlines())
    assert (line["name"], line["state"], line["roles"], line["series"]) == (
        "shop",
        "holds",
        ["search"],
        ["Night Shift"],
    )
    assert done.stdout.strip().split("_", 2)[2] not in listed + run(tmp_path, "list").stdout


def test_a_key_is_revoked_by_name(tmp_path: Path) -> None:
    given = run(tmp_path, "add", "player", "--all", "--role", "search", "--role", "admin").stdout.strip()
    assert run(tmp_path, "revoke", "player").stdout.startswith("The key 'player' (")
    assert found(Keys(FolderStore(tmp_path / "store")).look(), given) is None
    assert "revoked" in run(tmp_path, "list").stdout
    again = run(tmp_path, "revoke", "player")
    assert again.exit_code == 2 and again.stderr.startswith("There is no key 'player' to revoke")
    lines = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    assert [(line["what"], line["outcome"]) for line in lines] == [
        ("keys add player", "done"),
        ("keys revoke player", "done"),
        ("keys revoke player", "UsageError"),
    ]
    assert given not in (tmp_path / "audit.jsonl").read_text()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("add", "a"), "Say what the key may see: --title, --series, or --all."),
        (("add", "a", "--all", "--title", "x"), "give one of the two"),
        (("add", "a", "--all", "--role", "root"), "There is no role 'root'; there are search, admin."),
        (("add", "a", "--all", "--expires", "soon"), "'soon' is no duration"),
        (("add", "a", "--role", "admin", "--title", "x"), "Only a key with the role 'search' sees titles"),
    ],
)
def test_a_key_of_no_use_is_refused_in_a_sentence(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = run(tmp_path, *words)
    assert done.exit_code == 2 and said in done.stderr and not done.stdout
