"""Renders a planned film frame by frame, encodes it through PyAV, and says what is true of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from typing import cast

import av
import numpy as np
from numpy.typing import NDArray

from mediaflow.demo.painter import ShotPainter, title_over
from mediaflow.demo.script import Script
from mediaflow.demo.sidecars import speaker_as_written, track_name
from mediaflow.demo.truth import CueTruth, ShotTruth, TextTruth, frame_ms

Picture = NDArray[np.uint8]

# The fastest settings that keep the picture clean: the films are read far more often than they are looked at.
_ENCODERS: dict[str, tuple[str, dict[str, str]]] = {
    "h264": ("libx264", {"preset": "veryfast", "crf": "21"}),
    "hevc": (
        "libx265",
        {"preset": "ultrafast", "crf": "23", "x265-params": "log-level=none:pools=none:frame-threads=1"},
    ),
    "vp9": ("libvpx-vp9", {"deadline": "realtime", "cpu-used": "8", "crf": "28", "b": "0"}),
    "mpeg4": ("mpeg4", {}),
}
CODECS: tuple[str, ...] = tuple(_ENCODERS)


def encode(path: Path, frames: Iterable[Picture], *, size: tuple[int, int], fps: int, codec: str) -> None:
    """Write frames as a film with one picture track.

    Parameters
    ----------
    path : Path
        The container follows from the suffix.
    frames : iterable of ndarray, uint8, shape (height, width, 3)
        RGB.
    size : tuple of int
        Width and height in pixels, both even.
    fps : int
        Frames a second.
    codec : str
        One of `CODECS`.
    """
    encoder, options = _ENCODERS[codec]
    width, height = size
    with av.open(path, "w") as container:
        stream = cast(av.VideoStream, container.add_stream(encoder, rate=fps, options=options))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = Fraction(1, fps)
        stream.codec_context.gop_size = 2 * fps
        stream.codec_context.thread_count = 1  # tests run several at once
        if codec == "mpeg4":
            stream.codec_context.bit_rate = width * height * fps // 3
        for number, picture in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def borders(script: Script) -> list[int]:
    """Frame numbers where the shots begin, and last the number of frames of the whole film."""
    return [0, *accumulate(shot.frames for shot in script.shots)]


def cuts(script: Script) -> tuple[int, ...]:
    """Frame numbers of the borders where one shot follows the other at once."""
    return tuple(
        border for border, shot in zip(borders(script)[1:], script.shots[1:], strict=False) if not shot.dissolve_frames
    )


def dissolves(script: Script) -> tuple[tuple[int, int], ...]:
    """Ranges of frames, half-open, in which two shots are mixed; the border lies in the middle."""
    return tuple(
        (border - shot.dissolve_frames // 2, border - shot.dissolve_frames // 2 + shot.dissolve_frames)
        for border, shot in zip(borders(script)[:-1], script.shots, strict=True)
        if shot.dissolve_frames
    )


def frames(script: Script, size: tuple[int, int], fps: int) -> Iterator[Picture]:
    """Paint all frames of a film in order.

    Parameters
    ----------
    script : Script
        The plan.
    size : tuple of int
        Width and height in pixels.
    fps : int
        Frames a second.

    Yields
    ------
    ndarray, uint8, shape (height, width, 3)
        RGB.
    """
    starts = borders(script)
    mixed = {start: (start, end) for start, end in dissolves(script)}
    texts = {text.shot_no: text for text in text_truth(script, fps)}
    painters = [ShotPainter(shot.scene, shot.seed, size) for shot in script.shots]

    def paint(number: int, frame: int) -> Picture:
        picture = painters[number].frame((frame - starts[number]) / script.shots[number].frames)
        text = texts.get(number)
        if text and text.start_ms <= frame_ms(frame, fps) < text.end_ms:
            title_over(picture, text.text)
        return picture

    number, mix = 0, (0, 0)
    for frame in range(starts[-1]):
        mix = mixed.get(frame, mix)
        if mix[0] <= frame < mix[1]:
            after = number if starts[number] > mix[0] else number + 1
            share = (frame - mix[0] + 1) / (mix[1] - mix[0] + 1)
            old, new = paint(after - 1, frame), paint(after, frame)
            yield (old * np.float32(1 - share) + new * np.float32(share)).astype(np.uint8)
        else:
            yield paint(number, frame)
        if frame + 1 == starts[number + 1]:
            number += 1


def shot_truth(script: Script, fps: int) -> tuple[ShotTruth, ...]:
    """Say of each shot where it is and what it shows."""
    starts = borders(script)
    return tuple(
        ShotTruth(
            shot_no=number,
            start_frame=start,
            end_frame=end,
            start_ms=frame_ms(start, fps),
            end_ms=frame_ms(end, fps),
            scene=shot.scene,
            caption=shot.scene.caption,
        )
        for number, (shot, start, end) in enumerate(zip(script.shots, starts[:-1], starts[1:], strict=True))
    )


def cue_truth(script: Script, fps: int, stem: str, languages: tuple[str, ...]) -> tuple[CueTruth, ...]:
    """Say who speaks when, language by language: each line fills the middle of its shot.

    Parameters
    ----------
    script : Script
        The plan.
    fps : int
        Frames a second.
    stem : str
        The media file's name without suffix: the tracks are named after it.
    languages : tuple of str
        From `mediaflow.demo.lines.LANGUAGES`.
    """
    cues = []
    for language in languages:
        for shot, truth in zip(script.shots, shot_truth(script, fps), strict=True):
            if shot.line is None:
                continue
            start_ms, end_ms = _middle(truth, 0.15, 0.85)
            cues.append(
                CueTruth(
                    shot_no=truth.shot_no,
                    start_ms=start_ms,
                    end_ms=end_ms,
                    language=language,
                    speaker=speaker_as_written(shot.speaker, language),
                    text=shot.line.text(language),
                    track=track_name(stem, language),
                )
            )
    return tuple(cues)


def text_truth(script: Script, fps: int) -> tuple[TextTruth, ...]:
    """Say which texts are written over the picture, and when."""
    return tuple(
        TextTruth(truth.shot_no, *_middle(truth, 0.3, 0.8), shot.text)
        for shot, truth in zip(script.shots, shot_truth(script, fps), strict=True)
        if shot.text is not None
    )


def _middle(shot: ShotTruth, first: float, last: float) -> tuple[int, int]:
    """A range within a shot, on whole centiseconds: ASS knows no finer times."""
    length = shot.end_ms - shot.start_ms
    start_ms, end_ms = (-(-shot.start_ms // 10) * 10 + int(length * share / 10) * 10 for share in (first, last))
    return start_ms, end_ms
