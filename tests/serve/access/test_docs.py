"""The page on access says what is so: its commands and its program run as they stand, its numbers are the code's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from mediaflow.cli.main import app
from mediaflow.serve.access import door, rates, requests
from mediaflow.serve.access.audit import FILE
from mediaflow.serve.access.keys import Keys, found
from mediaflow.serve.caller import ROLES
from mediaflow.settings import Settings
from mediaflow.storage.objects import FolderStore
from tests.conftest import ROOT
from tests.serve.access.conftest import Locked

PAGE = (ROOT / "docs" / "access.md").read_text()


def test_the_commands_make_keys(tmp_path: Path) -> None:
    commands = re.findall(r"^\$ mediaflow (keys .*)$", PAGE, re.MULTILINE)
    for command in commands:
        words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', command)]
        done = CliRunner().invoke(app, words, env={"MEDIAFLOW_HOME": str(tmp_path)})
        assert done.exit_code == 0, done.stderr
        assert found(Keys(FolderStore(tmp_path / "store")).look(), done.stdout.strip())
    assert len(commands) == 3


def test_the_examples_ask_by_a_key(locked: Locked, tmp_path: Path) -> None:
    environment = {**os.environ, "KEY": locked.some}
    (command,) = re.findall(r"```console\n\$ (curl .*?)```", PAGE, re.DOTALL)
    command = command.replace("http://127.0.0.1:8000", locked.server.url)
    done = subprocess.run(["bash", "-c", command], env=environment, capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout)["data"]["titles"]["total"] == 4
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    program = program.replace("127.0.0.1:8001", locked.server.grpc)
    run = [sys.executable, "-c", program]
    done = subprocess.run(run, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout == "2\n", done


def test_the_numbers_are_those_of_the_code() -> None:
    assert f"read the keys every {door.LOOK_EVERY_S:g} s" in PAGE
    assert f"cannot read them for {door.MOST_STALE_S:g} s" in PAGE
    assert f"more than {rates.FAILURES} requests a minute without a valid key" in PAGE
    assert f"what costs {Settings.model_fields['rate_per_minute'].default:,} (`rate_per_minute`)" in PAGE
    assert f"`{FILE}`" in PAGE
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(ROLES)
    for path in requests.OPEN - {"/try.js", "/try.css"}:
        assert f"`{path}`" in PAGE, path
    for status in (401, 403, 429):
        assert any(code == status for _, code in requests.STATUS) and f"| {status}" in PAGE
