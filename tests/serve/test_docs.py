"""The page on serving says what is so: its commands and its program run as they stand, its numbers are the code's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mediaflow.search.process.wire import MOST_DEEP as MOST_CLAUSES_DEEP
from mediaflow.search.process.wire import MOST_LEAVES
from mediaflow.serve import http, work
from mediaflow.serve.graphql import limits, schema
from mediaflow.serve.grpc import face
from mediaflow.serve.server import DRAIN_S
from mediaflow.serve.service import MOST_ON_A_PAGE
from mediaflow.serve.watch import state
from mediaflow.serve.watch.record import Record
from tests.conftest import ROOT
from tests.serve.conftest import Server

PAGE = (ROOT / "docs" / "serve.md").read_text()
CONSOLE = re.findall(r"```console\n\$ (curl .*?)```", PAGE, re.DOTALL)
COMMANDS = [command for command in CONSOLE if "/graphql" in command]


@pytest.mark.parametrize("at", range(len(COMMANDS)))
def test_each_command_gets_an_answer(at: int, server: Server, tmp_path: Path) -> None:
    (tmp_path / "still.jpg").write_bytes(b"\xff\x00\x00")
    command = COMMANDS[at].replace("http://127.0.0.1:8000", server.url)
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60)
    body = json.loads(done.stdout)
    assert "errors" not in body
    (found, *_) = body["data"].values()
    assert found.get("hits") or found.get("titles") or found.get("rows") or found.get("algorithms")


def test_the_metrics_are_those_of_the_code(server: Server) -> None:
    (command,) = (one for one in CONSOLE if "/metrics" in one)
    command = command.replace("http://127.0.0.1:8000", server.url)
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == 'mediaflow_snapshot_info{snapshot="1-aaaaaaaa"} 1.0\n'
    said = set(re.findall(r"`mediaflow_(\w+)`", PAGE))
    assert said == {*state.SAID, "requests_total", "request_seconds", "snapshot_info"}


def test_the_line_of_the_log_is_one_of_the_code() -> None:
    (line,) = re.findall(r"```json\n(.*?)\n```", PAGE, re.DOTALL)
    record = Record(
        id="5f2c9a3e71d04b86",
        face="graphql",
        operation="search",
        code="OK",
        snapshot="00000000000000000004-8bb630e4",
        hits=3,
    )
    command = f"from mediaflow.serve.watch import log, record; log.set_up(log.Form.JSON); log.log(record.{record!r})"
    done = subprocess.run([sys.executable, "-c", command], cwd=ROOT, capture_output=True, text=True, timeout=60)
    found, shown = json.loads(done.stderr), json.loads(line)
    measured = {"duration_ms", "cpu_ms", "time", "message"}
    assert list(found) == list(shown)
    assert {name: found[name] for name in found.keys() - measured} == {
        name: shown[name] for name in shown.keys() - measured
    }


def test_the_program_prints_hits(server: Server) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    program = program.replace("127.0.0.1:8001", server.grpc)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60)
    first, *_, last = done.stdout.splitlines()
    assert (first, last) == ("harbour 8000 Hello hello", "night-shift-s01e02 100 hello from the deep"), done


def test_the_limits_are_those_of_the_code() -> None:
    assert f"at most {http.MOST_BYTES // 2**20} MiB and {work.LIMIT_S:g} s" in PAGE
    assert f"at most {MOST_LEAVES} clauses, {MOST_CLAUSES_DEEP} deep" in PAGE
    assert f"at most {limits.MOST_CHARACTERS:,} characters and {limits.MOST_TOKENS:,} tokens" in PAGE
    assert f"at most {limits.MOST_DEEP} deep, and what it asks for may cost {limits.MOST_COST:,}" in PAGE
    assert f"answers what was begun, for {DRAIN_S} s at most" in PAGE
    assert f"20 without it, {MOST_ON_A_PAGE} at most" in PAGE
    for name, cost in (limits.COSTS | limits.BESIDE).items():
        assert re.search(rf"`{name}`(, `\w+`)*( and `\w+`)? {cost}\b", PAGE), name


def test_the_codes_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| (`\w+`.*?) \| `(\w+)` \|", PAGE, re.MULTILINE)
    said = {name: code for names, code in rows for name in re.findall(r"`(\w+)`", names)}
    for kind, code in face.CODES:
        if kind.__name__ in said:
            assert said.pop(kind.__name__) == code.name
    wrong = dict.fromkeys(("WrongCursor", "NoSuchField", "NoSuchAlgorithm", "WrongValue"), "INVALID_ARGUMENT")
    assert said == wrong | {"TooLarge": "RESOURCE_EXHAUSTED", "InternalError": "INTERNAL"}


def test_the_page_names_every_clause() -> None:
    source = (Path(schema.__file__).with_name("schema.graphql")).read_text()
    members = re.search(r"input Clause @oneOf \{(.*?)\n\}", source, re.DOTALL)
    assert members
    for name in re.findall(r"^  (\w+):", members[1], re.MULTILINE):
        assert f"`{name}`" in PAGE, name
