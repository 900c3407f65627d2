"""The memory may be lost, damaged or unusable; it never decides what is true."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediaflow.catalog.hashes import FILE_NAME, HashMemory, digest
from mediaflow.catalog.walk import FileStat
from mediaflow.errors import SystemFault
from tests.catalog.library import Library


@pytest.mark.parametrize("damage", [b"no database at all" * 99, b""])
def test_damaged_memory_is_begun_anew(library: Library, damage: bytes) -> None:
    library.write("a.mp4")
    library.refresh()
    library.memory.close()
    (library.memory_folder / FILE_NAME).write_bytes(damage)
    library.memory = HashMemory(library.memory_folder)
    library.refresh()
    assert library.catalog.n == 1
    assert len(library.last.titles) == 1


def test_a_folder_that_cannot_be_is_a_fault_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SystemFault, match="check the folder"):
        HashMemory(tmp_path / "file")


def test_two_scans_may_share_the_memory(library: Library) -> None:
    library.write("a.mp4")
    with HashMemory(library.memory_folder) as other:
        library.scan()
        library.memory, mine = other, library.memory
        assert [title.path for title in library.scan().titles] == ["a.mp4"]
        library.memory = mine
    assert [title.path for title in library.scan().titles] == ["a.mp4"]


def test_what_is_long_gone_is_forgotten_in_the_end(library: Library) -> None:
    for number in range(30):
        library.write(f"{number}.mp4")
    library.refresh()
    known = {f"{number}.mp4" for number in range(30)}
    file = FileStat("29.mp4", "29.mp4", 15, 0, (0, 0))
    for number in range(1_100):
        library.memory.remember_hash(file._replace(path=f"old {number}"), "00")
    library.memory.save(known)
    assert library.memory.sha256(file._replace(path="old 7")) is None
    library.refresh()
    assert library.catalog.n == 1


def test_a_file_that_changed_since_it_was_seen_is_not_hashed(library: Library) -> None:
    path = library.write("a.mp4", "abc")
    found = path.stat()
    seen = FileStat("a.mp4", "a.mp4", found.st_size, found.st_mtime_ns, (found.st_dev, found.st_ino))
    assert digest(str(library.root), seen) is not None
    assert digest(str(library.root), seen._replace(size=4)) is None
    assert digest(str(library.root), seen._replace(identity=(0, 0))) is None
