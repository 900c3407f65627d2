"""Several publishers at once, one that stops for long and goes on, and readers in the middle of a publish."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier, Event

import pytest

from mediaflow.publishing.epochs import Epochs
from mediaflow.publishing.publisher import Publication
from mediaflow.snapshots.reader import SnapshotReader
from mediaflow.storage import layout
from mediaflow.storage.log import NumberedLog
from mediaflow.storage.objects import FolderStore
from tests.conftest import ROOT
from tests.publishing.world import World, age_epochs, answers, hooked, revisions_agree

WAIT_S = 60


@pytest.fixture
def world(sampled: World) -> World:
    return sampled


@contextmanager
def stopped_at(world: World, operation: str, place: str) -> Iterator[Future[Publication]]:
    """Start a publish that stops before it touches a key for the first time; it goes on when the block ends."""
    there, go = Event(), Event()

    def before(doing: str, key: str) -> None:
        if doing == operation and place in key and not there.is_set():
            there.set()
            assert go.wait(WAIT_S)

    with hooked(world.store, before) as store, ThreadPoolExecutor(1) as threads:
        running = threads.submit(world.publish, store)
        try:
            assert there.wait(WAIT_S), f"the publish never came to {operation} {place}"
            yield running
        finally:
            go.set()


def test_of_many_publishers_at_once_one_releases(world: World) -> None:
    barrier = Barrier(4)

    def publish() -> str:
        barrier.wait()
        return World(world.store, world.stages, world.films).publish().outcome

    with ThreadPoolExecutor(4) as threads:
        outcomes = [running.result() for running in [threads.submit(publish) for _ in range(4)]]
    assert outcomes.count("released") == 1
    assert set(outcomes) <= {"released", "busy", "nothing new"}
    assert world.answers() == world.expected()
    assert revisions_agree(world.reader())


def test_of_processes_at_once_one_releases(world: World) -> None:
    command = [sys.executable, "-m", "tests.publishing.process", str(world.store.root)]
    running = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    outcomes = [process.communicate(timeout=120)[0].strip() for process in running]
    assert outcomes.count("released") == 1
    assert set(outcomes) <= {"released", "busy", "nothing new"}
    assert world.answers() == world.expected()
    assert revisions_agree(world.reader())
    assert world.publish().outcome == "nothing new"


STOPS = [
    ("list", "releases/", "newer films"),
    ("put if absent", "intents/", "newer films"),
    ("put if absent", "intents/", "same films"),
    ("exists", "tables/shots", "newer films"),
    ("put if absent", "/titles.0", "same films"),
    ("exists", "tables/titles", "newer films"),
    ("put if absent", "snapshots/", "newer films"),
    ("put if absent", "releases/", "same films"),
]


@pytest.mark.parametrize(("operation", "place", "other_has"), STOPS, ids=[" ".join(stop) for stop in STOPS])
def test_a_publisher_that_slept_through_another_one_changes_nothing(
    world: World, operation: str, place: str, other_has: str
) -> None:
    with stopped_at(world, operation, place) as sleeper:
        age_epochs(world.store)
        if other_has == "newer films":
            world.film("alps", media="m3")
            del world.films["cats"]
            world.compute()
        other = world.publish()
        assert other.outcome == "released"
        said = world.answers()
        assert said == world.expected()
    assert sleeper.result(WAIT_S).outcome == "overtaken"
    assert world.reader().id == (other.manifest and other.manifest.id)
    assert answers(world.reader()) == answers(world.reader(), newest=True) == said
    assert world.publish().outcome == "nothing new"
    world.film("bees", lines=("bees nine",))
    world.compute()
    assert world.publish().outcome == "released"
    assert world.answers() == world.expected()
    assert revisions_agree(world.reader())


def test_films_that_two_publishers_insert_for_the_first_time_are_there_once(store: FolderStore) -> None:
    world = World(store)
    world.film("alps")
    world.film("bees")
    world.compute()
    with stopped_at(world, "put if absent", "intents/") as sleeper:
        age_epochs(world.store)
        assert world.publish().outcome == "released"
    assert sleeper.result(WAIT_S).outcome == "overtaken"
    assert answers(world.reader(), newest=True) == world.expected()


def test_a_publisher_that_is_alive_is_not_disturbed(world: World) -> None:
    with stopped_at(world, "put if absent", "snapshots/") as running:
        assert world.publish().outcome == "busy"
    assert running.result(WAIT_S).outcome == "released"


def test_a_publisher_that_failed_makes_room_at_once(world: World) -> None:
    def fail(operation: str, key: str) -> None:
        if operation == "put if absent" and "snapshots/" in key:
            raise ConnectionError("the store is away")

    with hooked(world.store, fail) as store, pytest.raises(ConnectionError):
        world.publish(store)
    assert world.publish().outcome == "released"


def test_an_epoch_of_another_machine_is_waited_for_until_it_has_been_silent_for_long(store: FolderStore) -> None:
    owner = {"host": "another-machine", "pid": 1, "process": "x"}
    assert NumberedLog(store, layout.EPOCHS).append(1, {"purpose": "publish", "owner": owner})
    assert Epochs(store).begin() == 0
    age_epochs(store)
    assert Epochs(store).begin() == 2
    assert Epochs(store).begin() == 0, "our own process is alive"
    Epochs(store).end(2, "released")
    assert Epochs(store).begin() == 3


def test_a_process_number_that_was_given_again_is_not_taken_for_its_old_owner(store: FolderStore) -> None:
    assert Epochs(store).begin() == 1
    body = NumberedLog(store, layout.EPOCHS).read(1)
    other = FolderStore(store.root / "other")
    body["owner"]["process"] = "that of before the restart"
    assert NumberedLog(other, layout.EPOCHS).append(1, body)
    assert Epochs(other).begin() == 2


def test_a_reader_between_the_commits_of_two_tables_answers_from_the_old_snapshot_whole(world: World) -> None:
    before, after = world.answers(), world.expected()
    with stopped_at(world, "put if absent", "/titles.0"):
        reader = world.reader()
        assert answers(reader) == before
        mixed = answers(reader, newest=True)
        assert mixed not in (before, after), "the newest of each table is a mix, and this test would see it"
        assert mixed["alps"]["dialogue"] == before["alps"]["dialogue"]
        assert mixed["alps"]["shots"] == after["alps"]["shots"]
        assert mixed["alps"]["name"] == before["alps"]["name"]
    assert answers(reader) == before, "a reader stays where it was opened"
    assert world.answers() == after


def test_readers_that_open_all_through_a_publish_see_the_old_or_the_new_and_nothing_else(world: World) -> None:
    before, after = world.answers(), world.expected()
    seen = []

    def look(operation: str, key: str) -> None:
        reader: SnapshotReader = world.reader()
        assert revisions_agree(reader)
        seen.append(answers(reader))

    with hooked(world.store, look) as store:
        assert world.publish(store).outcome == "released"
    assert all(one in (before, after) for one in seen)
    assert seen[-1] == after, "the mark that ends the epoch comes after the release"
    assert seen[-2] == before, "nothing is seen before its number stands"
