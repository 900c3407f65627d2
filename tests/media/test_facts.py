"""Facts of a file travel as JSON and come back the same."""

from __future__ import annotations

import pytest

from mediaflow.media.facts import AudioStream, MediaFacts, TextStream

FACTS = MediaFacts(
    duration_ms=10_010,
    width=1920,
    height=800,
    fps_num=30000,
    fps_den=1001,
    frame_count=None,
    video_codec="h264",
    container="matroska,webm",
    rotation=90,
    sample_aspect_num=4,
    sample_aspect_den=3,
    start_timecode="01:00:00:00",
    chapter_count=2,
    size=12345,
    audio_streams=(AudioStream(1, "aac", "en", 2, 48000),),
    text_streams=(TextStream(2, "subrip", "de", "dialogue", True, False, True),),
)


def test_round_trip() -> None:
    assert MediaFacts.from_json(FACTS.to_json()) == FACTS
    assert MediaFacts.from_dict(FACTS.to_dict()) == FACTS


def test_unknown_fields_are_refused() -> None:
    with pytest.raises(TypeError, match="'colour'"):
        MediaFacts.from_dict({**FACTS.to_dict(), "colour": "red"})
