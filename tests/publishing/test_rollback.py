"""Rollback and resume: what is served goes back and stays there until told to go on, whoever else is at work."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from mediaflow.errors import UsageError
from mediaflow.publishing.rollback import AlreadyHeld, NotHeld, NothingBefore, resume, rollback
from mediaflow.snapshots.reader import NothingPublished, Releases, UnknownSnapshot
from mediaflow.snapshots.release import Release
from mediaflow.storage import layout
from mediaflow.storage.objects import FolderStore
from tests.conftest import ROOT
from tests.publishing.test_together import stopped_at
from tests.publishing.world import World, hooked, revisions_agree

WAIT_S = 60


@pytest.fixture
def world(sampled: World) -> World:
    """Two releases: three films, then two of them changed and one more."""
    assert sampled.publish().outcome == "released"
    return sampled


def log(world: World) -> list[Release]:
    releases = Releases(world.store)
    return [releases.entry(number) for number in releases.log.numbers()]


def ids(world: World) -> list[str]:
    return [release.snapshot for release in log(world)]


def test_a_rollback_serves_the_snapshot_before_and_a_resume_and_publish_bring_the_new_back(sampled: World) -> None:
    world, before = sampled, sampled.answers()
    world.publish()
    first = ids(world)[0]
    done = rollback(world.store, None, " wrong titles ")
    assert world.answers() == before
    assert done == Release(3, first, log(world)[1].epoch, "rollback", True, "wrong titles", done.at_ms)
    assert not world.due()
    held = world.publish()
    assert (held.outcome, held.release, held.manifest and held.manifest.id) == ("held", 3, first)
    assert world.answers() == before
    resumed = resume(world.store)
    assert (resumed.n, resumed.kind, resumed.snapshot, resumed.held) == (4, "resume", first, False)
    assert world.answers() == before, "a resume alone changes no answer"
    assert world.due()
    again = world.publish()
    assert (again.outcome, again.release, again.added) == ("released", 5, ("dogs",))
    assert world.answers() == world.expected()
    assert revisions_agree(world.reader())
    assert [release.kind for release in log(world)] == ["publish", "publish", "rollback", "resume", "publish"]
    assert rollback(world.store, None, "once more").snapshot == first, "that is what the last one was published upon"


def test_times_stand_in_entries_and_manifests_in_milliseconds(world: World) -> None:
    rollback(world.store, None, "x")
    resume(world.store)
    times = [release.at_ms for release in log(world)]
    manifest = world.reader().manifest
    assert all(time is not None and manifest.created_ms <= time for time in times)
    assert times[-1] and times[-1] - manifest.created_ms < 600_000
    assert world.store.get(f"{layout.RELEASES}{3:020d}.json").startswith(b'{"at_ms": 1')


def test_rollbacks_in_a_row_go_further_back_and_any_released_snapshot_can_be_named_while_held(world: World) -> None:
    world.film("alps", media="m3")
    world.compute()
    world.publish()
    first, second, third = ids(world)
    assert rollback(world.store, None, "x").snapshot == second
    assert rollback(world.store, None, "x").snapshot == first
    with pytest.raises(NothingBefore, match="is the first of this library"):
        rollback(world.store, None, "x")
    with pytest.raises(AlreadyHeld, match="held already, by release 5"):
        rollback(world.store, first, "x")
    assert rollback(world.store, third, "x").snapshot == third
    assert world.reader().release == 6
    assert world.answers() == world.expected()
    assert world.publish().outcome == "held", "it is the newest snapshot, and held all the same"


def test_what_cannot_be_done_is_a_sentence_and_leaves_no_entry(world: World, tmp_path: Path) -> None:
    with pytest.raises(UnknownSnapshot, match="There is no snapshot '7-seven'"):
        rollback(world.store, "7-seven", "x")
    with pytest.raises(UsageError, match="--reason TEXT"):
        rollback(world.store, None, " ")
    with pytest.raises(NotHeld, match="number 2 is current"):
        resume(world.store)
    assert len(log(world)) == 2
    store = FolderStore(tmp_path / "empty")
    for nothing in (lambda: rollback(store, None, "x"), lambda: resume(store)):
        with pytest.raises(NothingPublished, match="make refresh"):
            nothing()
    assert not list(store.list(layout.RELEASES))


def test_entries_of_before_kind_held_and_time_were_written_go_on_to_work(world: World) -> None:
    first, second = ids(world)
    for number, release in enumerate(log(world), 1):
        world.store.put(f"{layout.RELEASES}{number:020d}.json", json.dumps({"snapshot": release.snapshot}).encode())
    old = log(world)
    assert old[1] == Release(2, second, int(second[:20]), "publish", False, "", None)
    assert world.publish().outcome == "nothing new"
    assert rollback(world.store, None, "x").snapshot == first
    assert world.publish().outcome == "held"
    resume(world.store)
    assert world.publish().outcome == "released"
    assert world.answers() == world.expected()


@pytest.mark.parametrize("place", ["releases/", "snapshots/", "/titles.0"])
def test_a_rollback_in_the_middle_of_a_publish_takes_its_number(world: World, place: str) -> None:
    world.film("alps", media="m3")
    world.compute()
    first = ids(world)[0]
    with stopped_at(world, "put if absent", place) as sleeper:
        assert rollback(world.store, None, "stop it").n == 3
        said = world.answers()
    assert sleeper.result(WAIT_S).outcome == "overtaken"
    assert (world.reader().id, world.answers()) == (first, said)
    assert world.publish().outcome == "held"
    unreleased = {info.key for info in world.store.list(layout.SNAPSHOTS)} - {
        layout.snapshot(one) for one in ids(world)
    }
    for key in unreleased:
        with pytest.raises(UnknownSnapshot, match="was never released"):
            rollback(world.store, key.removeprefix(layout.SNAPSHOTS).removesuffix(".json"), "x")
    assert len(unreleased) == 1, "it has its tags and its manifest, and no number"
    resume(world.store)
    assert world.publish().outcome == "released"
    assert world.answers() == world.expected()
    assert revisions_agree(world.reader())


def test_a_publish_in_the_middle_of_a_rollback_is_what_it_goes_back_from(world: World) -> None:
    world.film("alps", media="m3")
    world.compute()
    first, slept = ids(world)[0], []

    def publish(operation: str, key: str) -> None:
        if operation == "put if absent" and not slept:
            slept.append(world.publish().outcome)

    with hooked(world.store, publish) as store:
        done = rollback(store, None, "x")
    assert slept == ["released"]
    assert (done.n, done.snapshot, done.epoch) == (4, first, log(world)[2].epoch)


def test_of_rollbacks_at_once_each_gets_a_number_and_none_is_lost(world: World) -> None:
    world.film("alps", media="m3")
    world.compute()
    world.publish()
    targets = ids(world)[:2]
    barrier = Barrier(4)

    def roll(at: int) -> tuple[int, str, str]:
        barrier.wait()
        done = rollback(FolderStore(world.store.root), targets[at % 2], f"operator {at}")
        return done.n, done.snapshot, done.reason

    with ThreadPoolExecutor(4) as threads:
        done = sorted(threads.map(roll, range(4)))
    assert done == [(one.n, one.snapshot, one.reason) for one in log(world)[3:]]
    assert [number for number, _, _ in done] == [4, 5, 6, 7]


_ROLL = """
import sys
from pathlib import Path
from mediaflow.publishing.rollback import rollback
from mediaflow.storage.objects import FolderStore
for turn in range(20):
    print(rollback(FolderStore(Path(sys.argv[1])), sys.argv[2 + turn % 2], f"{sys.argv[4]} {turn}").n)
"""


def test_two_processes_that_roll_back_without_pause_get_one_number_each_time(world: World) -> None:
    for media in ("m3", "m4"):
        world.film("alps", media=media)
        world.compute()
        world.publish()
    targets = ids(world)
    command = [sys.executable, "-c", _ROLL, str(world.store.root)]
    running = [
        subprocess.Popen([*command, *two, name], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for two, name in ((targets[:2], "one"), (targets[2:], "two"))
    ]
    printed = [process.communicate(timeout=120)[0].split() for process in running]
    assert sorted(int(number) for numbers in printed for number in numbers) == list(range(5, 45))
    said = {str(release.n): release for release in log(world)}
    for numbers, two, name in ((printed[0], targets[:2], "one"), (printed[1], targets[2:], "two")):
        found = [(said[number].snapshot, said[number].reason) for number in numbers]
        assert found == [(two[turn % 2], f"{name} {turn}") for turn in range(20)]
