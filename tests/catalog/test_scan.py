"""Bytes and their identity, settling, slices of hashing, moves, and the guard against great loss."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from mediaflow.catalog.records import subtitles_revision
from tests.catalog.library import Library


def test_nothing_changed_appends_nothing(library: Library) -> None:
    library.write("a.mp4")
    library.write("a.en.srt")
    assert library.refresh().added == ("a",)
    for _ in range(2):
        library.refresh()
    library.forget()
    library.refresh()
    assert library.catalog.n == 1
    assert library.catalog.log.tip() == 1


def test_the_same_bytes_touched_copied_or_renamed_and_back_change_nothing(library: Library) -> None:
    library.write("a.mp4")
    library.write("a.en.srt", "hello")
    library.write("b.mp4")
    library.refresh()
    before = library.title("a")
    library.touch("a.mp4", age_s=60)
    library.refresh()
    library.remove("a.en.srt")
    library.write("a.en.srt", "hello", age_s=30)
    library.refresh()
    assert library.catalog.n == 1
    library.rename("a.mp4", "x.mp4")
    library.rename("a.en.srt", "x.en.srt")
    assert library.refresh().moved == ("a",)
    library.rename("x.mp4", "a.mp4")
    library.rename("x.en.srt", "a.en.srt")
    library.refresh()
    assert library.title("a") == before


@pytest.mark.parametrize(
    ("path", "content", "root"),
    [
        ("Film (1999)/Film (1999).mkv", "other bytes", "media"),
        ("Film (1999)/Film (1999).en.srt", "other words", "subtitles"),
        ("Film (1999)/Film (1999).fr.srt", "one more", "subtitles"),
        ("Film (1999)/Film (1999).nfo", "<movie><genre>Crime</genre></movie>", "catalogue"),
        ("Film (1999)/title.json", '{"genres": ["Crime"]}', "catalogue"),
    ],
)
def test_each_root_changes_alone(library: Library, path: str, content: str, root: str) -> None:
    library.write("Film (1999)/Film (1999).mkv")
    library.write("Film (1999)/Film (1999).en.srt")
    library.refresh()
    before = library.title("film-1999").roots
    library.write(path, content, age_s=20)
    assert library.refresh().changed == ("film-1999",)
    after = library.title("film-1999").roots
    assert set(before) == {"media", "subtitles", "catalogue"}
    assert {name for name in before if before[name] != after[name]} == {root}


def test_a_changed_nfo_that_says_the_same_changes_nothing(library: Library) -> None:
    library.write("a.mp4")
    library.write("a.nfo", "<movie><title>A</title><genre>Crime</genre></movie>")
    library.refresh()
    library.write("a.nfo", "<movie>\n  <genre>Crime</genre><!-- new --><title>A</title>\n</movie>", age_s=20)
    library.refresh()
    assert library.catalog.n == 1


def test_revision_of_media_is_the_hash_of_the_bytes(library: Library) -> None:
    library.write("a.mp4", "abc")
    library.refresh()
    assert library.title("a").roots["media"] == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert library.title("a").roots["subtitles"] == subtitles_revision("a.mp4", ())


def test_moving_the_whole_folder_keeps_every_root(library: Library) -> None:
    library.write("Old/Film (1999).mkv")
    library.write("Old/Film (1999).en.srt")
    library.refresh()
    before = library.title("film-1999")
    library.rename("Old", "New")
    assert library.refresh().moved == ("film-1999",)
    after = library.title("film-1999")
    assert (after.roots, after.title_no) == (before.roots, before.title_no)
    assert after.path == "New/Film (1999).mkv"


class TestSettling:
    def test_a_new_file_counts_once_it_held_still(self, library: Library) -> None:
        library.write("a.mp4", age_s=1)
        assert library.scan().titles == []
        assert library.last.settling == 1
        library.now_ms += 8_000
        library.write("a.mp4", "a longer file, still being copied", age_s=1)
        library.now_ms += 8_000
        assert library.scan().titles == []
        library.now_ms += 2_000
        assert [title.path for title in library.scan().titles] == ["a.mp4"]
        assert library.last.settling == 0

    def test_an_old_time_counts_at_once_and_one_of_the_future_does_not(self, library: Library) -> None:
        library.write("old.mp4", age_s=11)
        library.write("future.mp4", age_s=-500_000)
        assert [title.path for title in library.scan().titles] == ["old.mp4"]
        library.now_ms += 10_000
        assert [title.path for title in library.scan().titles] == ["future.mp4", "old.mp4"]

    def test_since_when_a_file_holds_still_outlives_the_process(self, library: Library) -> None:
        library.write("future.mp4", age_s=-500_000)
        library.scan()
        library.memory.close()
        library.memory = type(library.memory)(library.memory_folder)
        library.now_ms += 10_000
        assert len(library.scan().titles) == 1

    @pytest.mark.parametrize("name", ["a.mp4", "a.en.srt", "a.nfo"])
    def test_the_old_state_stands_while_a_file_is_written_over(self, library: Library, name: str) -> None:
        library.write("a.mp4")
        library.write("a.en.srt")
        library.write("a.nfo", "<movie><title>Old</title></movie>")
        library.refresh()
        library.write(name, "<movie><title>New</title></movie>", age_s=0)
        library.refresh()
        assert (library.catalog.n, library.last.settling) == (1, 1)
        library.now_ms += 10_000
        assert library.refresh().changed == ("old",)

    def test_a_settling_subtitle_does_not_hold_the_catalogue(self, library: Library) -> None:
        library.write("a.mp4")
        library.refresh()
        library.write("a.en.srt", age_s=0)
        library.write("a.nfo", "<movie><year>1999</year></movie>")
        library.refresh()
        assert library.title("a").entry.year == 1999
        assert library.title("a").subtitles == ()


class TestHashing:
    def test_slices(self, library: Library) -> None:
        for name in "abcd":
            library.write(f"{name}.mp4", name * 100)
        library.write("d.en.srt", "x" * 10)
        left = []
        while not left or left[-1]:
            library.refresh(budget_bytes=110)
            left.append(library.last.hashing_bytes_left)
        # 10 + 100 reach the budget; then 100 do not yet, 200 do; then the last one.
        assert left == [300, 100, 0]
        assert set(library.ids().values()) == {"a", "b", "c", "d"}

    def test_a_file_larger_than_the_slice_is_hashed_all_the_same(self, library: Library) -> None:
        library.write("a.mp4", "a" * 100)
        library.write("b.mp4", "b" * 100)
        assert [title.path for title in library.scan(budget_bytes=1).titles] == ["a.mp4"]
        assert len(library.scan(budget_bytes=1).titles) == 2

    def test_a_changed_film_keeps_its_old_state_until_it_is_hashed(self, library: Library) -> None:
        for name in "ab":
            library.write(f"{name}.mp4", name * 100)
        library.refresh()
        for name in "ab":
            library.write(f"{name}.mp4", name * 200, age_s=20)
        assert library.refresh(budget_bytes=1).changed == ("a",)
        assert library.refresh(budget_bytes=1).changed == ("b",)

    def test_bytes_are_read_once(self, library: Library) -> None:
        """A file whose size and time are as before is not opened: other bytes under them stay unseen."""
        library.write("a.mp4", "abc", age_s=100)
        library.refresh()
        library.write("a.mp4", "xyz", age_s=100)
        library.refresh()
        assert library.catalog.n == 1
        library.forget()
        library.refresh()
        assert library.catalog.n == 2

    def test_a_file_renamed_and_renamed_back_is_not_read_again(self, library: Library) -> None:
        library.write("a.mp4", "abc", age_s=100)
        library.refresh()
        library.rename("a.mp4", "b.mp4")
        library.refresh()
        library.rename("b.mp4", "a.mp4")
        library.write("a.mp4", "xyz", age_s=100)
        assert library.scan().titles[0].media[0].sha256.startswith("ba7816bf")


class TestMoves:
    def test_a_moved_file_keeps_its_id_and_number(self, library: Library) -> None:
        library.write("a.mp4")
        library.refresh()
        library.rename("a.mp4", "Films/Nice Name (1999).mp4")
        change = library.refresh()
        assert (change.moved, change.removed, change.added) == (("a",), (), ())
        assert library.title("a").entry.title == "Nice Name"

    def test_a_copy_is_a_title_of_its_own(self, library: Library) -> None:
        library.write("a.mp4", "same")
        library.refresh()
        library.write("b.mp4", "same")
        assert library.refresh().added == ("b",)

    def test_a_moved_file_is_not_lost_while_it_waits_to_be_hashed(self, library: Library) -> None:
        for name in "abcdefg":
            library.write(f"{name}.mp4", name * 100)
        library.refresh()
        library.rename("g.mp4", "new/g.mp4")
        library.write("_first.mp4", "_" * 999)
        change = library.refresh(budget_bytes=1)
        assert change.removed == ()
        assert library.refresh(budget_bytes=1).moved == ("g",)

    def test_two_copies_moved_pair_by_name(self, library: Library) -> None:
        library.write("b.mp4", "same")
        library.write("a.mp4", "same")
        library.refresh()
        library.rename("a.mp4", "2/a.mp4")
        library.rename("b.mp4", "1/b.mp4")
        library.refresh()
        assert library.ids() == {"2/a.mp4": "a", "1/b.mp4": "b"}

    def test_a_path_that_was_a_title_stays_that_title(self, library: Library) -> None:
        library.write("a.mp4", "first")
        library.write("b.mp4", "second")
        library.write("c.mp4", "third")
        library.refresh()
        library.remove("a.mp4")
        assert library.refresh().removed == ("a",)
        library.rename("b.mp4", "a.mp4")
        change = library.refresh()
        assert (change.returned, change.removed) == (("a",), ("b",))


class TestLoss:
    def fill(self, library: Library, count: int) -> None:
        for number in range(count):
            library.write(f"film {number}.mp4")
        library.refresh()

    @pytest.mark.parametrize(
        ("count", "lost", "believed"),
        [(1, 1, False), (2, 1, True), (2, 2, False), (3, 1, True), (3, 2, False), (10, 2, True), (10, 3, False)],
    )
    def test_share(self, library: Library, count: int, lost: int, believed: bool) -> None:
        self.fill(library, count)
        for number in range(lost):
            library.remove(f"film {number}.mp4")
        change = library.refresh()
        assert len(change.removed) == (lost if believed else 0)
        assert (library.last.guard is None) is believed
        assert len(library.refresh(allow_loss=True).removed) == (0 if believed else lost)

    def test_limit_is_a_setting(self, library: Library) -> None:
        self.fill(library, 10)
        for number in range(5):
            library.remove(f"film {number}.mp4")
        assert library.refresh(loss_limit=0.4).removed == ()
        assert len(library.refresh(loss_limit=0.5).removed) == 5

    def test_guard_holds_removals_only(self, library: Library) -> None:
        self.fill(library, 3)
        shutil.rmtree(library.root)
        library.root.mkdir()
        library.write("new.mp4")
        change = library.refresh()
        assert (change.added, change.removed) == (("new",), ())
        assert library.last.guard is not None
        assert "all 3 titles" in library.last.guard

    def test_missing_root_removes_nothing_whatever_is_allowed(self, library: Library) -> None:
        self.fill(library, 3)
        shutil.rmtree(library.root)
        change = library.refresh(allow_loss=True)
        assert change.removed == ()
        assert library.last.guard is not None
        assert "cannot be read" in library.last.guard

    def test_root_that_is_a_file(self, library: Library, tmp_path: Path) -> None:
        library.root = tmp_path / "file"
        library.root.write_text("x")
        assert library.scan().guard is not None

    def test_a_tombstone_is_lifted_when_the_path_returns(self, library: Library) -> None:
        self.fill(library, 3)
        before = library.title("film-1")
        library.remove("film 1.mp4")
        assert library.refresh().removed == ("film-1",)
        assert library.title("film-1").removed
        library.write("film 1.mp4", "other bytes")
        assert library.refresh().returned == ("film-1",)
        assert library.title("film-1").title_no == before.title_no
        assert not library.title("film-1").removed


class TestBrokenCatalogueFiles:
    @pytest.mark.parametrize(
        ("name", "content", "says"),
        [
            ("Film (1999).nfo", "<movie><title>Broken", "broken XML"),
            ("Film (1999).nfo", b"\xff\xfa\x00 binary", "encoding"),
            ("Film (1999).nfo", "  ASCII ART OF A RELEASE GROUP", "no Kodi .nfo"),
            ("Film (1999).nfo", "<tvshow><title>x</title></tvshow>", "tvshow.nfo"),
            ("Film (1999).nfo", "<movie>" + " " * 1_000_001 + "</movie>", "larger than 1 MB"),
            ("title.json", "{", "no JSON"),
            ("title.json", "[1]", "one JSON object"),
            ("title.json", '{"year": "1999"}', "'year' was left out"),
            ("title.json", '{"genre": ["Crime"]}', "no such field"),
            ("title.json", "[" * 100_000, "no JSON"),
        ],
    )
    def test_title_goes_on_with_what_its_path_says(
        self, library: Library, name: str, content: str | bytes, says: str
    ) -> None:
        library.write("Film (1999)/Film (1999).mkv")
        library.write(f"Film (1999)/{name}", content)
        library.refresh()
        for _ in range(2):
            assert [problem.path for problem in library.scan().problems] == [f"Film (1999)/{name}"]
            assert says in library.last.problems[0].message
        entry = library.title("film-1999").entry
        assert (entry.title, entry.year, entry.kind) == ("Film", 1999, "movie")
        library.remove(f"Film (1999)/{name}")
        assert library.scan().problems == []

    def test_a_broken_file_of_a_series_is_one_line(self, library: Library) -> None:
        library.write("Show/tvshow.nfo", "<tvshow>")
        for number in range(3):
            library.write(f"Show/Show S01E0{number}.mkv")
        assert [problem.path for problem in library.scan().problems] == ["Show/tvshow.nfo"]

    def test_title_json_that_fits_no_single_title(self, library: Library) -> None:
        library.write("a.mp4")
        library.write("b.mp4")
        library.write("title.json", json.dumps({"title": "Which?"}))
        assert [problem.path for problem in library.scan().problems] == ["title.json"]


def test_hard_links_are_titles_of_their_own(library: Library) -> None:
    library.write("a.mp4")
    os.link(library.root / "a.mp4", library.root / "b.mp4")
    assert set(library.refresh().added) == {"a", "b"}
