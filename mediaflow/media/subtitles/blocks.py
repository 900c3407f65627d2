"""SubRip and WebVTT: blocks of lines under a line with two times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mediaflow.media.subtitles.cue import Cue, Parsed
from mediaflow.media.subtitles.markup import plain_text, voices

_TIME = r"(?:(\d{1,4}):)?(\d{1,2}):(\d{1,2})(?:[.,:](\d{1,3}))?"
_TIMING = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?", re.DOTALL)
_HEADER_FIELD = re.compile(r"(kind|lang|language)\s*:\s*(\S+)", re.IGNORECASE)
_KINDS = {
    "captions": "dialogue",
    "subtitles": "dialogue",
    "descriptions": "description",
    "chapters": "chapter",
    "metadata": "metadata",
}


@dataclass
class _Block:
    timing: str
    lines: list[str]


def is_vtt(text: str) -> bool:
    """Whether the text opens with the WebVTT signature."""
    return re.match(r"WEBVTT(?=[ \t\n]|$)", text) is not None


def is_srt(text: str) -> bool:
    """Whether any line is a pair of times."""
    return any("-->" in line and _TIMING.fullmatch(line) for line in text.split("\n"))


def read_srt(text: str) -> Parsed:
    """Read SubRip text; line ends must be "\\n". Blank lines inside a cue are let pass, as players do."""
    parsed = Parsed()
    for block in _srt_blocks(text.split("\n")):
        _add(parsed, block, [(None, plain_text("\n".join(block.lines), vtt=False))])
    return parsed


def read_vtt(text: str) -> Parsed:
    """Read WebVTT; line ends must be "\\n". NOTE, STYLE and REGION blocks are left out."""
    header, _, body = text.partition("\n\n")
    fields = {name.lower()[:4]: value for name, value in _HEADER_FIELD.findall(header)}
    parsed = Parsed(language=fields.get("lang"), kind=_KINDS.get(fields.get("kind", "").lower()))
    # A file without the blank line after its header still has its cues read.
    for block in _vtt_blocks((text if "-->" in header else body).split("\n")):
        _add(parsed, block, _merged(voices("\n".join(block.lines))))
    return parsed


def _srt_blocks(lines: list[str]) -> Iterator[_Block]:
    block: _Block | None = None
    for line in lines:
        if "-->" not in line:
            if block:
                block.lines.append(line)
            continue
        if block:
            _drop_number(block.lines)
            yield block
        block = _Block(line, [])
    if block:
        yield block


def _drop_number(lines: list[str]) -> None:
    """Take the next cue's number, and the blanks around it, off the end of a cue's lines."""
    while lines and not lines[-1].strip():
        lines.pop()
    # A cue may be just "12": the number of the next one stands after a blank line, or alone.
    if lines and lines[-1].strip().isdigit():
        lines.pop()


def _vtt_blocks(lines: list[str]) -> Iterator[_Block]:
    block: _Block | None = None
    for line in lines:
        if "-->" in line:
            if block:
                yield block
            block = _Block(line, [])
        elif not line.strip():
            if block:
                yield block
            block = None
        elif block:
            block.lines.append(line)
    if block:
        yield block


def _add(parsed: Parsed, block: _Block, spoken: Iterable[tuple[str | None, str]]) -> None:
    times = _TIMING.fullmatch(block.timing)
    start_ms, end_ms = (_ms(times.groups()[:4]), _ms(times.groups()[4:])) if times else (0, 0)
    if end_ms <= start_ms:
        parsed.broken += 1
        return
    parsed.cues += [Cue(start_ms, end_ms, text, speaker) for speaker, text in spoken if text]


def _merged(spoken: Iterator[tuple[str | None, str]]) -> Iterator[tuple[str | None, str]]:
    """Join what one speaker says in pieces inside one cue."""
    last: tuple[str | None, str] | None = None
    for speaker, text in spoken:
        if last and last[0] == speaker:
            last = (speaker, f"{last[1]}\n{text}")
            continue
        if last:
            yield last
        last = (speaker, text)
    if last:
        yield last


def _ms(groups: tuple[str | None, ...]) -> int:
    hours, minutes, seconds, fraction = groups
    # "1,5" is half a second more: the fraction is a decimal one, however many digits it has.
    milliseconds = int((fraction or "0").ljust(3, "0"))
    return ((int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)) * 1000 + milliseconds
