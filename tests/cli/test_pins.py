"""Pins on the command line: a snapshot is kept for a time, listed with who and why, and let go."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from mediaflow.cli.main import app
from mediaflow.snapshots.pins import Pins
from mediaflow.storage.objects import FolderStore
from tests.publishing.collecting import collect
from tests.publishing.world import World, sample


@pytest.fixture
def world(tmp_path: Path) -> World:
    return sample(FolderStore(tmp_path / "store"))


def run(world: World, *words: str) -> Result:
    home = world.store.root.parent
    (home / "mediaflow.toml").touch()
    variables = {"MEDIAFLOW_HOME": str(home), "MEDIAFLOW_CONFIG": str(home / "mediaflow.toml")}
    return CliRunner(env=variables).invoke(app, list(words))


def listed(world: World) -> list[list[dict[str, str]]]:
    return [json.loads(line)["pins"] for line in run(world, "snapshots", "--json").stdout.splitlines()]


def test_a_pin_keeps_a_snapshot_until_it_is_let_go(world: World) -> None:
    old = world.reader().id
    done = run(world, "pin", "current", "--for", "12h", "--why", "the\naudit")
    said = re.fullmatch(rf"Pin (\w+) keeps snapshot {old} until (20\d\d-\S+ \S+)\.\n", done.stdout)
    assert (done.exit_code, bool(said)) == (0, True), done.output
    pin, until = said.groups() if said else ("", "")
    world.publish()
    assert run(world, "search", "--dialogue", "bees", "--as-of", old).stdout.count("bees") >= 2
    assert collect(world.store, old) == []
    assert [[one["id"] for one in pins] for pins in listed(world)] == [[pin], []]
    (line,) = listed(world)[0]
    assert (line["snapshot"], line["why"]) == (old, "the\naudit")
    assert abs(int(line["until_ms"]) - 12 * 3_600_000 - time.time() * 1000) < 60_000
    printed = run(world, "snapshots").stdout.splitlines()
    assert printed[-1].startswith(f"Pin {pin} keeps snapshot {old} until {until[:13]}")
    assert printed[-1].endswith(f" for {line['who']}: the / audit")
    gone = run(world, "unpin", pin)
    assert gone.stdout == f"Pin {pin} keeps snapshot {old} no longer (the / audit).\n"
    assert collect(world.store, old) == [old]


def test_all_pins_of_people_on_a_snapshot_go_at_once_and_those_of_readers_stay(world: World) -> None:
    current = world.reader().id
    for why in ("one", "two"):
        assert run(world, "pin", current, "--why", why).exit_code == 0
    with Pins(world.store, why="a test") as pins:
        pins.current()
        assert len(run(world, "unpin", current).stdout.splitlines()) == 2
        refused = run(world, "unpin", current)
        assert (refused.exit_code, "which relies on it" in refused.stderr) == (2, True)
        assert [one["why"] for one in listed(world)[0]] == ["a test"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("pin", "current"), "Say why"),
        (("pin", "7-seven", "--why", "x"), "There is no snapshot '7-seven'"),
        (("pin", "current", "--why", "x", "--for", "soon"), "'soon' is no duration"),
        (("pin", "current", "--why", "x", "--for", "0d"), "'0d' is no duration"),
        (("pin", "current", "--why", "x", "--for", "-1d"), "'-1d' is no duration"),
        (("unpin", "7-seven"), "There is no pin '7-seven'"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(world: World, words: tuple[str, ...], sentence: str) -> None:
    done = run(world, *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(sentence) and len(done.stderr.splitlines()) == 1
    assert listed(world) == [[]]
