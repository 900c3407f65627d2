"""Links, hostile names, things that are no files, and what may not be read."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.catalog.library import Library

NOBODY = 65534


@contextmanager
def without_rights(folder: Path) -> Iterator[None]:
    """Do what follows as a user who is not root, so that permissions count."""
    if os.geteuid() != 0:
        yield
        return
    for base, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            os.chown(Path(base) / name, NOBODY, NOBODY, follow_symlinks=False)
    os.chown(folder, NOBODY, NOBODY)
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_library() -> Iterator[Library]:
    """A library where others may pass: pytest's own folders are for this user alone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        made = Library(Path(folder))
        yield made
        made.memory.close()


class TestLinks:
    def test_never_out_of_the_library(self, library: Library, tmp_path: Path) -> None:
        outside = tmp_path / "library-2"
        outside.mkdir()
        (outside / "secret.mp4").write_text("x")
        library.write("a.mp4")
        (library.root / "out.mp4").symlink_to(outside / "secret.mp4")
        (library.root / "out").symlink_to(outside)
        (library.root / "up").symlink_to("..")
        (library.root / "gone.mp4").symlink_to("nowhere.mp4")
        (library.root / "loop.mp4").symlink_to("loop.mp4")
        assert [title.path for title in library.scan().titles] == ["a.mp4"]
        assert library.reasons() == {
            (".", "link that leads out of the library"): 3,
            (".", "link that leads nowhere"): 2,
        }

    def test_inside_is_followed_once(self, library: Library) -> None:
        library.write(".store/object", "film bytes")
        library.write(".store/folder/c.mp4")
        library.write("b/real.mp4")
        (library.root / "a.mp4").symlink_to(".store/object")
        (library.root / "a2.mp4").symlink_to(".store/object")
        (library.root / "also.mp4").symlink_to("b/real.mp4")
        (library.root / "a_link").symlink_to("b")
        (library.root / "b" / "cycle").symlink_to("..")
        (library.root / "c").symlink_to(".store/folder")
        (library.root / "d").symlink_to(".store/folder")
        library.refresh()
        assert set(library.ids()) == {"a.mp4", "b/real.mp4", "c/c.mp4"}

    def test_a_linked_subtitle_counts_for_each_film(self, library: Library) -> None:
        library.write("a.mp4")
        library.write("b.mp4")
        library.write("a.en.srt")
        (library.root / "b.en.srt").symlink_to("a.en.srt")
        library.refresh()
        assert [file.path for file in library.title("b").subtitles] == ["b.en.srt"]

    def test_the_library_itself_may_be_a_link(self, library: Library, tmp_path: Path) -> None:
        library.write("a.mp4")
        library.refresh()
        (tmp_path / "link").symlink_to(library.root)
        library.root = tmp_path / "link"
        library.refresh()
        assert library.catalog.n == 1


