"""What a publish serves: exactly the cut, title by title and generation by generation; and nothing new is nothing."""

from __future__ import annotations

import shutil
from typing import Any

import pytest

from mediaflow.errors import SystemFault
from mediaflow.planning.ledger import RETRY, Fact
from mediaflow.planning.stage import Stage
from mediaflow.snapshots.reader import NothingPublished, Releases
from mediaflow.storage import layout
from mediaflow.storage.objects import FolderStore
from mediaflow.storage.tables import Table
from tests.publishing.world import World, answers, hooked, revisions_agree


def versions(world: World) -> dict[str, int]:
    """Return the newest version of every table there is."""
    manifest = world.reader().manifest
    return {name: int(Table(world.store, name, {}).open().version) for name in manifest.tables}


def keys(world: World, prefix: str = "") -> set[str]:
    return {info.key for info in world.store.list(prefix)}


def released(world: World) -> Any:
    publication = world.publish()
    assert publication.outcome == "released", publication.outcome
    assert revisions_agree(world.reader())
    return publication


def test_the_first_publish_serves_all_that_is_whole(world: World) -> None:
    assert world.due()
    publication = released(world)
    assert (publication.release, publication.added) == (1, ("alps", "bees"))
    assert world.answers() == world.expected()
    manifest = world.reader().manifest
    assert set(manifest.algorithms) == {"dialogue", "objects"}
    assert manifest.encoders == {"m1": "name of m1"}
    assert manifest.algorithms["objects"].shots == manifest.shots
    assert manifest.checks["titles"] == 2


def test_nothing_new_makes_no_release_no_commit_and_no_file(world: World) -> None:
    released(world)
    before, before_keys = versions(world), keys(world)
    assert not world.due()
    again = world.publish()
    assert (again.outcome, again.release) == ("nothing new", 1)
    assert versions(world) == before
    new = keys(world) - before_keys
    assert {key.rpartition("/")[0] for key in new} == {"epochs"}


def test_a_title_added_changed_and_removed(world: World) -> None:
    released(world)
    world.film("cats")
    world.film("alps", media="m2", lines=("east",))
    del world.films["bees"]
    world.compute()
    publication = released(world)
    assert (publication.added, publication.changed, publication.removed) == (("cats",), ("alps",), ("bees",))
    assert world.answers() == world.expected()


def test_a_change_of_subtitles_commits_to_their_tables_alone(world: World) -> None:
    released(world)
    before = versions(world)
    world.film("bees", lines=("buzz",))
    world.compute()
    released(world)
    after = versions(world)
    written = {name.partition("-")[0] for name in before if before[name] != after[name]}
    assert written == {"dialogue", "titles"}
    assert world.answers() == world.expected()


def test_a_title_waits_until_it_is_whole(world: World) -> None:
    released(world)
    whole = world.answers()["alps"]
    world.film("alps", media="m2", lines=("east",))
    world.film("cats")
    world.compute("media")
    world.compute("subtitles")
    world.compute("catalogue")
    world.compute("dialogue")
    assert not world.due(), "no frames yet: neither the changed nor the new title is whole"
    world.compute(titles=["cats"])
    released(world)
    assert world.answers() == {**world.expected(), "alps": whole}
    world.compute()
    released(world)
    assert world.answers() == world.expected()


def test_quarantined_media_keeps_the_last_whole_state_and_leaves_out_what_never_was_whole(world: World) -> None:
    released(world)
    before = world.answers()
    world.film("alps", media="broken", lines=("east",))
    world.film("cats", media="broken")
    for title in ("alps", "cats"):
        world.quarantine(title, "media")
    world.compute()
    assert not world.due()
    assert world.publish().outcome == "nothing new"
    assert world.answers() == before
    world.film("alps", media="m3")
    world.compute()
    released(world)
    assert set(world.answers()) == {"alps", "bees"}
    assert world.answers()["alps"] == world.expected()["alps"]


def test_quarantined_subtitles_publish_the_title_without_its_dialogue_and_say_so(world: World) -> None:
    released(world)
    world.film("alps", lines=("broken",), name="Alps anew")
    world.quarantine("alps", "subtitles")
    world.compute()
    released(world)
    assert world.answers() == world.expected() | {"alps": world.expected()["alps"] | {"dialogue": []}}
    assert world.reader().manifest.algorithms["dialogue"].pending == (1,)


def test_a_title_quarantined_for_one_algorithm_goes_on_without_its_rows(world: World) -> None:
    world.film("cats")
    world.quarantine("cats", "objects")
    world.compute()
    released(world)
    assert world.answers()["cats"] == world.expected()["cats"] | {"objects": []}
    assert world.reader().manifest.algorithms["objects"].pending == (3,)


