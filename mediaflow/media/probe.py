"""What a media file holds: its facts, its embedded text tracks and its chapters."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av.error

from mediaflow.media.facts import AudioStream, MediaFacts, TextStream
from mediaflow.media.languages import UNDETERMINED, language_of_tag
from mediaflow.media.options import Limits
from mediaflow.media.source import (
    half_up_ms,
    opened,
    picture_stream,
    rotation_of,
    start_of,
    title_error,
    too_large,
    upright_size,
)
from mediaflow.media.subtitles.markup import prefixed_speakers, split_speakers
from mediaflow.media.subtitles.substation import plain_event

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.stream import Stream
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

STAGE = "media"
_TEXT_CODECS = {"ass", "ssa", "subrip", "srt", "mov_text", "webvtt", "text"}
_TRIES = 300
_PROGRESS_EVERY_S = 0.25


@dataclass
class Found:
    """What probing finds: facts, rows of CUES (without `cue_no`), and sentences about what was odd."""

    facts: MediaFacts
    cues: list[dict[str, Any]]
    notes: list[str]


def probe_file(path: Path, limits: Limits, progress: Callable[[int], None]) -> Found:
    """Open a film, decode its first frame, and read its embedded text.

    Raises
    ------
    TitleError
        The file has no picture, no frame that can be decoded, or is past a limit.
    """
    notes: list[str] = []
    try:
        with opened(path, STAGE, limits) as container:
            stream = picture_stream(container, path, STAGE, limits)
            texts = [_text_stream(s) for s in container.streams.subtitles]
            cues = _chapters(container)
            frame = _first_frame(container, stream, path)
            facts = _facts(path, container, stream, frame, tuple(texts), len(cues))
        if any(t.text for t in texts):
            with opened(path, STAGE, limits) as container:
                cues += _Texts(container, path, limits, notes, progress).read([t for t in texts if t.text])
    except MemoryError:
        raise too_large(path, STAGE) from None
    if pictures := [t for t in texts if not t.text]:
        notes.append(f"{len(pictures)} subtitle track(s) of pictures, which hold no text to read")
    return Found(facts, sorted(cues, key=lambda cue: (cue["start_ms"], cue["end_ms"])), notes)


def frame_rate(stream: VideoStream) -> Fraction:
    """Return a stream's exact frame rate, 25 where it states none that can be."""
    for rate in (stream.average_rate, stream.guessed_rate, stream.base_rate):
        if rate and Fraction(1, 100) <= rate <= 1000:
            return Fraction(rate).limit_denominator(100_000)
    return Fraction(25)


def start_timecode(container: InputContainer, stream: VideoStream) -> str | None:
    """Return the timecode of the first frame as the file states it, None where it states none."""
    candidates = [stream.metadata, container.metadata, *(s.metadata for s in container.streams)]
    stated = (entry.get("timecode", "").strip() for entry in candidates)
    return next((t for t in stated if re.fullmatch(r"\d{2}:\d{2}:\d{2}[:;.]\d{2}", t)), None)


def _first_frame(container: InputContainer, stream: VideoStream, path: Path) -> VideoFrame:
    tries = 0
    try:
        for packet in container.demux(stream):
            tries += 1
            try:
                if frames := packet.decode():
                    return frames[0]
            except av.error.FFmpegError as bad:
                if bad.errno == 12:
                    raise too_large(path, STAGE) from None
            if tries > _TRIES:
                break
    except av.error.FFmpegError:
        # A demuxer that gives up has no more packets: the sentence below says what that means.
        tries += 1
    raise title_error(path, STAGE, "has no picture: not one frame of its video can be decoded.")


def _facts(
    path: Path,
    container: InputContainer,
    stream: VideoStream,
    frame: VideoFrame,
    texts: tuple[TextStream, ...],
    chapters: int,
) -> MediaFacts:
    rate = frame_rate(stream)
    aspect = Fraction(stream.sample_aspect_ratio or 1)
    rotation = rotation_of(frame)
    width, height = upright_size(frame.width, frame.height, aspect, rotation)
    return MediaFacts(
        duration_ms=_duration_ms(container, stream),
        width=width,
        height=height,
        fps_num=rate.numerator,
        fps_den=rate.denominator,
        frame_count=stream.frames or None,
        video_codec=stream.codec_context.name,
        container=container.format.name,
        rotation=rotation,
        sample_aspect_num=aspect.numerator,
        sample_aspect_den=aspect.denominator,
        start_timecode=start_timecode(container, stream),
        chapter_count=chapters,
        size=path.stat().st_size,
        audio_streams=tuple(
            AudioStream(s.index, s.codec_context.name, _language(s), s.codec_context.channels, s.codec_context.rate)
            for s in container.streams.audio
            if s.codec_context is not None
        ),
        text_streams=texts,
    )


def _duration_ms(container: InputContainer, stream: VideoStream) -> int:
    if container.duration and container.duration > 0:
        return half_up_ms(Fraction(container.duration, 1_000_000))
    if stream.duration and stream.time_base:
        return max(0, half_up_ms(stream.duration * stream.time_base))
    return 0


