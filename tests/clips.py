"""Clips as users have them: cut out of films, small, encoded again at a low rate; and clips whose middle lies."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import InputContainer

WIDTH = 320
RATE = 12


@dataclass(frozen=True)
class LyingClip:
    """A clip, and the picture in its middle, which is of another film."""

    data: bytes
    middle: bytes


def small_frames(film: Path, start_ms: int, end_ms: int) -> list[av.VideoFrame]:
    """Return the frames of a part of a film, small, `RATE` of them a second."""
    found: list[av.VideoFrame] = []
    with av.open(str(film)) as source:
        due_ms = float(start_ms)
        for time_ms, frame in timed(source):
            if time_ms >= end_ms:
                break
            if time_ms >= due_ms:
                due_ms += 1000 / RATE
                height = round(WIDTH * frame.height / frame.width / 2) * 2
                found.append(frame.reformat(width=WIDTH, height=height, format="yuv420p"))
    return found


def timed(source: InputContainer):
    """Yield the frames of a film with their times (ms)."""
    stream = source.streams.video[0]
    assert stream.time_base is not None
    for frame in source.decode(stream):
        yield round(((frame.pts or 0) - (stream.start_time or 0)) * stream.time_base * 1000), frame


def encoded(frames: Sequence[av.VideoFrame]) -> bytes:
    """Return frames as an MPEG-4 film of low quality; all of them at the size of the first."""
    packed = io.BytesIO()
    with av.open(packed, "w", format="avi") as sink:
        out = sink.add_stream("mpeg4", rate=RATE)
        out.width, out.height, out.pix_fmt, out.bit_rate = frames[0].width, frames[0].height, "yuv420p", 400_000
        for number, one in enumerate(frames):
            same = one.reformat(width=out.width, height=out.height, format="yuv420p")
            same.pts, same.time_base = number, Fraction(1, RATE)
            sink.mux(out.encode(same))
        sink.mux(out.encode())
    return packed.getvalue()


def lying(frames: Sequence[av.VideoFrame], other: Sequence[av.VideoFrame]) -> LyingClip:
    """Put as many frames of another film into the middle of a clip as there are."""
    first = (len(frames) - len(other)) // 2
    both = [*frames[:first], *other, *frames[first + len(other) :]]
    data = encoded(both)
    with av.open(io.BytesIO(data)) as source:
        pictures = [frame.to_ndarray(format="bgr24") for _, frame in timed(source)]
    done, jpeg = cv2.imencode(".jpg", np.ascontiguousarray(pictures[len(pictures) // 2]))
    assert done
    return LyingClip(data, jpeg.tobytes())