def test_an_algorithm_is_served_once_it_covers_the_titles(world: World) -> None:
    labels = world.graph["objects"].tables["objects"]
    world.stages = [*world.stages, Stage("faces", "1", ("frames",), tables={"faces": labels})]
    world.compute("faces", ["bees"])
    released(world)
    assert set(world.reader().manifest.algorithms) == {"dialogue", "objects"}, "a new stage holds up nothing"
    world.quarantine("alps", "faces")
    released(world)
    part = world.reader().manifest.algorithms["faces"]
    assert (part.shape, part.pending) == ("label", (1,))
    assert world.reader().table(part.table).to_table()["label"].to_pylist() == ["m1 seen v1"]


def test_a_new_generation_fills_while_the_old_one_is_served_and_then_switches(world: World) -> None:
    released(world)
    old = world.reader().manifest.algorithms["objects"]
    world.stage("objects", code_version="2", model="m2")
    assert not world.due(), "the same is served"
    world.compute("objects", ["bees"])
    assert not world.due()
    world.film("alps", media="m2")
    for stage in ("media", "frames", "dialogue"):
        world.compute(stage)
    released(world)
    manifest = world.reader().manifest
    part = manifest.algorithms["objects"]
    assert (part.generation, part.table, part.model, part.pending) == (old.generation, old.table, "m1", (1,))
    assert manifest.encoders == {"m1": "name of m1"}, "the old generation keeps the name of its model"
    assert world.answers()["alps"] == world.expected()["alps"] | {"objects": []}
    assert world.answers()["bees"]["objects"] == ["m1 seen v1"]
    world.compute()
    released(world)
    part = world.reader().manifest.algorithms["objects"]
    assert (part.version, part.model, part.pending) == ("2", "m2", ())
    assert part.table != old.table
    assert world.answers() == world.expected()


def test_a_new_generation_that_stops_half_way_is_not_served(world: World) -> None:
    labels = world.graph["objects"].tables["objects"]
    world.stages = [*world.stages, Stage("faces", "1", ("objects",), tables={"faces": labels})]
    world.compute()
    released(world)
    old = dict(world.reader().manifest.generations)
    world.stage("objects", code_version="2")
    world.compute("objects", ["bees"])
    world.compute("faces", ["bees"])
    world.stop("objects")
    assert not world.due()
    world.film("cats")
    world.compute()
    released(world)
    assert dict(world.reader().manifest.generations) == old
    assert [of["objects"] for of in world.answers().values()] == [["m1 seen v1"], ["m1 seen v1"], []]


def test_what_the_change_does_not_touch_keeps_its_rows_of_the_old_generation(world: World) -> None:
    released(world)
    world.stage("objects", code_version="2")
    world.film("alps", name="The Alps")
    world.film("bees", lines=("buzz",))
    for stage in ("catalogue", "subtitles", "dialogue"):
        world.compute(stage)
    released(world)
    assert world.answers()["alps"]["name"] == ["The Alps"]
    assert [of["objects"] for of in world.answers().values()] == [["m1 seen v1"], ["m1 seen v1"]]


def test_a_title_that_stays_behind_a_switch_of_generation_brings_no_old_rows_into_the_new_table(world: World) -> None:
    released(world)
    world.film("alps", media="broken")
    world.quarantine("alps", "media")
    world.stage("objects", code_version="2", model="m2")
    world.compute()
    released(world)
    assert world.answers()["alps"] == {
        "name": ["Film"],
        "cast": ["hero of Film"],
        "shots": ["m1 shot 0 v1", "m1 shot 1 v1"],
        "dialogue": ["north v1", "south v1"],
        "objects": [],
    }
    assert world.reader().manifest.algorithms["objects"].pending == (1,)


def test_new_frames_are_a_new_generation_of_all_that_reads_them(world: World) -> None:
    released(world)
    world.stage("frames", code_version="2")
    world.compute("frames", ["alps"])
    assert not world.due()
    world.compute("frames")
    released(world)
    manifest = world.reader().manifest
    old = manifest.algorithms["objects"].shots
    assert manifest.shots != old, "the objects served are still those of the old shots"
    assert old in manifest.tables
    world.compute()
    released(world)
    assert world.reader().manifest.algorithms["objects"].shots == world.reader().manifest.shots
    assert world.answers() == world.expected()


def test_a_broken_algorithm_stops_nothing_and_what_it_gave_stays(world: World) -> None:
    released(world)
    world.stop("objects")
    world.film("alps", media="m2")
    world.film("cats")
    world.compute()
    released(world)
    expected = world.expected()
    assert world.answers() == {
        "alps": expected["alps"] | {"objects": []},
        "bees": expected["bees"],
        "cats": expected["cats"] | {"objects": []},
    }
    assert world.reader().manifest.algorithms["objects"].pending == (1, 3)


def test_an_algorithm_that_no_longer_imports_keeps_serving_what_it_gave(world: World) -> None:
    released(world)
    world.stage("objects", code_version="", inputs=("media",), model=None, broken="it does not import")
    assert not world.due()
    world.film("cats")
    world.film("alps", media="m2")
    world.compute()
    released(world)
    expected = world.expected()
    assert {title: of["objects"] for title, of in world.answers().items()} == {
        "alps": [],
        "bees": ["m1 seen v1"],
        "cats": [],
    }
    assert world.answers()["cats"] == expected["cats"] | {"objects": []}