def _language(stream: Stream) -> str:
    return language_of_tag(stream.metadata.get("language", "")) or UNDETERMINED


def _text_stream(stream: Stream) -> TextStream:
    from av.stream import Disposition

    codec = stream.codec_context.name if stream.codec_context is not None else "unknown"
    flags, title = stream.disposition, stream.metadata.get("title", "").casefold()
    sdh = bool(flags & (Disposition.hearing_impaired | Disposition.captions)) or "sdh" in title.split()
    described = bool(flags & (Disposition.descriptions | Disposition.visual_impaired))
    return TextStream(
        index=stream.index,
        codec=codec,
        language=_language(stream),
        kind="description" if described else "dialogue",
        forced=bool(flags & Disposition.forced) or "forced" in title.split(),
        sdh=sdh,
        text=codec in _TEXT_CODECS,
    )


def _chapters(container: InputContainer) -> list[dict[str, Any]]:
    start = start_of(container) or Fraction(0)
    rows: list[dict[str, Any]] = []
    for number, chapter in enumerate(container.chapters(), 1):
        base = chapter["time_base"] or Fraction(1, 1000)
        begin, end = (max(0, half_up_ms(chapter[k] * base - start)) for k in ("start", "end"))
        title = chapter["metadata"].get("title", "").strip() or f"Chapter {number}"
        if end > begin:
            rows.append(_row(begin, end, "chapter", UNDETERMINED, None, title, "chapters", False, False))
    return rows


def _row(
    start_ms: int,
    end_ms: int,
    kind: str,
    language: str,
    speaker: str | None,
    text: str,
    track: str,
    forced: bool,
    sdh: bool,
) -> dict[str, Any]:
    return {
        "start_ms": start_ms,
        "end_ms": end_ms,
        "kind": kind,
        "language": language,
        "speaker": speaker,
        "text": text,
        "track": track,
        "forced": forced,
        "sdh": sdh,
    }


class _Texts:
    """Reads all text streams of a file in one pass over it."""

    def __init__(
        self,
        container: InputContainer,
        path: Path,
        limits: Limits,
        notes: list[str],
        progress: Callable[[int], None],
    ) -> None:
        self.container, self.path, self.limits, self.notes, self.progress = container, path, limits, notes, progress
        self.start = start_of(container) or Fraction(0)
        self.size = self.failed = 0
        self.rows: list[dict[str, Any]] = []

    def read(self, texts: list[TextStream]) -> list[dict[str, Any]]:
        known = {text.index: text for text in texts}
        for stream in self.container.streams:
            if stream.index not in known:
                stream.discard = av.stream.Discard.all
        told, packets = time.monotonic(), 0
        try:
            for packet in self.container.demux(*(self.container.streams[i] for i in known)):
                packets += 1
                if packet.size and packet.stream.index in known:
                    self.take(packet, known[packet.stream.index])
                if (now := time.monotonic()) - told > _PROGRESS_EVERY_S:
                    told = now
                    self.progress(packets)
        except av.error.FFmpegError as bad:
            self.notes.append(f"embedded text was read up to a damaged place ({bad.strerror})")
        self.name_speakers(set(known))
        if self.failed:
            self.notes.append(f"{self.failed} broken cue(s) of embedded text left out")
        return self.rows

    def name_speakers(self, indexes: set[int]) -> None:
        """Take "NAME:" prefixes for speakers, as in subtitle files; each stream for itself."""
        for track in (f"stream:{index}" for index in indexes):
            rows = [row for row in self.rows if row["track"] == track and row["kind"] == "dialogue"]
            speakers = set() if any(row["speaker"] for row in rows) else prefixed_speakers(row["text"] for row in rows)
            if not speakers:
                continue
            spoken = [
                {**row, "speaker": speaker, "text": text}
                for row in rows
                for speaker, text in split_speakers(row["text"], speakers)
            ]
            self.rows = [row for row in self.rows if row["track"] != track] + spoken

    def take(self, packet: Packet[Any], text: TextStream) -> None:
        try:
            found = packet.stream.codec_context.decode2(packet)
        except av.error.FFmpegError:
            self.failed += 1
            return
        if found is None or packet.pts is None or packet.time_base is None:
            return
        begin = max(0, half_up_ms(packet.pts * packet.time_base - self.start))
        end = begin + half_up_ms((packet.duration or 0) * packet.time_base)
        for rect in found:
            speaker, plain = plain_event(bytes(getattr(rect, "ass", b"")).decode("utf-8", errors="replace"))
            if not plain:
                continue
            if end <= begin:
                self.failed += 1
                continue
            self.size += len(plain)
            if self.size > self.limits.text_bytes:
                raise title_error(self.path, STAGE, "holds more embedded text than the limit allows.")
            self.rows.append(
                _row(
                    begin,
                    end,
                    text.kind,
                    text.language,
                    speaker,
                    plain,
                    f"stream:{text.index}",
                    text.forced,
                    text.sdh,
                )
            )
