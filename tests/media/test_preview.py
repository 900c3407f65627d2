"""Previews: the right part of the film, upright and small, with its sound, whatever the container leads to."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from mediaflow.errors import SystemFault, TitleError, UsageError
from mediaflow.media.options import Limits
from mediaflow.media.pool import DecodePool
from tests.media.films import write_film

STEP = 50
RATE = 25


@dataclass
class Seen:
    """What plays of a preview."""

    size: tuple[int, int]
    times_ms: list[int]
    pictures: list[NDArray[np.uint8]]
    sound_ms: list[int]
    codecs: list[str]

    def grey(self) -> list[int]:
        """Return the mean brightness of each picture."""
        return [round(float(picture.mean())) for picture in self.pictures]


def seen(film: bytes) -> Seen:
    assert film.find(b"moov") < film.find(b"mdat"), "it can be played before it is loaded whole"
    with av.open(io.BytesIO(film)) as container:
        video = container.streams.video[0]
        assert video.codec_context.pix_fmt == "yuv420p"
        codecs = [stream.codec_context.name for stream in container.streams]
        times, pictures, sound = [], [], []
        for frame in container.decode():
            assert frame.pts is not None and frame.time_base is not None
            time_ms = round(frame.pts * frame.time_base * 1000)
            if isinstance(frame, av.VideoFrame):
                times.append(time_ms)
                pictures.append(frame.to_ndarray(format="rgb24"))
            else:
                sound.append(time_ms)
        return Seen((video.width, video.height), times, pictures, sound, codecs)


def steps(count: int, size: tuple[int, int] = (160, 96)) -> list[NDArray[np.uint8]]:
    """Return pictures that say by their brightness, from 0 to 255, which second of the film they are of."""
    height, width = size[1], size[0]
    return [np.full((height, width, 3), number // RATE * STEP % 256, np.uint8) for number in range(count)]


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of five seconds, each brighter than the one before; one key frame a second and a half."""
    folder = tmp_path_factory.mktemp("counted")
    return write_film(folder / "counted.mp4", steps(125), fps=RATE, codec="libx264", options={"g": "37"})


