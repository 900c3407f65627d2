"""A look at the folder: what it told people is kept for others to read."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediaflow.catalog.look import last_look, look
from mediaflow.catalog.titles import Catalog
from mediaflow.errors import SystemFault
from mediaflow.settings import Settings
from mediaflow.storage.objects import FolderStore
from tests.catalog.library import NOW_MS, Library


def test_what_a_look_told_people_is_kept(library: Library, tmp_path: Path) -> None:
    library.write("a.mp4")
    library.write("b.mp4", age_s=1)
    library.write("notes.txt")
    library.write("c.mp4")
    library.write("c.json", "{")
    cache = tmp_path / "cache"
    assert last_look(cache) == {"guard": None, "ignored": [], "problems": [], "settling": 0}
    found = look(library.root, library.catalog, cache, Settings(settle_s=10), now_ms=NOW_MS)
    assert (found.change.added, found.settling, found.hashing_bytes_left) == (("a", "c"), 1, 0)
    kept = last_look(cache)
    assert kept["ignored"] == [{"path": ".", "reason": "text", "count": 1}]
    assert (kept["guard"], kept["settling"], [one["path"] for one in kept["problems"]]) == (None, 1, ["c.json"])
    assert not list(cache.glob("*.part"))


def test_what_is_hashed_at_once_and_believed_is_as_set(library: Library, tmp_path: Path) -> None:
    for name in "abc":
        library.write(f"{name}.mp4", "x" * 10)
    settings = Settings(settle_s=0, hash_bytes_per_tick=10, loss_limit=1)
    first = look(library.root, library.catalog, library.memory_folder, settings, now_ms=NOW_MS)
    assert (first.change.added, first.hashing_bytes_left) == (("a",), 20)
    assert first.change.catalog.titles == Catalog.load(library.store).titles
    library.root.rename(tmp_path / "away")
    away = look(library.root, first.change.catalog, library.memory_folder, settings, allow_loss=True)
    assert away.guard and not away.change.removed
    assert last_look(library.memory_folder)["guard"] == away.guard


def test_notes_that_cannot_be_kept_are_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    (tmp_path / "cache" / "scan.json").mkdir(parents=True)
    with pytest.raises(SystemFault, match=r"scan\.json cannot be written"):
        look(tmp_path / "library", Catalog.load(FolderStore(tmp_path / "store")), tmp_path / "cache", Settings())
