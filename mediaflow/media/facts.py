"""What a media file is, in plain numbers: the facts that probing finds and that travel as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(frozen=True)
class AudioStream:
    """One sound stream of a file; `language` is BCP 47, "und" where the file says nothing."""

    index: int
    codec: str
    language: str
    channels: int
    sample_rate: int


@dataclass(frozen=True)
class TextStream:
    """One subtitle stream of a file; `text` is false for streams of pictures, which nothing here can read."""

    index: int
    codec: str
    language: str
    kind: str
    forced: bool
    sdh: bool
    text: bool


@dataclass(frozen=True)
class MediaFacts:
    """Facts of one media file.

    Parameters
    ----------
    duration_ms : int
        Length of the container, rounded half up.
    width, height : int
        Display size in pixels: upright, with square pixels.
    fps_num, fps_den : int
        Exact frame rate as a fraction.
    frame_count : int or None
        Number of frames as the container declares it, None where it declares none.
    rotation : int
        Degrees anticlockwise by which the coded picture is turned to stand upright: 0, 90, 180 or 270.
    sample_aspect_num, sample_aspect_den : int
        Width of one coded pixel over its height.
    start_timecode : str or None
        Timecode of the first frame as the file states it, such as "01:00:00:00".
    size : int
        Bytes of the file.
    """

    duration_ms: int
    width: int
    height: int
    fps_num: int
    fps_den: int
    frame_count: int | None
    video_codec: str
    container: str
    rotation: int
    sample_aspect_num: int
    sample_aspect_den: int
    start_timecode: str | None
    chapter_count: int
    size: int
    audio_streams: tuple[AudioStream, ...] = field(default=())
    text_streams: tuple[TextStream, ...] = field(default=())

    def to_dict(self) -> dict[str, Any]:
        """Return the facts as plain dicts, lists, strings and numbers."""
        plain = asdict(self)
        plain["audio_streams"] = list(plain["audio_streams"])
        plain["text_streams"] = list(plain["text_streams"])
        return plain

    def to_json(self) -> str:
        """Return the facts as one JSON object with sorted keys."""
        return json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> MediaFacts:
        """Rebuild facts from `to_dict`; keys that are not known are an error (TypeError)."""
        names = {f.name for f in fields(cls)}
        if unknown := set(plain) - names:
            raise TypeError(f"media facts have no field {sorted(unknown)[0]!r}")
        values = dict(plain)
        values["audio_streams"] = tuple(AudioStream(**s) for s in plain.get("audio_streams", ()))
        values["text_streams"] = tuple(TextStream(**s) for s in plain.get("text_streams", ()))
        return cls(**values)

    @classmethod
    def from_json(cls, text: str) -> MediaFacts:
        """Rebuild facts from `to_json`."""
        return cls.from_dict(json.loads(text))
