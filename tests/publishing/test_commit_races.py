"""Committers stopped or killed at the steps of a commit, in processes of their own, while others write and clean up.

Cases 1, 2 and 5 of the publishing protocol.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from mediaflow.storage import commits
from mediaflow.storage.objects import FolderStore
from mediaflow.storage.tables import Table
from mediaflow.storage.upkeep import Upkeep
from tests.conftest import ROOT
from tests.publishing.collector.keeping import collector
from tests.publishing.world import World, age_epochs, answers, revisions_agree

# Of the tables that the sample's publish touches, in its order: shots, dialogue, objects, people, titles.
FIRST, DIALOGUE, LAST = 1, 2, 5


@pytest.fixture
def world(sampled: World) -> World:
    return sampled


@contextmanager
def stopped(world: World, step: str, times: int = 1) -> Iterator[Callable[[], str]]:
    """Start a publisher that stops at a step; what is given lets it go on and returns what came of it."""
    command = [
        sys.executable,
        "-m",
        "tests.publishing.process",
        str(world.store.root),
        step,
        "stop",
        "publish",
        str(times),
    ]
    running = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    _, status = os.waitpid(running.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status), "the publisher never came to that step"
    # It is taken for dead, as one that has been silent for long.
    age_epochs(world.store)

    def go_on() -> str:
        os.kill(running.pid, signal.SIGCONT)
        return running.communicate(timeout=120)[0].strip()

    try:
        yield go_on
    finally:
        running.kill()
        running.communicate()


def tables(world: World) -> list[Table]:
    """Return the tables of the current snapshot, to be looked at and cared for."""
    return [Table(world.store, name, {}) for name in world.reader().manifest.tables]


def make_indexes(world: World) -> None:
    for table in tables(world):
        table.tend(table.open(), Upkeep(unindexed_share=0.0))
        table.open().create_scalar_index("revision", "BTREE")


def collect(world: World) -> None:
    assert collector(world).collect().outcome == "collected"


def publish_other(world: World) -> None:
    assert world.publish().outcome == "released"


def publish_index_and_collect(world: World) -> None:
    publish_other(world)
    make_indexes(world)
    collect(world)


@pytest.mark.parametrize("meanwhile", [publish_other, publish_index_and_collect, collect])
@pytest.mark.parametrize("times", [FIRST, DIALOGUE, LAST])
@pytest.mark.parametrize("step", ["commit: before intent", "commit: before commit"])
def test_a_committer_that_slept_before_its_commit_doubles_nothing(
    world: World, step: str, times: int, meanwhile: Callable[[World], None]
) -> None:
    with stopped(world, step, times) as go_on:
        meanwhile(world)
        before = world.answers()
        assert go_on() == "overtaken"
    assert world.answers() == before
    age_epochs(world.store)
    assert world.publish().outcome == ("released" if meanwhile is collect else "nothing new")
    assert world.answers() == answers(world.reader(), newest=True) == world.expected()
    assert revisions_agree(world.reader())


def test_a_committer_whose_first_insert_of_a_film_comes_late_inserts_nothing(world: World) -> None:
    with stopped(world, "commit: before commit", DIALOGUE) as go_on:
        publish_index_and_collect(world)
        assert go_on() == "overtaken"
    name = world.reader().manifest.algorithms["dialogue"].table
    newest = Table(world.store, name, {}).open()
    assert newest.count_rows("title_no = 4") == 1, "of the film that both inserted first"


@pytest.mark.parametrize("times", [FIRST, DIALOGUE, LAST])
def test_a_committer_killed_behind_its_commit_is_not_done_again(world: World, times: int) -> None:
    before = {table.name: int(table.open().version) for table in tables(world)}
    command = [sys.executable, "-m", "tests.publishing.process", str(world.store.root)]
    killed = subprocess.run([*command, "commit: after commit", "kill", "publish", str(times)], cwd=ROOT, timeout=120)
    assert killed.returncode == -signal.SIGKILL
    there = {table.name: int(table.open().version) for table in tables(world)}
    assert world.publish().outcome == "released"
    assert world.answers() == world.expected()
    assert revisions_agree(world.reader())
    again = {table.name: commits.batches(table.open(), there[table.name]) for table in tables(world)}
    assert [batches for name, batches in again.items() if there[name] > before[name]] == [[]] * times
    assert sum(bool(batches) for batches in again.values()) == LAST - times, "the others are committed now"


@pytest.mark.parametrize("times", [FIRST, LAST])
def test_a_commit_whose_reply_is_lost_is_found_and_not_done_again(world: World, times: int) -> None:
    before = {table.name: int(table.open().version) for table in tables(world)}
    command = [sys.executable, "-m", "tests.publishing.process", str(world.store.root)]
    done = subprocess.run(
        [*command, "commit: after commit", "lose", "publish", str(times)],
        cwd=ROOT,
        timeout=120,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert done.stdout.strip() == "released"
    assert world.answers() == world.expected()
    assert revisions_agree(world.reader())
    for table in tables(world):
        batches = commits.batches(table.open(), before[table.name])
        assert batches is not None
        assert len(batches) == 1, table.name


@pytest.mark.parametrize("others", ["same films", "newer films"])
def test_upkeep_that_lands_on_the_commit_of_another_harms_nothing(world: World, others: str) -> None:
    with stopped(world, "commit: before upkeep", DIALOGUE) as go_on:
        if others == "newer films":
            world.film("alps", lines=("alps nine", "alps ten"))
            world.compute()
        publish_other(world)
        said = world.answers()
        assert go_on() == "overtaken"
    assert world.answers() == answers(world.reader(), newest=True) == said == world.expected()
    assert world.publish().outcome == "nothing new"


def test_a_commit_planned_before_a_compaction_is_made_again_after_it(store: FolderStore) -> None:
    world = World(store)
    for name in ("alps", "bees", "cats"):
        world.film(name, lines=(f"{name} one", f"{name} two"), name=name.title())
    for line in ("cats one", "cats three", "cats one"):
        world.film("cats", lines=(line, "cats two"))
        world.compute()
        publish_other(world)
    world.film("alps", media="m2", name="The Alps")
    world.film("bees", lines=("bees three",))
    world.film("dogs", lines=("dogs one",), name="Dogs")
    world.compute()
    with stopped(world, "commit: before commit", DIALOGUE) as go_on:
        table = Table(world.store, world.reader().manifest.algorithms["dialogue"].table, {})
        before = len(table.open().get_fragments())
        assert len(table.tend(table.open(), Upkeep(fragments=0)).get_fragments()) < before
        assert go_on() == "released"
    assert world.answers() == answers(world.reader(), newest=True) == world.expected()
    assert revisions_agree(world.reader())
