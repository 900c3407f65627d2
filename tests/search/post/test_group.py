"""How hits are arranged: by score or by time, and the best of each title or series."""

from __future__ import annotations

from pathlib import Path

from mediaflow.search.gateway import Gateway
from mediaflow.search.query import (
    Dialogue,
    Query,
    Visual,
)
from mediaflow.storage.objects import FolderStore
from tests.search.harbour import moments
from tests.search.world import (
    World,
    shot,
)


def test_groups_reach_beyond_the_hits_of_one_title(tmp_path: Path) -> None:
    world = World(FolderStore(tmp_path))
    world.title("crowd")
    world.title("lonely")
    world.visual(*(shot("crowd", at, at + 1, "red") for at in range(1500)), shot("lonely", 0, 9, "blue"))
    hits = world.gateway().search(Query((Visual("red"),), group_by="title"))
    assert [(hit.title_id, hit.grouped) for hit in hits] == [("crowd", 1500), ("lonely", 1)]


def test_groups_show_the_best_of_each(gateway: Gateway) -> None:
    by_title = gateway.search(Query((Dialogue("hello"),), group_by="title"))
    assert sorted(hit.title_id for hit in by_title) == ["harbour", "meadow", "night-shift-s01e02"]
    assert {hit.title_id: hit.grouped for hit in by_title}["harbour"] == 2
    by_series = gateway.search(Query((Visual("red"),), group_by="series"))
    assert [hit.title_id for hit in by_series] == ["night-shift-s01e01", "harbour", "meadow"]
    assert gateway.search(Query((Visual("red"),), group_by="series", limit=1)).hits == by_series.hits[:1]


def test_sorted_by_time_the_best_come_in_order_of_titles_and_time(gateway: Gateway) -> None:
    hits = gateway.search(Query((Visual("red"),), sort="time"))
    assert moments(list(hits)) == [
        ("night-shift-s01e01", 0, 4000),
        ("night-shift-s01e02", 0, 4000),
        ("night-shift-s02e01", 0, 4000),
        ("harbour", 0, 5000),
        ("harbour", 5000, 10_000),
        ("meadow", 0, 8000),
    ]
    best = gateway.search(Query((Visual("red"),), sort="time", limit=2))
    assert moments(list(best)) == [("night-shift-s01e01", 0, 4000), ("harbour", 0, 5000)]
