"""Stages over batches of titles: only what is missing is computed, from the very bytes that the catalogue saw."""

from __future__ import annotations

import pytest

from mediaflow.errors import SystemFault, TitleError
from mediaflow.storage.objects import FolderStore
from tests.stages.loud import Loud
from tests.stages.room import ALL, CUE, SOURCES, Room


def test_what_is_fresh_is_not_computed_again_unless_forced(heard: Room) -> None:
    loud = Loud()
    heard.use(loud)
    first = heard.run("loud")
    before = heard.facts()
    again = heard.run("loud")
    assert {outcome.state for outcome in again.values()} == {"already fresh"}
    assert again["alps"].attempt == first["alps"].attempt
    assert again["alps"].facts == first["alps"].facts
    assert (len(loud.batches), heard.facts()) == (1, before)
    forced = heard.run("loud", titles=["cats"], force=True)
    assert [(one.state, one.why) for one in forced.values()] == [("computed", "by force")]
    assert forced["cats"].attempt != first["cats"].attempt
    assert forced["cats"].revision == first["cats"].revision
    assert loud.batches[1:] == [["cats"]]


def test_recording_computes_nothing_and_says_what_the_ledger_says(heard: Room) -> None:
    loud = Loud(bees=TitleError("the sound is gone"))
    heard.use(loud)
    heard.run("loud", titles=["alps", "bees"])
    before = heard.facts()
    said = heard.run("loud", record=True)
    assert {title: outcome.state for title, outcome in said.items()} == {
        "alps": "already fresh",
        "bees": "quarantined",
        "cats": "stale",
        "dogs": "stale",
        "eels": "stale",
    }
    assert said["bees"].reason == "the sound is gone"
    assert heard.facts() == before


def test_bad_bytes_are_quarantined_at_once_and_the_others_go_on(room: Room) -> None:
    room.title("bees", media=b"this is no film" * 100)
    room.scan()
    done = room.run("media")
    assert {title: outcome.state for title, outcome in done.items()} == dict.fromkeys(ALL, "computed") | {
        "bees": "quarantined"
    }
    assert "bees.mp4" in done["bees"].reason
    assert not done["bees"].ok
    found = room.run(*SOURCES, "frames", titles=["bees", "cats"])
    assert (found["bees"].state, found["cats"].state) == ("blocked", "computed")
    assert "media" in found["bees"].reason


def test_other_bytes_are_a_new_try(room: Room) -> None:
    room.title("bees", media=b"this is no film" * 100)
    room.scan()
    room.run("media")
    room.title("bees")
    room.scan()
    outcome = room.run("media", titles=["bees"])["bees"]
    assert outcome.state == "computed"


def test_a_subtitle_that_cannot_be_read_quarantines_the_subtitles_and_not_the_film(room: Room) -> None:
    room.title("bees", cues="\0\1\2 nothing of a subtitle")
    room.scan()
    assert room.states("subtitles")["bees"] == "quarantined"
    assert room.states("media")["bees"] == "computed"
    room.use(Loud())
    assert room.states("loud")["bees"] == "blocked"


def test_a_fault_of_the_system_stops_the_run_blames_nobody_and_keeps_what_was_finished(room: Room) -> None:
    class Full(FolderStore):
        writes = 0

        def put(self, key: str, data: bytes) -> None:
            Full.writes += key.endswith("rows.parquet")
            if Full.writes > 2:
                raise SystemFault("The disk is full: make room.")
            super().put(key, data)

    room.run(*SOURCES)
    room.use(Loud())
    whole = room.store
    room.store = Full(whole.root)
    with pytest.raises(SystemFault, match="disk is full"):
        room.run("loud")
    room.store = whole
    assert room.attempts("loud") == dict.fromkeys(ALL, 0)
    states = room.states("loud")
    assert list(states.values()).count("already fresh") == 2
    assert list(states.values()).count("computed") == 3


def test_a_file_that_changed_after_the_look_is_not_computed_under_its_old_name(room: Room) -> None:
    film = room.title("bees", cues=CUE.format("the words have changed"))
    film.write_bytes(film.read_bytes() + b"\0")
    (room.folder / "cats.mp4").unlink()
    done = room.run("media")
    assert {title: outcome.state for title, outcome in done.items()} == {
        "alps": "computed",
        "bees": "changed meanwhile",
        "cats": "changed meanwhile",
        "dogs": "computed",
        "eels": "computed",
    }
    assert not list(room.store.list("artifacts/media/bees/"))
    assert room.states("subtitles")["bees"] == "changed meanwhile"
    assert room.states("frames")["bees"] == "blocked"
    room.scan()
    assert room.states("media")["bees"] == "computed"


def test_a_film_that_changed_before_it_was_decoded_is_not_decoded_under_its_old_name(room: Room) -> None:
    room.run("media")
    film = room.folder / "bees.mp4"
    film.write_bytes(film.read_bytes() + b"\0")
    assert room.states("frames", titles=["bees"]) == {"bees": "changed meanwhile"}
