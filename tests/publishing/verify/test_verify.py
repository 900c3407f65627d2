"""`verify` finds whatever is not as a snapshot says; what is whole it calls whole."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import lance
import pytest

from mediaflow.publishing.verify.verify import Verified, verify
from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.reader import UnknownSnapshot
from mediaflow.storage import layout
from tests.publishing.world import World


@pytest.fixture
def world(sampled: World) -> World:
    """Two releases; the encoder of its queries is no real one, so it is not asked for."""
    sampled.stage("objects", model=None)
    sampled.compute()
    sampled.publish()
    return sampled


def current(world: World) -> Manifest:
    return world.reader().manifest


def folder(world: World, table: str) -> Path:
    return world.store.root / layout.table(table)


def served_file(world: World, kind: str) -> Path:
    """Return a file that the dialogue of the current snapshot is in."""
    part = current(world).tables[current(world).algorithms["dialogue"].table]
    dataset = lance.dataset(str(folder(world, part.name)), version=part.version)
    paths = [
        path
        for batch in dataset.tracked_files()
        for version, path in zip(batch["version"].to_pylist(), batch["path"].to_pylist(), strict=True)
        if version == part.version and path.startswith(kind)
    ]
    return folder(world, part.name) / max(paths)


def problems(world: World, found: Verified) -> set[tuple[str, str]]:
    return {(one.kind, one.name.split("/")[-1]) for one in found.problems[current(world).id]}


def test_what_is_whole_is_called_whole(world: World) -> None:
    found = verify(world.store, current(world).id)
    assert found.whole and set(found.problems) == {current(world).id}
    assert found.tables == len(current(world).tables)
    assert found.rows == sum(part.rows for part in current(world).tables.values())
    assert found.artifacts == sum(len(stages) for stages in world.publisher()._current().titles.values())


def without_data(world: World) -> set[tuple[str, str]]:
    file = served_file(world, "data/")
    file.unlink()
    return {("file", file.name)}


def cut_short(world: World) -> set[tuple[str, str]]:
    file = served_file(world, "data/")
    file.write_bytes(file.read_bytes()[:-200])
    return {("file", current(world).algorithms["dialogue"].table)}


def without_tag(world: World) -> set[tuple[str, str]]:
    lance.dataset(str(folder(world, "people"))).tags.delete(current(world).tables["people"].tag)
    return {("tag", "people")}


def moved_tag(world: World) -> set[tuple[str, str]]:
    lance.dataset(str(folder(world, "people"))).tags.update(current(world).tables["people"].tag, 1)
    return {("tag", "people")}


def without_version(world: World) -> set[tuple[str, str]]:
    version = current(world).tables["people"].version
    (folder(world, "people") / "_versions" / f"{2**64 - 1 - version}.manifest").unlink()
    return {("version", "people")}


def without_artifact(world: World) -> set[tuple[str, str]]:
    stage, (revision, attempt, _) = next(iter(world.publisher()._current().titles["bees"].items()))
    for info in list(world.store.list(f"{layout.ARTIFACTS}{stage}/bees/{revision}/{attempt}")):
        world.store.delete(info.key)
        return {("artifact", info.key.split("/")[-1])}
    raise AssertionError


def spoilt_artifact(world: World) -> set[tuple[str, str]]:
    (key,) = {name for _, name in without_artifact(world)}
    stage, (revision, _, _) = next(iter(world.publisher()._current().titles["bees"].items()))
    world.store.put(f"{layout.ARTIFACTS}{stage}/bees/{revision}/{key}", b"PAR1 no")
    return {("artifact", key)}


def other_rows(world: World) -> set[tuple[str, str]]:
    manifest = current(world)
    body = manifest.to_json().replace(b'"rows": 4', b'"rows": 5')
    assert body != manifest.to_json()
    world.store.put(layout.snapshot(manifest.id), body)
    return {("rows", name) for name, part in manifest.tables.items() if part.rows == 4}


def without_index(world: World) -> set[tuple[str, str]]:
    served_file(world, "_indices/").unlink()
    return {("index", current(world).algorithms["dialogue"].table)}


DAMAGES = {
    "data file": without_data,
    "index file": without_index,
    "cut short": cut_short,
    "tag": without_tag,
    "moved tag": moved_tag,
    "version": without_version,
    "artifact": without_artifact,
    "spoilt artifact": spoilt_artifact,
    "rows": other_rows,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_whatever_is_not_as_it_says_is_found(world: World, damage: Callable[[World], set[tuple[str, str]]]) -> None:
    expected = damage(world)
    found = verify(world.store)
    assert not found.whole
    assert expected <= problems(world, found)
    assert set(found.to_json()["snapshots"]) == set(found.problems)


def test_rows_of_another_revision_are_found(world: World) -> None:
    # The newest version of a table, with rows of a later state, in the place of the one that is served.
    name = current(world).algorithms["dialogue"].table
    before = current(world)
    world.film("bees", lines=("bees nine",))
    world.compute()
    world.publish()
    parts = before.to_json().replace(
        b'"version": %d' % before.tables[name].version, b'"version": %d' % current(world).tables[name].version
    )
    world.store.put(layout.snapshot(before.id), parts)
    messages = [one.message for one in verify(world.store, before.id).problems[before.id]]
    assert any("title number 2" in message for message in messages), messages


def test_a_manifest_that_is_gone_or_spoilt_is_found(world: World) -> None:
    snapshot = current(world).id
    world.store.put(layout.snapshot(snapshot), b"{}")
    (problem,) = verify(world.store).problems[snapshot]
    assert problem.kind == "manifest"
    world.store.delete(layout.snapshot(snapshot))
    (problem,) = verify(world.store).problems[snapshot]
    assert (problem.kind, problem.message) == ("manifest", "it is gone, and release 2 names it")
    with pytest.raises(UnknownSnapshot):
        verify(world.store, snapshot)


def test_a_model_that_nobody_knows_is_found(sampled: World) -> None:
    (found,) = verify(sampled.store).problems.values()
    assert [(one.kind, one.name) for one in found] == [("model", "m1")]
