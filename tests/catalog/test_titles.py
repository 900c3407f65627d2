"""The catalogue log: deltas, full states, two scans at once."""

from __future__ import annotations

import json

import pytest

from mediaflow.catalog.records import TitleRecord
from mediaflow.catalog.titles import Catalog, update
from mediaflow.errors import SystemFault
from mediaflow.storage.layout import CATALOG
from mediaflow.storage.log import FULL_EVERY, NumberedLog
from tests.catalog.library import Library


def test_a_record_comes_back_from_json_as_it_was(library: Library) -> None:
    library.write("Show/S01E01.mkv")
    library.write("Show/S01E01.en.srt")
    library.write(
        "Show/S01E01.json",
        '{"people": [{"talent": "Ann", "character": "Cop"}], "genres": ["x"], "fields": {"a": [], "b": 1.5}}',
    )
    library.refresh()
    (record,) = library.catalog.present()
    assert TitleRecord.from_json(json.loads(json.dumps(record.to_json()))) == record
    assert Catalog.load(library.store).titles == library.catalog.titles


def test_loading_reads_from_the_last_full_state(library: Library) -> None:
    library.write("keep.mp4")
    library.write("a.mp4")
    library.write("gone.mp4")
    library.refresh()
    library.remove("gone.mp4")
    library.refresh()
    while library.catalog.n < FULL_EVERY + 2:
        library.write("a.mp4", f"version {library.catalog.n}", age_s=2000 - library.catalog.n)
        library.refresh()
    log = NumberedLog(library.store, CATALOG)
    assert [len(log.read(number)["titles"]) for number in (FULL_EVERY - 1, FULL_EVERY, FULL_EVERY + 1)] == [1, 3, 1]
    for number in range(1, FULL_EVERY):
        library.store.delete(f"{CATALOG}{number:020d}.json")
    loaded = Catalog.load(library.store)
    assert (loaded.n, loaded.titles) == (FULL_EVERY + 2, library.catalog.titles)
    assert loaded.titles["gone"].removed


def test_a_reader_far_behind_catches_up_over_a_full_state(library: Library) -> None:
    library.write("a.mp4")
    behind = library.refresh().catalog
    while library.catalog.n < FULL_EVERY + 1:
        library.write("a.mp4", f"version {library.catalog.n}", age_s=2000 - library.catalog.n)
        library.refresh()
    assert behind.refresh().titles == library.catalog.titles
    assert library.catalog.refresh() is library.catalog


def test_two_scans_of_the_same_folder_are_one_change(library: Library) -> None:
    library.write("x/a.mp4")
    library.write("y/a.mp4")
    first = library.scan()
    second = library.scan()
    stale = library.catalog
    winner = update(stale, first)
    loser = update(stale, second)
    assert (len(winner.added), loser.added) == (2, ())
    assert loser.catalog.titles == winner.catalog.titles
    assert loser.catalog.n == 1


def test_the_loser_of_a_race_gives_no_id_or_number_twice(library: Library) -> None:
    library.write("x/a.mp4")
    first = library.scan()
    library.remove("x/a.mp4")
    library.write("y/a.mp4")
    second = library.scan()
    stale = library.catalog
    update(stale, first)
    after = update(stale, second).catalog
    assert after.n == 2
    assert len({record.title_no for record in after.present()}) == len(after.present()) == 2
    assert after.titles["a"].path == "x/a.mp4"


def test_a_move_seen_twice_is_one_move(library: Library) -> None:
    library.write("a.mp4")
    library.refresh()
    library.rename("a.mp4", "b.mp4")
    stale, first, second = library.catalog, library.scan(), library.scan()
    assert update(stale, first).moved == ("a",)
    again = update(stale, second)
    assert (again.moved, again.added, again.removed) == ((), (), ())


def test_a_stale_move_takes_no_title_from_where_it_went(library: Library) -> None:
    library.write("a.mp4", "same")
    library.refresh()
    stale = library.catalog
    library.rename("a.mp4", "c.mp4")
    first = library.scan()
    library.write("b.mp4", "same")
    second = library.scan()
    update(stale, first)
    after = update(stale, second).catalog
    assert {record.path: record.title_id for record in after.present()} == {"b.mp4": "b", "c.mp4": "a"}


def test_ids_stay_when_files_are_added_or_described_anew(library: Library) -> None:
    library.write("y/a.mp4")
    library.refresh()
    library.write("x/a.mp4")
    library.write("y/a.nfo", "<movie><title>Other Name</title></movie>")
    library.refresh()
    assert library.ids()["y/a.mp4"] == "a"
    assert library.ids()["x/a.mp4"].startswith("a-")
    assert library.title("a").entry.title == "Other Name"


def test_an_entry_of_another_format_is_refused_with_advice(library: Library) -> None:
    NumberedLog(library.store, CATALOG).append(1, {"format": 99, "full": False, "titles": []})
    with pytest.raises(SystemFault, match="update mediaflow"):
        Catalog.load(library.store)