class TestHostileNames:
    @pytest.mark.parametrize(
        "name", [b"bad\xff.mp4", b"new\nline.mp4", b"esc\x1b[31m.mp4", b"del\x7f.mp4", b"c1\xc2\x85.mp4"]
    )
    def test_left_out_with_a_printable_line(self, library: Library, name: bytes) -> None:
        library.write("good.mp4")
        (library.root / os.fsdecode(name)).write_text("x")
        (library.root / os.fsdecode(name[:-4])).mkdir()
        change = library.refresh()
        assert change.added == ("good",)
        assert len(library.last.problems) == 2
        for problem in library.last.problems:
            assert problem.path.isprintable()
            assert "rename it" in problem.message

    @pytest.mark.parametrize(
        "name", ["'; DROP TABLE hashes;--.mp4", "$(reboot).mp4", "%s%n{0}.mp4", "-rf.mp4", "‮gpm.mp4", "[(.mp4"]
    )
    def test_odd_but_honest_names_are_titles(self, library: Library, name: str) -> None:
        library.write(name)
        (title_id,) = library.refresh().added
        assert title_id.strip("abcdefghijklmnopqrstuvwxyz0123456789-") == ""
        assert library.title(title_id).path == name

    def test_paths_too_long_to_open(self, library: Library) -> None:
        library.write("good.mp4")
        here = os.open(library.root, os.O_RDONLY)
        for _ in range(20):
            os.mkdir("x" * 250, dir_fd=here)
            below = os.open("x" * 250, os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
        os.close(os.open("deep.mp4", os.O_CREAT | os.O_WRONLY, dir_fd=here))
        os.close(here)
        assert library.refresh().added == ("good",)
        assert ["too long" in problem.message for problem in library.last.problems] == [True]

    def test_long_names_and_deep_folders(self, library: Library) -> None:
        library.write("y" * 250 + ".mp4")
        library.write("d/" * 900 + "deep.mp4")
        library.refresh()
        assert set(library.catalog.titles) == {"y" * 80, "deep"}


def test_pipes_and_sockets_are_passed_by(library: Library) -> None:
    library.write("a.mp4")
    for name in ("pipe.mp4", "pipe.m3u8", "a.nfo", "a.xml"):
        os.mkfifo(library.root / name)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.path.relpath(library.root / "socket.mp4"))
        library.refresh()
    assert set(library.ids()) == {"a.mp4"}
    assert library.reasons() == {(".", "neither file nor folder (pipe, socket, device)"): 5}


class TestRights:
    @pytest.mark.parametrize("mode", [0o000, 0o444])
    def test_titles_below_an_unreadable_folder_stay(self, open_library: Library, mode: int) -> None:
        open_library.write("a/a.mp4")
        open_library.write("b.mp4")
        open_library.refresh()
        (open_library.root / "a").chmod(mode)
        with without_rights(open_library.root.parent):
            open_library.scan()
        (open_library.root / "a").chmod(0o755)
        assert (open_library.last.removed, open_library.last.guard) == ([], None)
        assert [problem.path for problem in open_library.last.problems] == ["a"]
        assert open_library.last.settling == 0

    def test_an_unreadable_library_removes_nothing(self, open_library: Library) -> None:
        open_library.write("a.mp4")
        open_library.refresh()
        open_library.root.chmod(0o000)
        with without_rights(open_library.root.parent):
            open_library.scan(allow_loss=True)
        open_library.root.chmod(0o755)
        assert open_library.last.removed == []
        assert "cannot be read" in (open_library.last.guard or "")

    def test_an_unreadable_film_is_told_and_the_others_go_on(self, open_library: Library) -> None:
        open_library.write("a.mp4")
        open_library.write("b.mp4")
        open_library.write("b.nfo", "<movie><title>B!</title></movie>")
        for name in ("a.mp4", "b.nfo"):
            (open_library.root / name).chmod(0o000)
        with without_rights(open_library.root.parent):
            open_library.scan()
        assert [title.path for title in open_library.last.titles] == ["b.mp4"]
        assert [problem.path for problem in open_library.last.problems] == ["a.mp4", "b.nfo"]

    def test_unreadable_files_of_a_known_title_leave_it_as_it_was(self, open_library: Library) -> None:
        for name in ("a.mp4", "a.nfo", "Subs/a.srt"):
            open_library.write(name, "<movie><title>A</title></movie>")
        open_library.refresh()
        before = open_library.title("a")
        for name in ("a.mp4", "a.nfo"):
            open_library.write(name, "<movie><title>New</title></movie>", age_s=20)
            (open_library.root / name).chmod(0o000)
        (open_library.root / "Subs").chmod(0o000)
        with without_rights(open_library.root.parent):
            open_library.scan()
        (open_library.root / "Subs").chmod(0o755)
        (title,) = open_library.last.titles
        assert (title.roots, title.entry, title.subtitles) == (before.roots, before.entry, before.subtitles)
        assert [problem.path for problem in open_library.last.problems] == ["Subs", "a.mp4", "a.nfo"]
