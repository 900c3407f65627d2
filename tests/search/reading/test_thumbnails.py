"""Thumbnails: the kept frame nearest to the middle of a hit, written once, from the hit's own range where it can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediaflow.errors import SystemFault
from mediaflow.search.query import Query, Visual
from mediaflow.search.reading.thumbnails import write_thumbnails
from mediaflow.storage.objects import FolderStore
from tests.search.world import World, shot


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(FolderStore(tmp_path / "store"))
    world.title("a")
    world.title("b")
    world.visual(shot("a", 0, 1000, "red"), shot("a", 1000, 9000, "red white"), shot("b", 0, 500, "red white white"))
    return world


def frame(title_id: str, time_ms: int) -> dict[str, object]:
    return {
        "title_id": title_id,
        "shot_no": 0,
        "time_ms": time_ms,
        "width": 1,
        "height": 1,
        "jpeg": f"{title_id}{time_ms}".encode(),
    }


def test_thumbnails_are_written_on_demand(world: World, tmp_path: Path) -> None:
    world.thumbnail(frame("a", 100), frame("a", 990), frame("a", 1001), frame("a", 5600), frame("b", 5600))
    gateway = world.gateway()
    hits = gateway.search(Query((Visual("red"),))).hits
    paths = write_thumbnails(gateway.reader, hits, tmp_path / "thumbnails")
    folder = tmp_path / "thumbnails"
    assert paths == [folder / "a-100.jpg", folder / "a-5600.jpg", folder / "b-5600.jpg"]
    assert sorted(path.name for path in folder.iterdir()) == ["a-100.jpg", "a-5600.jpg", "b-5600.jpg"]
    assert [path.read_bytes() for path in paths if path] == [b"a100", b"a5600", b"b5600"]
    (folder / "a-100.jpg").write_bytes(b"kept")
    assert write_thumbnails(gateway.reader, hits[:1], tmp_path / "thumbnails") == [folder / "a-100.jpg"]
    assert (folder / "a-100.jpg").read_bytes() == b"kept"


def test_a_title_or_a_snapshot_without_thumbnails_has_none(world: World, tmp_path: Path) -> None:
    gateway = world.gateway()
    hits = gateway.search(Query((Visual("red"),))).hits
    assert write_thumbnails(gateway.reader, hits, tmp_path / "thumbnails") == [None, None, None]
    world.thumbnail(frame("a", 100))
    assert write_thumbnails(world.reader(), hits, tmp_path / "thumbnails")[2] is None


def test_a_folder_that_cannot_be_written_is_a_sentence(world: World, tmp_path: Path) -> None:
    world.thumbnail(frame("a", 100))
    gateway = world.gateway()
    hits = gateway.search(Query((Visual("red"),))).hits
    (tmp_path / "thumbnails").write_text("a file, not a folder")
    with pytest.raises(SystemFault, match="thumbnail could not be written"):
        write_thumbnails(gateway.reader, hits, tmp_path / "thumbnails")
