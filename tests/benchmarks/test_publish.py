"""The libraries that publishes are measured on: they publish, and a publish asks the store as much in a larger one."""

from __future__ import annotations

from pathlib import Path

from benchmarks._shelf import LINES, VECTORS, Shelf
from benchmarks.publish import requests_of_one
from mediaflow.storage.objects import FolderStore


def test_store_requests_of_a_publish_do_not_grow_with_the_library(tmp_path: Path) -> None:
    small, large = (Shelf.filled(FolderStore(tmp_path / str(count)), count) for count in (10, 40))
    rows = large.publish().manifest.checks["rows"].values()
    assert {VECTORS * 40, LINES * 40} <= set(rows)
    assert requests_of_one(small, 7) == requests_of_one(large, 7)
