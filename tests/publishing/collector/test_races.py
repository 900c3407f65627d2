"""A collector or publisher sleeps at a step, or is killed there, while others publish, roll back, pin and collect."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import lance
import pytest

from mediaflow.publishing.rollback import resume
from mediaflow.publishing.verify.verify import verify
from mediaflow.snapshots.history import lines
from mediaflow.snapshots.reader import Releases
from mediaflow.storage import layout
from mediaflow.storage.commits import CommitRefused
from mediaflow.storage.objects import FolderStore
from mediaflow.storage.tables import Table
from tests.conftest import ROOT
from tests.publishing.collector.asleep import Stopped, asleep_at, converges, pin, roll_back, whole
from tests.publishing.collector.keeping import age, collect, manifests
from tests.publishing.world import World, age_epochs, copied, hooked, revisions_agree

DAYS = 86_400
STEPS = (
    "after marking",
    "before fence",
    "after fence",
    "before pins",
    "before tags",
    "before manifest",
    "before marker",
    "before seal",
    "before cleanup",
    "before files",
    "after ledger",
    "before artifacts",
)


@pytest.fixture(scope="session")
def three(prepared: World, tmp_path_factory: pytest.TempPathFactory) -> World:
    """Three releases over a changed film, with a dead attempt of a fourth; to be copied, not used."""
    world = copied(prepared, tmp_path_factory.mktemp("three") / "store")
    world.publish()
    world.film("alps", media="m3")
    world.compute()
    world.publish()
    world.film("bees", lines=("bees four",))
    world.compute()
    die(world, "absent snapshots/")
    return world


@pytest.fixture
def world(three: World, tmp_path: Path) -> World:
    return copied(three, tmp_path / "store")


class Dead(BaseException):
    """The process is no more."""


def die(world: World, place: str) -> None:
    """Publish in a process that dies before it touches a key."""

    def before(operation: str, key: str) -> None:
        if place in f"{operation} {key}" and operation != "list":
            raise Dead

    with hooked(world.store, before) as store, pytest.raises(Dead):
        world.publish(store)
    age_epochs(world.store)


def released(world: World) -> list[str]:
    return [line["snapshot"] for line in lines(world.store) if line["number"]]


def publish(world: World) -> None:
    world.film("dogs", lines=("dogs two",))
    world.compute()
    assert world.publish().outcome == "released"
    age_epochs(world.store)


def back_and_forth(world: World) -> None:
    """A film changes and changes back: 1-2-1, each published."""
    for media in ("m2", "m3"):
        world.film("alps", media=media)
        world.compute()
        assert world.publish().outcome == "released"
        age_epochs(world.store)


def pin_and_publish(world: World) -> None:
    pin(world, released(world)[0])
    publish(world)


def back_and_on(world: World) -> None:
    if roll_back(world, released(world)[0]):
        resume(world.store)
    pin(world, released(world)[0])


CASES = [
    *((step, pin_and_publish) for step in STEPS),
    *((step, back_and_on) for step in ("after marking", "after fence", "before cleanup")),
    *((step, back_and_forth) for step in ("after fence", "before cleanup", "after ledger")),
    *((step, collect) for step in ("after marking", "after fence", "before cleanup", "before files")),
]


@pytest.mark.parametrize(("step", "others"), CASES, ids=lambda one: one if isinstance(one, str) else one.__name__)
def test_a_collector_that_slept_harms_nobody(world: World, step: str, others: Callable[[World], object]) -> None:
    with asleep_at(world, f"collect: {step}", lambda: others(world) and None):
        assert collect(world).outcome in ("collected", "overtaken")
    if world.store.exists(layout.pin("reader")):
        assert revisions_agree(Releases(world.store).at(released(world)[0])), "pinned"
    converges(world)


@pytest.mark.parametrize("step", ["after marking", "after fence", "before cleanup"])
def test_a_rollback_to_a_snapshot_that_is_about_to_go_is_served_or_refused(world: World, step: str) -> None:
    first = released(world)[0]
    went: list[bool] = []
    with asleep_at(world, f"collect: {step}", lambda: went.append(roll_back(world, first))):
        collect(world)
    assert world.reader().id == (first if went[0] else released(world)[-1])
    whole(world)
    if went[0]:
        resume(world.store)
    converges(world)


def test_a_rollback_before_the_fence_saves_a_marked_snapshot_and_one_after_it_is_refused(world: World) -> None:
    first = released(world)[0]

    def marked_and_back() -> None:
        # It had looked for the marker just before it was put.
        world.store.delete(layout.condemned(first))
        assert roll_back(world, first)
        world.store.put_if_absent(layout.condemned(first), b'{"epoch": 1}')

    with asleep_at(world, "collect: after marking", marked_and_back):
        done = collect(world)
    assert first in done.leaving and world.reader().id == first
    assert revisions_agree(world.reader())


def test_a_pin_and_the_way_forth_again_between_the_looks_save_a_snapshot(world: World) -> None:
    first = released(world)[0]

    def back() -> None:
        # It had looked for the marker just before it was put.
        world.store.delete(layout.condemned(first))
        assert roll_back(world, first)
        world.store.put_if_absent(layout.condemned(first), b'{"epoch": 1}')

    def forth() -> None:
        # The current one is never refused, marked or not.
        assert pin(world, first)
        resume(world.store)
        publish(world)

    with asleep_at(world, "collect: after marking", back), asleep_at(world, "collect: before pins", forth):
        done = collect(world)
    assert first in done.leaving
    assert revisions_agree(Releases(world.store).at(first))
    converges(world)


def test_what_another_collector_marks_later_is_not_deleted(world: World) -> None:
    first = released(world)[0]
    assert pin(world, first)

    def meanwhile() -> None:
        # Let go, wanted back by somebody who looked for the marker before another collector put it.
        world.store.delete(layout.pin("reader"))
        assert roll_back(world, first)
        world.store.put_if_absent(layout.condemned(first), b'{"epoch": 99}')

    with asleep_at(world, "collect: after fence", meanwhile):
        done = collect(world)
    assert first not in done.snapshots and world.reader().id == first
    assert revisions_agree(world.reader())
    resume(world.store)
    converges(world)


@pytest.mark.parametrize("marked", [False, True])
def test_a_publish_that_began_later_keeps_its_manifest(world: World, marked: bool) -> None:
    made: list[str] = []

    def meanwhile() -> None:
        before = set(manifests(world.store))
        die(world, "absent releases/")
        made.extend(set(manifests(world.store)) - before)
        if marked:
            world.store.put_if_absent(layout.condemned(made[0]), b'{"epoch": 99}')

    with asleep_at(world, "collect: after epoch", meanwhile):
        done = collect(world)
    assert made[0] not in done.snapshots and made[0] in manifests(world.store)
    assert world.store.exists(layout.condemned(made[0])) == marked


def test_a_publish_that_began_later_keeps_its_tags(world: World) -> None:
    with asleep_at(world, "collect: after epoch", lambda: die(world, "absent snapshots/")):
        collect(world)
    tags = set(lance.dataset(world.store.uri(layout.table("titles"))).tags.list())
    assert len(tags - {f"s-{snapshot}" for snapshot in manifests(world.store)}) == 1


def test_versions_that_came_after_the_served_one_stay(world: World) -> None:
    def versions(name: str) -> set[int]:
        return {one["version"] for one in lance.dataset(world.store.uri(layout.table(name))).version_refs()}

    parts = world.reader().manifest.tables.values()
    before = {part.name: {number for number in versions(part.name) if number >= part.version} for part in parts}
    assert len(before["titles"]) > 1, "those of an attempt that died"
    assert collect(world).versions
    assert all(later <= versions(name) for name, later in before.items())


@pytest.mark.parametrize("step", ["before emptying", "after emptying", "before cleanup"])
def test_a_generation_that_comes_back_while_the_collector_sleeps_is_whole(world: World, step: str) -> None:
    old = world.reader().manifest.algorithms["objects"].table
    assert world.publish().outcome == "released"
    world.stage("objects", model="m2")
    world.compute()
    world.publish()

    def back() -> None:
        world.stage("objects", model="m1")
        world.compute()
        assert world.publish().outcome == "released"
        age_epochs(world.store)

    with asleep_at(world, f"collect: {step}", back):
        done = collect(world)
    # What it would delete next may have been taken over by the publisher, who began later.
    assert step == "before cleanup" or (done.outcome, done.tables) == ("overtaken", ())
    assert world.reader().manifest.algorithms["objects"].table == old
    converges(world)


def test_a_table_that_has_moved_on_is_not_emptied(world: World) -> None:
    table = Table(world.store, "people", {})
    base = table.open()
    table.seal(base, 98)
    with pytest.raises(CommitRefused):
        table.empty(base, 99)
    assert table.open().count_rows() > 0


def test_artifacts_that_a_later_publish_has_planned_with_stay(world: World) -> None:
    assert world.publish().outcome == "released"

    def back() -> None:
        world.film("alps", media="m2")
        assert world.plan().stale().is_empty(), "what it was made of is still there"
        assert world.publish().outcome == "released"
        age_epochs(world.store)

    with asleep_at(world, "collect: before ledger", back):
        assert collect(world).outcome == "overtaken"
    found = verify(world.store, world.reader().id).problems[world.reader().id]
    assert not [one for one in found if one.kind == "artifact"]
    converges(world)


PLACES = ("publish: before tag", "absent snapshots/", "absent releases/")


def do_collect(world: World) -> None:
    assert collect(world).outcome == "collected"


def collect_and_publish(world: World) -> None:
    do_collect(world)
    age_epochs(world.store)
    assert world.publish().outcome in ("released", "nothing new")


def roll_back_to_the_first(world: World) -> None:
    assert roll_back(world, released(world)[0])
    do_collect(world)


@pytest.mark.parametrize("place", ["releases list", "titles.0", *PLACES])
@pytest.mark.parametrize("others", [do_collect, collect_and_publish, roll_back_to_the_first])
def test_a_publisher_that_slept_through_a_collection_ends(
    world: World, place: str, others: Callable[[World], None]
) -> None:
    publish(world)
    world.film("cats", lines=("cats five",))
    world.compute()
    done: list[str] = []

    def meanwhile() -> None:
        age_epochs(world.store)
        done.append(place)
        others(world)
        age_epochs(world.store)

    def before(operation: str, key: str) -> None:
        listing = operation == "list"
        here = (
            (listing and key == "releases/")
            if place == "releases list"
            else (place in f"{operation} {key}" and not listing)
        )
        if here and not done:
            meanwhile()

    if place.startswith("publish"):
        with asleep_at(world, place, meanwhile):
            outcome = world.publish().outcome
    else:
        with hooked(world.store, before) as store:
            outcome = world.publish(store).outcome
    assert done
    assert outcome in ("overtaken", "held")
    whole(world)
    newest = Releases(world.store).newest()
    if newest is not None and newest.held:
        resume(world.store)
    converges(world)


def test_a_publisher_asleep_for_a_week_between_fragments_and_commit_loses_no_row(world: World) -> None:
    publish(world)
    world.film("cats", lines=("cats five",))
    world.compute()
    slept: list[str] = []

    def before(operation: str, key: str) -> None:
        if "dialogue" in key and key.startswith(layout.INTENTS) and not slept:
            slept.append(key)
            age(world.store, 8 * DAYS, layout.TABLES)
            age_epochs(world.store)
            do_collect(world)

    with hooked(world.store, before) as store:
        assert world.publish(store).outcome == "overtaken"
    assert slept
    converges(world)


def test_a_first_fill_that_waits_for_weeks_to_be_released_is_whole(world: World) -> None:
    world.stage("objects", model="m2")
    world.compute()
    die(world, "absent snapshots/")
    for _ in range(2):
        age(world.store, 8 * DAYS, layout.TABLES)
        age_epochs(world.store)
        do_collect(world)
    assert world.publish().outcome == "released"
    assert world.answers() == world.expected()
    converges(world)


KILLED = ("before fence", "before manifest", "before cleanup", "after ledger")


@pytest.mark.parametrize("step", KILLED)
def test_a_collector_that_was_killed_is_finished_by_the_next(sampled: World, step: str) -> None:
    sampled.publish()
    killed = subprocess.run(
        [sys.executable, "-m", "tests.publishing.process", str(sampled.store.root), f"collect: {step}", "kill", "gc"],
        cwd=ROOT,
        timeout=120,
    )
    assert killed.returncode == -9
    converges(sampled)


@pytest.mark.parametrize("step", ["after fence", "before cleanup"])
def test_a_collector_that_was_stopped_while_others_published_and_collected(sampled: World, step: str) -> None:
    sampled.publish()
    stopped = Stopped(sampled, f"collect: {step}", "gc")
    sampled.film("alps", media="m4")
    sampled.compute()
    assert sampled.publish().outcome == "released"
    do_collect(sampled)
    assert stopped.go_on() in ("collected", "overtaken")
    converges(sampled)


@pytest.mark.parametrize("place", ["intents/", "absent releases/"])
def test_a_publisher_that_was_stopped_while_others_collected(sampled: World, place: str) -> None:
    stopped = Stopped(sampled, place, "publish")
    do_collect(sampled)
    assert stopped.go_on() == "overtaken"
    converges(sampled)


def test_a_store_whose_current_manifest_is_gone_loses_nothing_more(world: World) -> None:
    from mediaflow.errors import SystemFault

    store: FolderStore = world.store
    store.delete(layout.snapshot(world.reader().id))
    before = {info.key for info in store.list("tables/")}
    with pytest.raises(SystemFault, match="nothing is deleted"):
        collect(world)
    assert {info.key for info in store.list("tables/")} == before
