"""A decode pass gives the right shots, times and pictures for all that films are made of."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest

from mediaflow.demo.library import make_film
from mediaflow.errors import SystemFault, TitleError
from mediaflow.media.options import DecodeOptions
from mediaflow.media.pool import Decoded, DecodePool
from mediaflow.media.schemas import FRAMES, SHOTS
from tests.media.films import Picture, scene, shots, write_film, write_sound


def opened(jpeg: bytes) -> Picture:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture[:, :, ::-1], np.uint8)


def check_whole(decoded: Decoded) -> None:
    """What holds for every film: ranges join, every shot has its frames, and each lies in its shot."""
    assert dict(decoded.shots.schema) == SHOTS
    assert dict(decoded.frames.schema) == FRAMES
    rows = decoded.shots.rows(named=True)
    assert rows[0]["start_frame"] == 0
    assert rows[-1]["end_frame"] == decoded.facts["frames"]
    assert rows[-1]["end_ms"] == decoded.facts["end_ms"]
    for one, following in pairwise(rows):
        assert (one["end_frame"], one["end_ms"]) == (following["start_frame"], following["start_ms"])
    for row in rows:
        frames = decoded.frames.filter(shot_no=row["shot_no"])
        assert 1 <= frames.height <= 3
        assert frames["frame_no"].is_between(row["start_frame"], row["end_frame"] - 1).all()
        assert frames["time_ms"].is_between(row["start_ms"], row["end_ms"] - 1).all()


@pytest.mark.parametrize(("suffix", "codec"), [("mp4", "h264"), ("mkv", "mpeg4")])
def test_shots_and_times_of_a_rendered_film(tmp_path: Path, pool: DecodePool, suffix: str, codec: str) -> None:
    path = tmp_path / f"Film.{suffix}"
    truth = make_film(path, seed=7, shots=6, codec=codec, shot_seconds=1.2)
    decoded = pool.decode(path)
    check_whole(decoded)
    assert decoded.facts["frames"] == truth.frames
    # The last frame's end is a container's to round.
    assert decoded.facts["end_ms"] == pytest.approx(truth.duration_ms, abs=1)
    found = decoded.shots["start_frame"].to_list()
    assert len(set(truth.cuts) & set(found)) >= len(truth.cuts) - 1
    starts = {shot.start_frame: shot.start_ms for shot in truth.shots}
    for row in decoded.shots.rows(named=True):
        if row["start_frame"] in starts:
            assert abs(row["start_ms"] - starts[row["start_frame"]]) <= 1


def test_variable_frame_rate(tmp_path: Path, pool: DecodePool) -> None:
    times = [0, 40, 100, 300, 320, 400, 401, 500, 900, 1000, *(1100 + 33 * n for n in range(10))]
    path = write_film(tmp_path / "vfr.mkv", shots([10, 10]), times=times, time_base=Fraction(1, 1000))
    decoded = pool.decode(path)
    check_whole(decoded)
    assert decoded.shots["start_ms"].to_list() == [0, 1100]
    assert all(times[row["frame_no"]] == row["time_ms"] for row in decoded.frames.rows(named=True))


def test_times_count_from_the_start_of_the_container(tmp_path: Path, pool: DecodePool) -> None:
    times = list(range(1000, 1040))
    path = write_film(tmp_path / "late.ts", shots([20, 20]), codec="mpeg2video", times=times)
    decoded = pool.decode(path)
    check_whole(decoded)
    assert decoded.shots["start_ms"].to_list() == [0, 800]


def test_halves_of_a_millisecond_round_up(tmp_path: Path, pool: DecodePool) -> None:
    # At 16 frames a second, frame 1 lies at 62.5 ms and frame 7 at 437.5 ms.
    path = write_film(tmp_path / "half.mp4", shots([7, 17]), fps=16)
    assert pool.decode(path).shots["start_ms"].to_list() == [0, 438]


def test_b_frames_come_in_order_of_showing(tmp_path: Path, pool: DecodePool) -> None:
    path = write_film(tmp_path / "b.mp4", shots([30, 31]), codec="h264", options={"bf": "3", "preset": "veryfast"})
    decoded = pool.decode(path)
    check_whole(decoded)
    assert decoded.shots["start_frame"].to_list() == [0, 30]
    assert decoded.shots["start_ms"].to_list() == [0, 1200]


def test_rotation_and_pixel_aspect(tmp_path: Path, pool: DecodePool) -> None:
    path = write_film(tmp_path / "turned.mp4", shots([30]), rotation=90, aspect=Fraction(4, 3))
    facts = pool.probe(path).facts
    frame = pool.decode(path).frames.row(0, named=True)
    assert (facts.width, facts.height, facts.rotation) == (96, 213, 90)
    assert (frame["width"], frame["height"]) == (96, 213)
    lying = cv2.resize(scene(100, frame["frame_no"]), (213, 96), interpolation=cv2.INTER_AREA)
    upright = np.rot90(lying)
    difference = np.abs(opened(frame["jpeg"]).astype(int) - upright).mean()
    assert difference < 12
    assert np.abs(opened(frame["jpeg"]).astype(int) - np.rot90(upright, 2)).mean() > 3 * difference


def test_timecode_and_rate_stand_in_the_shots(tmp_path: Path, pool: DecodePool) -> None:
    path = write_film(tmp_path / "code.mov", shots([12]), fps=24, timecode="10:20:30:04")
    row = pool.decode(path).shots.row(0, named=True)
    assert (row["fps_num"], row["fps_den"], row["start_timecode"]) == (24, 1, "10:20:30:04")


def test_options_reach_the_detector(tmp_path: Path, pool: DecodePool) -> None:
    path = write_film(tmp_path / "film.mp4", shots([20, 20, 20]))
    assert pool.decode(path).shots.height == 3
    assert pool.decode(path, DecodeOptions(threshold=256)).shots.height == 1
    assert pool.decode(path, DecodeOptions(frames_per_shot=1, threshold=256)).frames.height == 1


def test_a_film_cut_off_is_decoded_as_far_as_it_goes(tmp_path: Path, pool: DecodePool) -> None:
    path = write_film(tmp_path / "whole.mkv", shots([50, 50]))
    short = tmp_path / "short.mkv"
    short.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    decoded = pool.decode(short)
    check_whole(decoded)
    assert 50 < int(decoded.facts["frames"]) < 100


def test_a_film_that_ends_before_it_says_gets_a_note(tmp_path: Path, pool: DecodePool) -> None:
    path = write_film(tmp_path / "whole.mp4", shots([50, 50]))
    data = path.read_bytes()
    # The index of an MP4 stands last: only the pictures in the middle are lost.
    at = data.index(b"mdat") + 4
    length = data.index(b"moov") - 4 - at
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(data[: at + length * 2 // 3] + bytes(length - length * 2 // 3) + data[at + length :])
    decoded = pool.decode(broken)
    check_whole(decoded)
    assert decoded.notes
    assert int(decoded.facts["damaged"]) > 0 or int(decoded.facts["end_ms"]) < 3000


def test_what_has_no_picture_gets_a_sentence(tmp_path: Path, pool: DecodePool) -> None:
    sound = write_sound(tmp_path / "sound.m4a")
    for ask in (pool.decode, pool.probe):
        with pytest.raises(TitleError, match=r"^'sound.m4a' has no picture: it holds only sound\.$"):
            ask(sound)


def test_playlists_are_not_followed(tmp_path: Path, pool: DecodePool) -> None:
    film = write_film(tmp_path / "film.ts", shots([12]), codec="mpeg2video")
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{film}\n#EXT-X-ENDLIST\n"
    for name, says in (("list.m3u8", "playlists are not followed"), ("list.mp4", "cannot be read")):
        (tmp_path / name).write_text(playlist)
        with pytest.raises(TitleError, match=says):
            pool.probe(tmp_path / name)
    (tmp_path / "list.ffconcat").write_text(f"ffconcat version 1.0\nfile {film.name}\n")
    with pytest.raises(TitleError):
        pool.probe(tmp_path / "list.ffconcat")


def test_names_are_never_taken_for_protocols(tmp_path: Path, pool: DecodePool) -> None:
    path = write_film(tmp_path / "film.mp4", shots([12])).rename(tmp_path / "http:%03d concat:a|b.mp4")
    assert pool.decode(path).facts["frames"] == 12


def test_a_file_that_is_gone_is_not_the_titles_fault(tmp_path: Path, pool: DecodePool) -> None:
    with pytest.raises(SystemFault, match="is the library still there"):
        pool.decode(tmp_path / "gone.mp4")
    (tmp_path / "empty.mp4").touch()
    with pytest.raises(TitleError, match="is empty"):
        pool.decode(tmp_path / "empty.mp4")
    with pytest.raises(TitleError, match="no regular file"):
        pool.decode(tmp_path)


@pytest.mark.parametrize("name", ["delayed_start", "fades"])
def test_real_clips_are_whole(shared_data: Path, pool: DecodePool, name: str) -> None:
    check_whole(pool.decode(shared_data / "shots" / "pyscenedetect" / f"{name}.mp4"))