def test_it_is_the_part_that_was_asked_for(pool: DecodePool, counted: Path) -> None:
    found = seen(pool.preview(counted, 1500, 3500))
    assert found.codecs == ["h264"] and found.size == (160, 96)
    # 20 ms after the first time is the first frame of 25 a second.
    assert found.times_ms == list(range(20, 2000, 40))
    seconds = [(1500 + time_ms) // 1000 for time_ms in found.times_ms]
    assert np.abs(np.subtract(found.grey(), [STEP * second for second in seconds])).max() <= 5


@pytest.mark.parametrize("suffix", ["mkv", "avi", "ts", "webm", "m4v", "h264"])
def test_containers_lead_to_it_each_in_its_way(pool: DecodePool, tmp_path: Path, suffix: str) -> None:
    codec = {"webm": "libvpx", "avi": "mpeg4", "m4v": "mpeg4"}.get(suffix, "libx264")
    film = write_film(tmp_path / f"film.{suffix}", steps(125), fps=RATE, codec=codec, options={"g": "100"})
    found = seen(pool.preview(film, 3000, 5000))
    assert len(found.pictures) in (49, 50) and found.times_ms[0] <= 40
    assert np.abs(np.subtract(found.grey()[1:25], 3 * STEP)).max() <= 5
    assert np.abs(np.subtract(found.grey()[26:], 4 * STEP)).max() <= 5


@pytest.mark.parametrize(
    ("name", "start_ms", "end_ms", "size", "rate"),
    [
        ("bbb_480p_30s.mp4", 12_000, 22_000, (480, 270), 24),
        ("bbb_720p24_run_00-02.ts", 3_000, 9_000, (480, 270), 24),
        ("bbb_trailer_vp8.webm", 10_000, 14_000, (480, 270), 25),
        ("nasa_13013_multistream.mp4", 500, 3_000, (320, 180), 25),
    ],
)
def test_real_films_come_with_their_sound(
    shared_data: Path, pool: DecodePool, name: str, start_ms: int, end_ms: int, size: tuple[int, int], rate: int
) -> None:
    path = shared_data / "video" / name
    film = pool.preview(path, start_ms, end_ms)
    found = seen(film)
    length_ms = end_ms - start_ms
    assert found.codecs == ["h264", "aac"] and found.size == size
    assert abs(len(found.pictures) - rate * length_ms / 1000) <= 2
    assert found.times_ms[0] < 50 and length_ms - 100 < found.times_ms[-1] < length_ms
    assert found.sound_ms[0] < 100 and abs(found.sound_ms[-1] - length_ms) < 150
    assert len(film) < 250 * length_ms
    assert found.pictures[0].std() > 5


def test_the_picture_is_that_of_the_film(shared_data: Path, pool: DecodePool) -> None:
    path = shared_data / "video" / "bbb_480p_30s.mp4"
    found = seen(pool.preview(path, 12_000, 13_000))
    with av.open(str(path)) as container:
        frames = (frame for frame in container.decode(video=0) if frame.time is not None and frame.time >= 12)
        first = next(frames).reformat(width=480, height=270, interpolation="AREA").to_ndarray(format="rgb24")
    assert np.abs(first.astype(int) - found.pictures[0]).mean() < 6


def test_it_stands_upright_and_has_square_pixels(pool: DecodePool, tmp_path: Path) -> None:
    lying = steps(25, (96, 64))
    for picture in lying:
        picture[:, :48] = 255
    turned = seen(pool.preview(write_film(tmp_path / "turned.mp4", lying, rotation=90), 0, 1000))
    assert turned.size == (64, 96)
    halves = turned.pictures[5][:40].mean(), turned.pictures[5][56:].mean()
    assert abs(halves[0] - halves[1]) > 200
    wide = write_film(tmp_path / "wide.mp4", steps(25, (96, 64)), codec="libx264", aspect=Fraction(2, 1))
    assert seen(pool.preview(wide, 0, 1000)).size == (192, 64)


def test_odd_sizes_and_high_rates_fit(pool: DecodePool, tmp_path: Path) -> None:
    odd = write_film(tmp_path / "odd.mkv", steps(120, (97, 65)), fps=120, codec="ffv1")
    found = seen(pool.preview(odd, 0, 1000))
    assert found.size == (96, 64)
    assert 28 <= len(found.pictures) <= 31


def test_what_cannot_be_cut_is_a_sentence(pool: DecodePool, counted: Path, tmp_path: Path) -> None:
    with pytest.raises(TitleError, match=r"'counted.mp4' has no picture from 60000 to 61000 ms"):
        pool.preview(counted, 60_000, 61_000)
    with pytest.raises(UsageError, match="at most 10000 ms, not 10001"):
        pool.preview(counted, 0, 10_001)
    with pytest.raises(SystemFault, match="is the library still there"):
        pool.preview(tmp_path / "gone.mp4", 0, 1000)
    (tmp_path / "noise.mp4").write_bytes(np.random.default_rng(1).bytes(50_000))
    with pytest.raises(TitleError, match=r"'noise\.mp4'"):
        pool.preview(tmp_path / "noise.mp4", 0, 1000)
    assert seen(pool.preview(counted, 0, 500)).pictures


def test_no_broken_file_brings_the_worker_down(shared_data: Path, pool: DecodePool) -> None:
    tried = 0
    for path in sorted((shared_data / "robust").rglob("*")):
        if path.is_file():
            tried += 1
            try:
                film = pool.preview(path, 200, 1200)
            except (TitleError, SystemFault) as error:
                assert path.name in error.message
                assert error.fields.get("worker") is None, error.message
            else:
                assert seen(film).pictures
    assert tried > 10


def test_it_has_limits_of_its_own(shared_data: Path) -> None:
    film = shared_data / "video" / "bbb_720p24_run_00-02.ts"
    with DecodePool(limits=Limits(preview_cpu_s=0)) as tight:
        with pytest.raises(TitleError, match="more than the limit of 0 CPU seconds"):
            tight.preview(film, 0, 10_000)
        assert tight.probe(film).facts.width == 1280
