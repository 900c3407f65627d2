"""Clips as users have them: cut out of films, small, encoded again at a low rate; and clips whose middle lies."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from av.container import InputContainer

WIDTH = 320
RATE = 12


def small_frames(film: Path, start_ms: int, end_ms: int) -> list[av.VideoFrame]:
    """Return the frames of a part of a film, no wider than `WIDTH`, `RATE` of them a second."""
    found: list[av.VideoFrame] = []
    with av.open(str(film)) as source:
        due_ms = float(start_ms)
        for time_ms, frame in timed(source):
            if time_ms >= end_ms:
                break
            if time_ms >= due_ms:
                due_ms += 1000 / RATE
                width = min(WIDTH, frame.width)
                height = round(width * frame.height / frame.width / 2) * 2
                found.append(frame.reformat(width=width, height=height, format="yuv420p"))
    return found


def timed(source: InputContainer) -> Iterator[tuple[int, av.VideoFrame]]:
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


def lying(frames: Sequence[av.VideoFrame], other: Sequence[av.VideoFrame]) -> tuple[bytes, bytes]:
    """Put the frames of another film into the middle of a clip; return it, and the picture in its middle as JPEG."""
    first = (len(frames) - len(other)) // 2
    data = encoded([*frames[:first], *other, *frames[first + len(other) :]])
    with av.open(io.BytesIO(data)) as source:
        pictures = [frame for _, frame in timed(source)]
    return data, jpeg_of(pictures[len(pictures) // 2])


def jpeg_of(frame: av.VideoFrame) -> bytes:
    """Return a frame as JPEG."""
    done, jpeg = cv2.imencode(".jpg", np.ascontiguousarray(frame.to_ndarray(format="bgr24")))
    assert done
    return jpeg.tobytes()
