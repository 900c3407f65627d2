"""The list of releases, the way from a number, id or time to a snapshot, and what differs between two."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from mediaflow.errors import UsageError
from mediaflow.planning.stage import Stage
from mediaflow.publishing.rollback import resume, rollback
from mediaflow.snapshots.diff import diff
from mediaflow.snapshots.history import as_of, lines, named, previous, when, which
from mediaflow.snapshots.reader import NothingPublished, Releases, UnknownSnapshot
from mediaflow.storage import layout
from mediaflow.storage.objects import FolderStore
from tests.publishing.world import World, hooked, sample


@pytest.fixture
def world(store: FolderStore) -> World:
    """Two releases: three films, then two of them changed and one more."""
    world = sample(store)
    world.publish()
    return world


def released_at(world: World, *times_ms: int) -> Releases:
    """Write the releases anew with these times."""
    releases = Releases(world.store)
    for number, at_ms in enumerate(times_ms, 1):
        body = replace(releases.entry(number), at_ms=at_ms).to_json()
        world.store.put(f"{layout.RELEASES}{number:020d}.json", json.dumps(body).encode())
    return releases


def utc(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()


def test_each_release_is_a_line_with_what_it_serves(world: World) -> None:
    rollback(world.store, None, "wrong titles")
    resume(world.store)
    found = lines(world.store)
    assert [line["number"] for line in found] == [1, 2, 3, 4]
    assert [line["kind"] for line in found] == ["publish", "publish", "rollback", "resume"]
    assert [line["state"] for line in found] == ["", "", "", "current"]
    assert [line["reason"] for line in found] == ["", "", "wrong titles", ""]
    assert [line["titles"] for line in found] == [3, 4, 3, 3]
    assert [line["snapshot"] for line in found[2:]] == [found[0]["snapshot"]] * 2
    generations = world.graph.generations
    assert found[1]["algorithms"] == {
        "dialogue": {"generation": generations["dialogue"], "model": None, "model_name": None},
        "objects": {"generation": generations["objects"], "model": "m1", "model_name": "name of m1"},
    }
    assert [line["at_ms"] for line in found] == [Releases(world.store).entry(number).at_ms for number in range(1, 5)]


def test_a_held_release_says_so_and_what_was_never_released_or_is_gone_too(world: World) -> None:
    world.film("alps", media="m3")
    world.compute()

    def back(operation: str, key: str) -> None:
        if operation == "put if absent" and "releases/" in key:
            rollback(world.store, None, "x")

    with hooked(world.store, back) as store:
        assert world.publish(store).outcome == "overtaken"
    second = Releases(world.store).entry(2).snapshot
    path = world.store.path(layout.snapshot(second))
    assert path is not None
    path.unlink()
    found = lines(world.store)
    assert [(line["number"], line["state"]) for line in found] == [
        (None, "not released"),
        (1, ""),
        (2, "gone"),
        (3, "held"),
    ]
    assert (found[0]["kind"], found[0]["titles"], found[2]["titles"], found[2]["algorithms"]) == (None, 4, None, {})


def test_an_entry_without_a_time_has_that_of_its_manifest(world: World) -> None:
    snapshot = Releases(world.store).entry(2).snapshot
    world.store.put(f"{layout.RELEASES}{2:020d}.json", json.dumps({"snapshot": snapshot}).encode())
    assert lines(world.store)[1]["at_ms"] == world.reader().manifest.created_ms
    assert when(None) == ""


def test_without_a_release_there_is_no_line_and_a_sentence(store: FolderStore) -> None:
    assert lines(store) == []
    for wanted in (previous, lambda releases: as_of(releases, "2026-01-01")):
        with pytest.raises(NothingPublished, match="make refresh"):
            wanted(Releases(store))


def test_a_number_or_an_id_names_a_snapshot(world: World) -> None:
    releases = Releases(world.store)
    first = releases.entry(1).snapshot
    assert (which(releases, "1"), which(releases, first)) == (first, first)
    for wanted, sentence in (("3", "There is no release 3"), ("0", "no release 0"), ("x", "There is no snapshot 'x'")):
        with pytest.raises(UnknownSnapshot, match=sentence):
            which(releases, wanted)


def test_the_previous_is_what_was_served_before_whatever_the_entries_between(store: FolderStore) -> None:
    world = sample(store)
    releases = Releases(store)
    with pytest.raises(UnknownSnapshot, match="the only one that was ever released"):
        previous(releases)
    world.publish()
    first, second = (releases.entry(number).snapshot for number in (1, 2))
    assert previous(releases) == (first, second)
    rollback(store, None, "x")
    assert previous(releases) == (second, first)
    resume(store)
    assert previous(releases) == (second, first)


def test_what_was_current_at_a_time_is_the_highest_release_that_is_not_later(world: World) -> None:
    rollback(world.store, None, "x")
    releases = released_at(world, 1_000_000, 3_000_000, 2_000_000)
    first, second, _ = (releases.entry(number).snapshot for number in (1, 2, 3))
    found = {at_ms: as_of(releases, utc(at_ms)) for at_ms in (1_000_000, 1_999_999, 2_000_000, 9_000_000)}
    assert [snapshot for snapshot, _ in found.values()] == [first] * 4
    assert ["release 1 (publish" in said for _, said in found.values()] == [True, True, False, False]
    assert found[9_000_000][1] == f"As of release 3 (rollback, {when(2_000_000)}), snapshot {first}."
    assert as_of(releases, second) == (second, f"As of snapshot {second}.")
    with pytest.raises(UnknownSnapshot, match=r"Nothing was published yet at 19(70|69)-"):
        as_of(releases, utc(999_999))
    assert as_of(releases, datetime.now().strftime("%Y-%m-%d"))[0] == first, "a local date"


@pytest.mark.parametrize("wanted", ["", "yesterday", "2026", "2026-13-01", "1-aaaaaaaa", "3"])
def test_what_is_neither_an_id_nor_a_time_is_a_sentence(world: World, wanted: str) -> None:
    with pytest.raises(UsageError, match="is neither the id of a snapshot nor a time"):
        as_of(Releases(world.store), wanted)


def test_the_difference_names_titles_models_generations_and_rows(world: World) -> None:
    del world.films["cats"]
    labels = world.graph["objects"].tables["objects"]
    old = world.graph.generations
    world.stage("objects", model="m2")
    world.stages = [*world.stages, Stage("faces", "1", ("frames",), tables={"faces": labels})]
    world.compute()
    world.publish()
    releases = Releases(world.store)
    first, second, third = (releases.at(releases.entry(number).snapshot) for number in (1, 2, 3))
    found = diff(first, third)
    new = world.graph.generations
    assert found == {
        "before": first.id,
        "after": third.id,
        "added": ["dogs"],
        "removed": ["cats"],
        "changed": {
            "alps": ["catalogue", "dialogue", "faces", "frames", "media", "objects"],
            "bees": ["dialogue", "faces", "objects", "subtitles"],
        },
        "models": {"objects": (("name of m1", "m1"), ("name of m2", "m2"))},
        "generations": {"faces": (None, new["faces"]), "objects": (old["objects"], new["objects"])},
        "rows": {"dialogue": (6, 4), "faces": (None, 3)},
        "gates": {},
    }
    back = diff(third, first)
    assert (back["added"], back["removed"], back["changed"]) == (["cats"], ["dogs"], found["changed"])
    assert diff(second, third)["changed"] == {title: ["faces", "objects"] for title in ("alps", "bees", "dogs")}
    same = diff(second, second)
    assert not any(same[part] for part in ("added", "removed", "changed", "models", "generations", "rows"))


def test_rows_are_those_that_are_served_and_not_those_that_are_kept_for_an_older_generation(world: World) -> None:
    world.stage("frames", code_version="2")
    world.film("eels")
    for stage in ("media", "subtitles", "catalogue", "frames", "dialogue"):
        world.compute(stage)
    world.publish()
    releases = Releases(world.store)
    third = releases.at(releases.entry(3).snapshot)
    assert len([name for name in third.manifest.tables if name.startswith("shots-")]) == 2
    found = diff(releases.at(releases.entry(2).snapshot), third)
    assert (found["rows"]["shots"], found["rows"]["titles"]) == ((8, 10), (4, 5))


def test_a_snapshot_is_meant_by_id_number_time_or_word(world: World) -> None:
    first, second = (line["snapshot"] for line in lines(world.store))
    releases = released_at(world, 1_000_000_000_000, 2_000_000_000_000)
    assert [named(releases, one) for one in ("current", "previous")] == [second, first]
    assert [named(releases, one) for one in ("1", "2", first, second)] == [first, second, first, second]
    assert named(releases, utc(1_500_000_000_000)) == first
    for wanted, said in (("9", "There is no release 9"), ("latest", "'latest' is neither the id of a snapshot nor")):
        with pytest.raises(UsageError, match=said):
            named(releases, wanted)
