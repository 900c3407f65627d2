"""A publisher that dies at any step leaves the last release served, and one ordinary publish puts all right."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mediaflow.publishing.publisher import Publication
from tests.conftest import ROOT
from tests.publishing.world import World, age_epochs, copied, hooked, revisions_agree


class Dead(BaseException):
    """The publisher's process is no more."""


@pytest.fixture
def world(sampled: World) -> World:
    return sampled


def die_at(world: World, step: int) -> str:
    """Publish in a process that dies before its step-th listing or writing; return where, empty if it got through."""
    done: list[str] = []

    def before(operation: str, key: str) -> None:
        if operation != "get" or len(done) >= step:
            done.append(f"{operation} {key}")
        if len(done) >= step:
            raise Dead

    with hooked(world.store, before) as store:
        try:
            world.publish(store)
        except Dead:
            return done[step - 1]
    return ""


def test_a_crash_at_any_step_is_healed_by_one_publish(prepared: World, tmp_path: Path) -> None:
    before, step, places = prepared.answers(), 0, []
    while True:
        step += 1
        root = tmp_path / str(step)
        world = copied(prepared, root)
        place = die_at(world, step)
        if not place:
            break
        places.append(place)
        has_released = place.startswith("put epochs")
        assert world.answers() == (world.expected() if has_released else before), place
        age_epochs(world.store)
        healed = world.publish()
        assert healed.outcome == ("nothing new" if has_released else "released"), place
        assert world.answers() == world.expected(), place
        assert revisions_agree(world.reader()), place
        shutil.rmtree(root)
    kinds = (
        "absent epochs/",
        "absent intents/",
        "exists tables/",
        "absent snapshots/",
        "absent releases/",
        "put epochs/",
    )
    assert all(any(kind in place for place in places) for kind in kinds), places


def test_many_crashes_in_a_row_and_changes_between_them_are_healed_too(world: World) -> None:
    for step, media in ((6, "m3"), (9, "m2"), (12, "m3"), (8, "m2"), (13, "m4")):
        assert die_at(world, step)
        age_epochs(world.store)
        world.film("alps", media=media)
        world.film("bees", lines=(f"bees {step}",) * (step % 3))
        world.compute()
    del world.films["cats"]
    assert world.publish().outcome == "released"
    assert world.answers() == world.expected()
    assert revisions_agree(world.reader())


def test_what_died_and_was_taken_back_leaves_what_is_served(world: World) -> None:
    before = world.answers()
    step = 1
    while "exists tables/titles" not in (place := die_at(world, step)):
        assert place, "the publish got through"
        age_epochs(world.store)
        step += 1
    age_epochs(world.store)
    world.film("alps", media="m1", name="Alps")
    world.film("bees", lines=("bees one", "bees two"))
    dogs = world.films.pop("dogs")
    assert world.publish().outcome == "nothing new", "the tables have moved on, the release has not"
    assert world.answers() == before
    world.films["dogs"] = dogs
    assert world.publish().added == ("dogs",)
    assert world.answers() == world.expected()
    assert revisions_agree(world.reader())


@pytest.mark.parametrize("place", ["intents/", "titles.0", "snapshots/", "releases/", ".end"])
def test_a_killed_process_blocks_nobody_on_its_machine(world: World, place: str) -> None:
    before = world.answers()
    killed = subprocess.run(
        [sys.executable, "-m", "tests.publishing.process", str(world.store.root), place], cwd=ROOT, timeout=120
    )
    assert killed.returncode == -9
    assert world.answers() == (world.expected() if place == ".end" else before)
    healed: Publication = world.publish()
    assert healed.outcome == ("nothing new" if place == ".end" else "released")
    assert world.answers() == world.expected()
    assert revisions_agree(world.reader())
