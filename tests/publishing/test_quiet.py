"""The cut of the titles that moved, and what is served of all others: together the same as the cut of all titles."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest

from mediaflow.planning.stage import Stage
from mediaflow.publishing.cut import serve
from mediaflow.publishing.quiet import cut_of
from mediaflow.publishing.served import ServedMemory
from mediaflow.snapshots.reader import Releases
from mediaflow.storage.objects import FolderStore
from tests.publishing.world import World


def same_cut(world: World) -> None:
    plan, titles = world.look()
    served = ServedMemory().read(world.store, Releases(world.store))
    whole = serve(world.graph, plan, titles, served.manifest, served.titles)
    narrowed = cut_of(world.graph, plan, titles, served)
    assert narrowed.content == whole.content
    assert replace(narrowed, titles={}) == replace(whole, titles={})
    assert narrowed.titles == whole.titles


def step(world: World, random: Random, turn: int) -> None:
    """Change something at random: films, stages, what is computed, what is given up."""
    name = random.choice("abcdef")
    kind = random.randrange(9)
    if kind < 4 or name not in world.films:
        world.film(name, media=f"m{random.randrange(3)}", lines=(f"line {random.randrange(3)}",))
    elif kind == 4:
        del world.films[name]
    elif kind == 5:
        world.quarantine(name, random.choice(["media", "subtitles", "objects", "frames"]))
    elif kind == 6:
        world.stage("objects", code_version=str(random.randrange(3)))
    elif kind == 7:
        world.stop("objects")
    else:
        world.stages = [*world.stages[:6], Stage("faces", str(turn), ("frames",), tables={"faces": _labels(world)})]
    for stage in random.sample([one.name for one in world.graph], random.randrange(1, 7)):
        world.compute(stage)
    if random.random() < 0.6:
        world.compute()


def _labels(world: World) -> object:
    return world.graph["objects"].tables["objects"]


@pytest.mark.parametrize("seed", range(2))
def test_the_cut_is_that_of_all_titles_whatever_happens(store: FolderStore, seed: int) -> None:
    world, random = World(store), Random(seed)
    released = 0
    for turn in range(15):
        step(world, random, turn)
        same_cut(world)
        released += world.publish().outcome == "released"
        same_cut(world)
    assert released > 3


def test_titles_that_are_served_as_they_should_be_are_not_worked_out_again(world: World) -> None:
    world.publish()
    world.film("alps", lines=("east",))
    world.compute()
    plan, titles = world.look()
    served = ServedMemory().read(world.store, Releases(world.store))
    cut = cut_of(world.graph, plan, titles, served)
    assert cut.titles["bees"] is served.titles["bees"]
    assert cut.titles["alps"] is not served.titles["alps"]
