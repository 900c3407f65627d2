"""Small films with known content, made for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def scene(seed: int, number: int, size: tuple[int, int] = (160, 96)) -> Picture:
    """A still scene of its own colours, with something small moving through it."""
    rng = np.random.default_rng(seed)
    width, height = size
    blocks = rng.integers(0, 256, (6, 10, 3), dtype=np.uint8)
    picture = np.kron(blocks, np.ones((height // 6 + 1, width // 10 + 1, 1), np.uint8))[:height, :width].copy()
    left = number * 2 % (width - 8)
    picture[height // 2 : height // 2 + 8, left : left + 8] = 255
    return picture


def shots(lengths: Sequence[int], size: tuple[int, int] = (160, 96)) -> Iterable[Picture]:
    """Frames of shots of the given lengths, each another scene."""
    for number, length in enumerate(lengths):
        for frame in range(length):
            yield scene(100 + number, frame, size)


def write_film(
    path: Path,
    pictures: Iterable[Picture],
    *,
    fps: int = 25,
    codec: str = "mpeg4",
    times: Sequence[int] | None = None,
    time_base: Fraction | None = None,
    aspect: Fraction | None = None,
    rotation: int = 0,
    options: dict[str, str] | None = None,
    timecode: str | None = None,
) -> Path:
    """Encode pictures to a file; `times` are presentation times in `time_base`."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=fps, options=options or {})
        stream.pix_fmt = "yuv420p"
        if time_base:
            stream.codec_context.time_base = time_base
        if timecode:
            stream.metadata["timecode"] = timecode
        for number, picture in enumerate(pictures):
            if number == 0:
                stream.height, stream.width = picture.shape[:2]
                if aspect:
                    stream.codec_context.sample_aspect_ratio = aspect
                if rotation:
                    stream.set_display_rotation(rotation)
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = times[number] if times else number
            frame.time_base = time_base or Fraction(1, fps)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_sound(path: Path) -> Path:
    """Half a second of silence."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=44100, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 22050), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def write_text_film(
    path: Path, cues: Sequence[tuple[int, int, str]], codec: str, language: str, chapters: bool
) -> Path:
    """A film with one embedded text stream; times in ms."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 160, 96, "yuv420p"
        text = container.add_stream(codec)
        text.metadata["language"] = language
        text.codec_context.subtitle_header = ASS_HEADER
        if chapters:
            base = Fraction(1, 1000)
            titles = [(0, 400, "Opening"), (400, 1000, "")]
            container.set_chapters(
                [
                    {"id": n, "start": a, "end": b, "time_base": base, "metadata": {"title": title} if title else {}}
                    for n, (a, b, title) in enumerate(titles)
                ]
            )
        for number, picture in enumerate(shots([25])):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for start, end, line in cues:
            event = f"0,0,Default,,0,0,0,,{line}".encode()
            subtitle = av.subtitles.subtitle.SubtitleSet.create(event, 0, end - start, start * 1000)
            packet = text.codec_context.encode_subtitle(subtitle)
            packet.stream, packet.time_base = text, Fraction(1, 1000)
            packet.pts = packet.dts = start
            packet.duration = end - start
            container.mux(packet)
    return path


ASS_HEADER = (
    b"[Script Info]\r\nScriptType: v4.00+\r\n\r\n[V4+ Styles]\r\nFormat: Name, Fontname, Fontsize\r\n"
    b"Style: Default,Arial,16\r\n\r\n[Events]\r\n"
    b"Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text\r\n"
)