def test_an_algorithm_that_never_worked_is_not_served(world: World) -> None:
    world.stage("objects", code_version="2")
    world.stop("objects")
    released(world)
    assert set(world.reader().manifest.algorithms) == {"dialogue"}


def test_an_algorithm_that_is_taken_out_leaves_the_next_snapshot(world: World) -> None:
    released(world)
    world.stages = [stage for stage in world.stages if stage.name != "objects"]
    assert world.due()
    released(world)
    assert set(world.reader().manifest.algorithms) == {"dialogue"}
    assert world.answers()["alps"]["objects"] == []


def test_an_empty_library_publishes_nothing_and_an_emptied_one_publishes_that(store: FolderStore) -> None:
    world = World(store)
    assert not world.due()
    assert world.publish().outcome == "nothing new"
    with pytest.raises(NothingPublished, match="make refresh"):
        world.reader()
    world.film("alps")
    world.compute()
    released(world)
    world.films.clear()
    assert released(world).removed == ("alps",)
    assert world.answers() == {}
    assert not world.due()
    world.stage("objects", code_version="", model=None, broken="it does not import")
    assert not world.due(), "what does not run is not served just because there is no title"
    world.film("alps", media="m2")
    world.compute()
    released(world)
    assert world.answers()["alps"] == world.expected()["alps"] | {"objects": []}


def test_bytes_that_come_back_are_published_again_without_computing(world: World) -> None:
    released(world)
    for media in ("m2", "m1", "m2"):
        world.film("alps", media=media)
        world.compute()
        released(world)
        assert world.answers() == world.expected()


def test_the_same_result_computed_by_force_is_nothing_new(world: World) -> None:
    released(world)
    rows = world.plan().frame.iter_rows(named=True)
    world.ledger.append([Fact(r["title_id"], r["stage"], r["revision"], r["generation"], RETRY) for r in rows])
    world.compute()
    assert not world.due()


def test_the_lancedb_client_reads_every_table_as_the_manifest_says(world: World) -> None:
    import lancedb

    released(world)
    said = world.reader().manifest.tables
    world.film("alps", media="m2", lines=("east", "west", "home"))
    world.compute()
    released(world)
    database = lancedb.connect(world.store.uri(layout.TABLES.rstrip("/")))
    for name, part in said.items():
        table = database.open_table(name)
        table.checkout(part.version)
        assert table.count_rows() == part.rows


def test_older_snapshots_stay_readable_and_their_tables_are_tagged(world: World) -> None:
    released(world)
    first, said = world.reader().id, world.answers()
    for media in ("m2", "m3"):
        world.film("alps", media=media)
        world.compute()
        released(world)
    reader = Releases(world.store).at(first)
    assert answers(reader) == said
    for name, part in reader.manifest.tables.items():
        assert part.tag == f"s-{first}"
        assert reader.table(name).tags.list()[part.tag]["version"] == part.version


def test_an_artifact_that_is_gone_stops_the_publish_and_the_last_release_is_served(world: World) -> None:
    released(world)
    before = world.answers()
    there = keys(world, f"{layout.ARTIFACTS}dialogue/alps/")
    world.film("alps", lines=("west",))
    world.compute()
    (new,) = keys(world, f"{layout.ARTIFACTS}dialogue/alps/") - there
    data = world.store.get(new)
    world.store.delete(new)
    with pytest.raises(SystemFault, match="is gone"):
        world.publish()
    assert world.answers() == before
    world.store.put(new, data)
    released(world)
    assert world.answers() == world.expected()


def test_a_data_file_that_is_gone_is_a_sentence_and_the_table_can_be_built_anew(world: World) -> None:
    released(world)
    world.film("alps", lines=("west",))
    world.compute()
    table = layout.table(world.reader().manifest.algorithms["dialogue"].table)
    world.store.delete(min(keys(world, f"{table}/data/")))
    with pytest.raises(SystemFault, match="build it anew"):
        world.publish()
    assert world.reader().release == 1
    shutil.rmtree(world.store.uri(table))
    released(world)
    assert world.answers() == world.expected()


@pytest.mark.parametrize(("folder", "missing"), [("data", "2 of 3"), ("_deletions", "1 of 3")])
def test_a_file_that_only_the_newest_version_names_is_missed_before_the_release(
    world: World, folder: str, missing: str
) -> None:
    released(world)
    world.film("alps", lines=("west",))
    world.compute()

    def lose(operation: str, key: str) -> None:
        if operation == "exists" and "tables/dialogue" in key and f".lance/{folder}/" in key:
            world.store.delete(key)

    with hooked(world.store, lose) as store, pytest.raises(SystemFault, match=missing):
        world.publish(store)
    assert world.reader().release == 1
