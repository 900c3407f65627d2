"""What the stages make of a title's own files: shots, kept frames and small pictures, over all parts of a film."""

from __future__ import annotations

import polars as pl

from tests.stages.room import Room


def test_frames_leave_shots_kept_frames_and_small_pictures(room: Room) -> None:
    room.run("media", titles=["alps"])
    outcome = room.run("frames", titles=["alps"])["alps"]
    shots, frames, small = (room.part(outcome, part) for part in ("shots", "frames", "thumbnails"))
    assert shots["shot_no"].to_list() == small["shot_no"].to_list()
    assert set(frames["shot_no"]) == set(shots["shot_no"])
    assert outcome.facts["rows"] == {"shots": len(shots), "frames": len(frames), "thumbnails": len(small)}


def test_parts_of_a_film_follow_each_other_in_time(long: Room) -> None:
    done = long.run("media", "frames", titles=["alps", "long"])
    shots, kept = (long.part(done["long"], part) for part in ("shots", "frames"))
    one = long.part(done["alps"], "shots")
    assert len(shots) == 2 * len(one)
    assert shots["shot_no"].to_list() == list(range(len(shots)))
    assert shots["start_ms"].to_list()[1:] == shots["end_ms"].to_list()[:-1]
    assert shots["start_frame"].to_list()[1:] == shots["end_frame"].to_list()[:-1]
    assert shots["end_ms"][-1] == 2 * one["end_ms"][-1]
    inside = kept.join(shots, on="shot_no").filter(pl.col("time_ms").is_between("start_ms", "end_ms", closed="left"))
    assert len(inside) == len(kept)
    media = long.run("media")
    assert media["long"].facts["duration_ms"] == 2 * media["alps"].facts["duration_ms"]
