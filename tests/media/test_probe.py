"""Probing finds facts, embedded text with its language, and chapters."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediaflow.media.pool import DecodePool
from mediaflow.media.schemas import CUES
from tests.media.films import shots, write_film, write_text_film

LINES = [(100, 600, "Hello, {\\i1}you{\\i0}\\Nthere"), (700, 900, "NAR: Goodbye")]


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "subrip"), ("a.mp4", "mov_text"), ("b.mkv", "ass")])
def test_embedded_text_and_chapters(tmp_path: Path, pool: DecodePool, name: str, codec: str) -> None:
    probe = pool.probe(write_text_film(tmp_path / name, LINES, codec, "ger", chapters=True))
    assert dict(probe.cues.schema) == CUES
    columns = ("cue_no", "start_ms", "end_ms", "kind", "language", "speaker", "text", "track")
    assert probe.cues.select(columns).rows() == [
        (0, 0, 400, "chapter", "und", None, "Opening", "chapters"),
        (1, 100, 600, "dialogue", "de", None, "Hello, you\nthere", "stream:1"),
        (2, 400, 1000, "chapter", "und", None, "Chapter 2", "chapters"),
        (3, 700, 900, "dialogue", "de", "NAR", "Goodbye", "stream:1"),
    ]
    assert probe.facts.chapter_count == 2
    assert [(text.index, text.language, text.text) for text in probe.facts.text_streams] == [(1, "de", True)]


def test_facts_of_a_film(tmp_path: Path, pool: DecodePool) -> None:
    path = write_film(tmp_path / "film.mp4", shots([48]), fps=24)
    facts = pool.probe(path).facts
    assert (facts.width, facts.height, facts.duration_ms, facts.frame_count) == (160, 96, 2000, 48)
    assert (facts.fps_num, facts.fps_den, facts.video_codec, facts.rotation) == (24, 1, "mpeg4", 0)
    assert facts.size == path.stat().st_size
    assert "mp4" in facts.container
    assert (facts.audio_streams, facts.text_streams, facts.start_timecode) == ((), (), None)


def test_a_real_file_with_many_streams(shared_data: Path, pool: DecodePool) -> None:
    probe = pool.probe(shared_data / "video" / "nasa_13013_multistream.mp4")
    facts = probe.facts
    assert (facts.width, facts.height, facts.duration_ms) == (320, 180, 13056)
    assert [(s.index, s.language, s.channels, s.sample_rate) for s in facts.audio_streams] == [
        (1, "en", 2, 8000),
        (4, "en", 2, 16000),
    ]
    assert set(probe.cues["track"]) == {"stream:2", "stream:5"}
    first = probe.cues.row(0, named=True)
    assert (first["start_ms"], first["end_ms"], first["speaker"]) == (210, 4260, "NAR")
    assert first["text"].startswith("This is the optical")


@pytest.mark.parametrize(("name", "size"), [("nasa_13013_rotated.mp4", (270, 480)), ("test_non_zero_start.mp4", None)])
def test_real_oddities(shared_data: Path, pool: DecodePool, name: str, size: tuple[int, int] | None) -> None:
    path = shared_data / "robust" / "torchcodec" / name
    facts = pool.probe(path).facts
    assert size in (None, (facts.width, facts.height))
    frame = pool.decode(path).frames.row(0, named=True)
    assert (frame["width"], frame["height"]) == (facts.width, facts.height)
