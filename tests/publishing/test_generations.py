"""Blue and green: what is served goes on and is kept up to date until what is wanted covers the titles."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from typing import Any

import pytest

from mediaflow.planning.stage import Stage, TableSpec
from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.reader import Releases
from mediaflow.storage import layout
from mediaflow.storage.tables import Table
from tests.publishing.world import World, answers, revisions_agree

MODEL = {"model": "m2"}
PARAMETERS = {"parameters": {"words": 2}}
CODE = {"code_version": "2"}


@pytest.fixture
def world(world: World) -> World:
    """Two films that are published; parameters have a name, so that a change of them is one of a value."""
    world.stage("objects", parameters={"words": 1})
    world.stage("dialogue", parameters={"case": "as it is"})
    world.stage("frames", parameters={"width": 1})
    world.compute()
    published(world)
    return world


def published(world: World) -> None:
    """Publish, and look whether it holds together."""
    assert world.publish().outcome == "released"
    assert revisions_agree(world.reader())
    assert not world.due()


def part(world: World, name: str = "objects") -> Any:
    return world.reader().manifest.algorithms[name]


def change_films(world: World) -> None:
    """One film comes, one changes, one stays as it is."""
    world.film("cats", lines=("meow",))
    world.film("alps", media="m2")


@pytest.mark.parametrize("change", [MODEL, PARAMETERS], ids=["model", "parameters"])
def test_new_and_changed_films_are_served_in_the_old_generation_until_the_new_one_covers_them(
    world: World, change: dict[str, Any]
) -> None:
    old, as_it_was = part(world), world.expected
    before = world.graph
    world.stage("objects", **change)
    assert world.compute(side="kept") == 0, "what did not change costs nothing"
    assert not world.due()
    change_films(world)
    world.compute(side="wanted", only="media")
    world.compute(side="wanted", only="subtitles")
    world.compute(side="wanted", only="catalogue")
    world.compute(side="wanted", only="frames")
    world.compute(side="wanted", only="dialogue")
    assert not world.due(), "no film is published before it is whole in what is served"
    assert world.compute(side="kept") == 2, "the film that came and the one that changed, in the old generation"
    published(world)
    assert (part(world).generation, part(world).table, part(world).pending) == (old.generation, old.table, ())
    assert part(world).model == "m1"
    wanted = world.stages
    world.stages = list(before)
    assert world.answers() == as_it_was()
    world.stages = wanted
    del world.films["bees"]
    world.compute(titles=["alps"])
    published(world)
    assert set(world.answers()) == {"alps", "cats"} and part(world).generation == old.generation
    world.compute()
    published(world)
    assert part(world).generation == world.graph.generations["objects"] != old.generation
    assert world.answers() == world.expected()
    assert world.compute() == 0 and world.plan().kept == ()


def test_after_a_change_of_code_new_and_changed_films_are_pending(world: World) -> None:
    old = part(world)
    world.stage("objects", **CODE)
    change_films(world)
    assert world.compute(side="kept") == 0, "the old code is gone"
    for stage in ("media", "subtitles", "catalogue", "frames", "dialogue"):
        world.compute(stage)
    published(world)
    assert (part(world).generation, part(world).pending) == (old.generation, (1, 3))
    assert {title: of["objects"] for title, of in world.answers().items()} == {
        "alps": [],
        "bees": ["m1 seen v1 words=1 of frames v1 width=1"],
        "cats": [],
    }
    world.film("alps", media="m1")
    published(world)
    assert part(world).pending == (3,), "what was computed once can be served again"
    world.compute()
    published(world)
    assert world.answers() == world.expected()
    assert (part(world).version, part(world).pending) == ("2", ())


def test_other_shots_keep_the_old_ones_up_to_date_for_what_was_built_on_them(world: World) -> None:
    before, old = world.graph, world.reader().manifest
    world.stage("frames", parameters={"width": 2})
    change_films(world)
    for stage in ("media", "subtitles", "catalogue", "dialogue"):
        world.compute(stage)
    assert world.compute(side="kept") == 4, "frames and objects of two films, as they are served"
    published(world)
    manifest = world.reader().manifest
    assert (manifest.generations, manifest.shots) == (old.generations, old.shots)
    wanted, world.stages = world.stages, list(before)
    assert world.answers() == world.expected()
    world.stages = wanted
    world.compute("frames")
    published(world)
    manifest = world.reader().manifest
    assert manifest.generations["frames"] == world.graph.generations["frames"]
    assert part(world).shots == old.shots, "objects are served on the shots that they were built on"
    world.film("dogs", media="m7")
    for stage in ("media", "subtitles", "catalogue", "dialogue"):
        world.compute(stage, side="wanted")
    world.compute("frames", side="wanted")
    assert not world.due()
    assert world.compute(side="kept") == 2
    published(world)
    reader = world.reader()
    assert part(world).shots == old.shots
    shots = reader.table(old.shots or "").to_table().to_pylist()
    assert sorted({row["of"] for row in shots if row["title_no"] == 4}) == [f"m7 shot {n} v1 width=1" for n in (0, 1)]
    assert world.answers()["dogs"]["objects"] == ["m7 seen v1 words=1 of frames v1 width=1"]
    assert world.answers()["dogs"]["shots"] == [f"m7 shot {no} v1 width=2" for no in (0, 1)]
    del world.films["dogs"]
    published(world)
    assert not [row for row in world.reader().table(old.shots or "").to_table().to_pylist() if row["title_no"] == 4]
    world.compute()
    published(world)
    assert world.answers() == world.expected()
    assert old.shots not in world.reader().manifest.tables


def test_of_two_changes_in_a_row_the_one_in_between_is_dropped(world: World) -> None:
    old = part(world).generation
    world.stage("objects", model="m2")
    world.compute(titles=["alps"])
    between = world.graph.generations["objects"]
    world.stage("objects", model="m3")
    world.film("alps", media="m2")
    generations = set(world.plan().to_do()["generation"])
    assert between not in generations
    seen = []
    while world.compute(titles=["alps"]) or world.compute():
        if world.publish().outcome == "released":
            seen.append(part(world).generation)
    assert set(seen) | {part(world).generation} <= {old, world.graph.generations["objects"]}
    assert world.answers() == world.expected()
    assert between not in set(world.ledger.facts().filter(title_id="bees")["generation"])


def test_going_back_computes_nothing_but_what_changed_meanwhile(world: World) -> None:
    world.stage("objects", model="m2")
    world.compute()
    published(world)
    new = part(world)
    world.film("alps", media="m2")
    for stage in ("media", "frames", "dialogue"):
        world.compute(stage)
    world.stage("objects", model="m1")
    done = world.ledger.facts().height
    assert world.compute("objects") == 2, "alps, in the generation that is served and in the one that is gone back to"
    assert set(world.ledger.facts()[done:]["title_id"]) == {"alps"}
    published(world)
    assert part(world).generation != new.generation
    assert world.answers() == world.expected()
    world.stage("objects", model="m2")
    assert world.compute() == 0, "both were kept"
    published(world)
    assert part(world).table == new.table
    assert world.answers() == world.expected()


def test_what_is_given_up_on_one_side_is_settled_there_and_holds_up_nothing(world: World) -> None:
    world.stage("objects", model="m2")
    world.film("alps", media="m2")
    for stage in ("media", "frames", "dialogue"):
        world.compute(stage)
    world.quarantine("alps", "objects", kept=True)
    published(world)
    assert part(world).pending == (1,)
    assert world.answers()["bees"]["objects"] == ["m1 seen v1 words=1 of frames v1 width=1"]
    world.quarantine("bees", "objects")
    assert not world.due()
    world.compute()
    published(world)
    assert (part(world).model, part(world).pending) == ("m2", (2,))
    assert world.answers()["alps"] == world.expected()["alps"]
    assert world.answers()["bees"]["objects"] == []


def test_a_wanted_algorithm_that_is_broken_leaves_the_served_one_up_to_date(world: World) -> None:
    before = list(world.stages)
    world.stage("objects", model=None, broken="the weights are missing")
    change_films(world)
    assert world.compute() == 10, "two films without the new objects, and with the old"
    published(world)
    world.stages = before
    assert world.answers() == world.expected()


def test_a_film_that_changes_while_two_generations_fill_switches_in_all_of_them_at_once(world: World) -> None:
    before, whole = list(world.stages), world.answers()["alps"]
    world.stage("objects", model="m2")
    world.stage("dialogue", parameters={"case": "upper"})
    world.film("alps", media="m2", lines=("east",))
    for stage in ("media", "subtitles", "frames"):
        world.compute(stage)
    world.compute("objects", side="kept")
    assert not world.due(), "her lines are still to come"
    assert world.answers()["alps"] == whole
    world.compute("dialogue", side="kept")
    published(world)
    wanted, world.stages = world.stages, before
    assert world.answers() == world.expected()
    world.stages = wanted
    world.compute("dialogue")
    published(world)
    assert part(world, "dialogue").generation == world.graph.generations["dialogue"]
    assert world.answers()["alps"]["dialogue"] == ["east v1 case=upper"]
    assert world.answers()["alps"]["objects"] == ["m2 seen v1 words=1 of frames v1 width=1"]


def test_a_film_that_is_not_whole_stays_whole_as_it_was_when_a_generation_switches(world: World) -> None:
    world.stage("objects", model="m2")
    world.compute("objects")
    world.film("alps", media="m2", name="The Alps")
    for stage in ("media", "frames", "objects"):
        world.compute(stage)
    published(world)
    assert part(world).model == "m2", "it covers the films"
    was = {"alps": replace(world.films["alps"], media="m1", name="Film"), "bees": world.films["bees"]}
    now, world.films = world.films, was
    assert world.answers() == world.expected(), "her name and her lines are still to come: all of her waits"
    world.films = now
    world.compute()
    published(world)
    assert world.answers() == world.expected()


def test_an_algorithm_that_reads_another_is_kept_up_to_date_on_what_it_was_built_on(world: World) -> None:
    labels = world.graph["objects"].tables["objects"]
    world.stages = [*world.stages, Stage("faces", "1", ("objects",), tables={"faces": labels})]
    world.compute()
    published(world)
    world.stage("objects", model="m2")
    world.compute("objects")
    published(world)
    assert part(world).model == "m2"
    assert part(world, "faces").generation != world.graph.generations["faces"]
    world.film("cats")
    for stage in ("media", "subtitles", "catalogue", "frames", "dialogue"):
        world.compute(stage)
    world.compute("objects", side="wanted")
    assert not world.due()
    done = world.ledger.facts().height
    world.compute(side="kept")
    assert world.ledger.facts()[done:].select("title_id", "stage").rows() == [("cats", "objects"), ("cats", "faces")]
    published(world)
    assert part(world, "faces").pending == ()
    table = world.reader().table(part(world, "faces").table).to_table().to_pylist()
    assert {row["title_no"]: row["label"] for row in table}[3] == "m1 seen v1 words=1 of frames v1 width=1"
    assert world.answers()["cats"]["objects"] == ["m1 seen v1 by m2 words=1 of frames v1 width=1"]


def test_a_new_version_of_a_root_takes_no_rows_from_films_that_did_not_change(world: World) -> None:
    before = world.answers()
    world.stage("media", code_version="2")
    world.compute("media", ["alps"])
    world.publish()
    assert world.answers() == before
    world.compute("media")
    world.publish()
    assert world.answers() == before
    world.compute()
    published(world)
    assert world.answers() == world.expected()


def test_a_manifest_of_an_earlier_version_serves_on_what_did_not_change(world: World) -> None:
    reader = world.reader()
    before = world.answers()
    body = json.loads(world.store.get(layout.snapshot(reader.id)))
    del body["stages"]
    assert Manifest.from_json(json.dumps(body).encode()).stages == {}
    world.store.put(layout.snapshot(reader.id), json.dumps(body).encode())
    world.stage("objects", model="m2")
    world.film("alps", media="m2")
    for stage in ("media", "frames", "dialogue"):
        world.compute(stage)
    assert world.plan().kept == ()
    published(world)
    assert world.answers()["bees"] == before["bees"]
    assert (world.answers()["alps"]["objects"], part(world).pending) == ([], (1,))
    world.compute()
    published(world)
    assert world.answers() == world.expected()


def test_a_table_of_the_served_generation_that_is_lost_is_built_anew_as_it_was(world: World) -> None:
    world.stage("objects", model="m2", tables={"objects": TableSpec("rows", {})})
    shutil.rmtree(world.store.uri(layout.table(part(world).table)))
    world.film("alps", media="m2")
    for stage in ("media", "frames", "dialogue"):
        world.compute(stage)
    world.compute(side="kept")
    assert world.publish().outcome == "released"
    # Past the caches of readers, which take the new table's versions for those of the lost one.
    rows = Table(world.store, part(world).table, {}).open().to_table().to_pylist()
    assert {row["title_no"]: row["label"] for row in rows} == {
        number: f"{media} seen v1 words=1 of frames v1 width=1" for number, media in ((1, "m2"), (2, "m1"))
    }


def test_while_releases_are_held_nothing_is_kept_up_to_date_for_them(world: World) -> None:
    first = world.reader().id
    world.stage("objects", model="m2")
    world.compute()
    published(world)
    assert answers(Releases(world.store).at(first)) != world.answers()
    newest = Releases(world.store).newest()
    assert newest is not None
    assert Releases(world.store).add(replace(newest, n=newest.n + 1, snapshot=first, kind="rollback", held=True))
    world.film("alps", media="m2")
    assert not world.plan().kept
    assert Releases(world.store).add(replace(newest, n=newest.n + 2, snapshot=first, kind="resume"))
    assert world.plan().kept
    world.compute()
    published(world)
    assert world.answers() == world.expected()
