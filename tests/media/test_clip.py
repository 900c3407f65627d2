"""Clips that users bring: decoded as films are, within limits of their own, and no file is made of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaflow.errors import MediaflowError, TitleError, UsageError
from mediaflow.media.options import Limits
from mediaflow.media.pool import DecodePool
from tests.media.films import shots, write_film, write_sound


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A film of three shots, 3.6 s long."""
    return write_film(tmp_path_factory.mktemp("film") / "film.mp4", shots([30, 30, 30]))


@pytest.fixture(scope="module")
def small() -> Iterator[DecodePool]:
    """A pool that grants clips little."""
    with DecodePool(limits=Limits(clip_bytes=200_000, clip_duration_s=2, clip_pixels=90_000)) as pool:
        yield pool


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts"])
def test_a_clip_is_decoded_as_a_film_is(pool: DecodePool, tmp_path: Path, suffix: str) -> None:
    path = write_film(tmp_path / f"film{suffix}", shots([30, 40, 20]))
    decoded, clip = pool.decode(path), pool.clip(path.read_bytes())
    assert clip.shots.height == 3
    assert clip.shots.equals(decoded.shots)
    assert clip.frames.equals(decoded.frames)
    assert clip.facts == decoded.facts


def test_a_clip_has_limits_of_its_own(small: DecodePool, film: Path, tmp_path: Path) -> None:
    assert small.decode(film).shots.height == 3
    with pytest.raises(TitleError, match=r"^'film\.mp4' says it lasts 3\.6 s, more than the limit of 2 s\.$"):
        small.clip(film.read_bytes(), "film.mp4")
    # Bare frames do not say how long they are.
    long = write_film(tmp_path / "long.h264", shots([30, 30, 30]), codec="h264")
    with pytest.raises(TitleError, match=r"^'the clip' is longer than the limit of 2 s\.$"):
        small.clip(long.read_bytes())
    with pytest.raises(UsageError, match=r"^'x' has 200,001 bytes, more than the limit of 200,000\.$"):
        small.clip(bytes(200_001), "x")
    wide = write_film(tmp_path / "wide.mp4", shots([5], size=(480, 192)))
    with pytest.raises(TitleError, match="has pictures of 480 x 192, more than 90,000 pixels"):
        small.clip(wide.read_bytes())
    just = write_film(tmp_path / "just.mp4", shots([30, 40]))
    assert small.clip(just.read_bytes()).shots.height == 2


def test_what_is_no_clip_gets_a_sentence(pool: DecodePool, film: Path, tmp_path: Path) -> None:
    whole = film.read_bytes()
    sound = write_sound(tmp_path / "sound.m4a").read_bytes()
    playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{film}\n#EXT-X-ENDLIST\n".encode()
    listed = f"ffconcat version 1.0\nfile '{film}'\n".encode()
    for data, sentence in (
        (b"", "is empty"),
        (b"words, not pictures", "is no media file|cannot be read as media"),
        (playlist, "is no media file|cannot be read as media"),
        (listed, "is no media file|cannot be read as media"),
        (sound, "has no picture: it holds only sound"),
        (whole[: len(whole) // 3], "cannot be read as media"),
    ):
        with pytest.raises(TitleError, match=f"^'a clip' .*({sentence})"):
            pool.clip(data, "a clip")
    with pytest.raises(TitleError, match=r"^'\?' is empty"):
        pool.clip(b"", "\ud800")


def test_a_clip_that_needs_too_much_time_is_refused_and_the_others_go_on(film: Path, shared_data: Path) -> None:
    with DecodePool(limits=Limits(clip_cpu_s=0)) as pool:
        with pytest.raises(TitleError, match="'slow' cannot be decoded: it needs more than the limit of 0 CPU seconds"):
            pool.clip((shared_data / "video" / "bbb_480p_30s.mp4").read_bytes(), "slow")
        assert pool.decode(film).shots.height == 3


def test_a_clip_that_nobody_waits_for_ends_and_the_others_go_on(film: Path, shared_data: Path) -> None:
    class Unwanted(Exception):
        """Nobody waits."""

    seen = []

    def progress(frames: int) -> None:
        seen.append(frames)
        raise Unwanted

    with DecodePool() as pool:
        with pytest.raises(Unwanted):
            pool.clip((shared_data / "video" / "bbb_480p_30s.mp4").read_bytes(), "long", progress)
        assert len(seen) == 1 and seen[0] < 720
        assert pool.decode(film).shots.height == 3


def test_every_broken_file_is_a_clip_or_gets_a_sentence(shared_data: Path) -> None:
    files = [path for path in sorted((shared_data / "robust").rglob("*")) if path.is_file()]
    assert len(files) > 300
    read = set()
    with DecodePool(limits=Limits(stall_s=30)) as pool:
        for path in files:
            try:
                assert pool.clip(path.read_bytes(), path.name).frames.height > 0
                read.add(path.name)
            except MediaflowError as error:
                assert isinstance(error, TitleError | UsageError)
                assert error.message.startswith(repr(path.name)) and error.message.endswith(".")
    assert {"h265_video.mp4", "bear_mpeg4asp_mp3.avi", "no_duration.webm"} <= read
    assert not read & {"bad_video.mp4", "encryptionKey.key", "sine_mono_s16.wav", "subtitles.vtt"}
