"""One subtitle file to rows: which format it is, what language, and every cue that can be used."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from mediaflow.errors import TitleError
from mediaflow.media.languages import UNDETERMINED, language_of_tag
from mediaflow.media.subtitles.blocks import is_srt, is_vtt, read_srt, read_vtt
from mediaflow.media.subtitles.cue import Cue, Parsed
from mediaflow.media.subtitles.encoding import decode_text, repair_text
from mediaflow.media.subtitles.markup import prefixed_speakers, split_speakers
from mediaflow.media.subtitles.names import NameFacts, read_name
from mediaflow.media.subtitles.substation import is_substation, read_substation
from mediaflow.media.subtitles.timed_text import UnreadableTimedText, is_timed_text, read_timed_text

if TYPE_CHECKING:
    import polars as pl

MAX_BYTES = 16 * 2**20
MAX_CUES = 100_000


@dataclass(frozen=True)
class Track:
    """One subtitle track: `cues` as CUES, its language (BCP 47), flags, and sentences about what was odd."""

    cues: pl.DataFrame
    language: str
    forced: bool
    sdh: bool
    notes: list[str]


def read_track(name: str, data: bytes, *, max_bytes: int = MAX_BYTES, max_cues: int = MAX_CUES) -> Track:
    """Read a subtitle file of any format that is known, told by its content.

    Parameters
    ----------
    name : str
        The file's name; language, kind and flags are read from it first, and it is the cues' `track`.
    data : bytes
        The whole file.
    max_bytes, max_cues : int
        Files past these limits are refused.

    Raises
    ------
    TitleError
        The file is too large, empty, no subtitles, or damaged as a whole.
    """
    if len(data) > max_bytes:
        raise _bad(name, f"has {len(data):,} bytes, more than the limit of {max_bytes:,}; is it a subtitle file?")
    said = read_name(name)
    notes: list[str] = []
    text = _text(data, said.language, notes)
    if not text.strip():
        raise _bad(name, "is empty; remove it, or copy it again")
    parsed = _parsed(name, text)
    if len(parsed.cues) > max_cues:
        raise _bad(name, f"has {len(parsed.cues):,} cues, more than the limit of {max_cues:,}")
    if parsed.broken:
        notes.append(f"{parsed.broken} broken cue{'s' * (parsed.broken > 1)} left out (no valid start and end time)")
    kind = said.kind or parsed.kind or "dialogue"
    if kind == "metadata":
        notes.append("a metadata track: it is for programs and holds no text to read")
        parsed.cues = []
    if kind == "dialogue":
        parsed.cues = _with_speakers(parsed.cues)
    language = said.language or language_of_tag(parsed.language or "") or UNDETERMINED
    return Track(_frame(name, parsed.cues, said, kind, language), language, said.forced, said.sdh, notes)


def _text(data: bytes, language: str | None, notes: list[str]) -> str:
    text = decode_text(data, language, notes)
    # U+0000 has no meaning in any of the formats; WebVTT says to replace it.
    text = re.sub(r"\r\n?", "\n", text.removeprefix("\ufeff")).replace("\0", "\N{REPLACEMENT CHARACTER}")
    repaired = repair_text(text)
    if repaired != text:
        lines = sum(a != b for a, b in zip(text.split("\n"), repaired.split("\n"), strict=True))
        notes.append(f"{lines} line{'s' * (lines > 1)} had been encoded to UTF-8 twice; repaired")
    return repaired


def _parsed(name: str, text: str) -> Parsed:
    if is_vtt(text):
        return read_vtt(text)
    if is_timed_text(text):
        try:
            return read_timed_text(text)
        except UnreadableTimedText as bad:
            raise _bad(name, f"{bad}; export the subtitles again") from None
    if is_substation(text):
        return read_substation(text)
    if is_srt(text):
        return read_srt(text)
    raise _bad(name, "is not a subtitle file that can be read (SRT, WebVTT, ASS/SSA or TTML)")


def _with_speakers(cues: list[Cue]) -> list[Cue]:
    """Take "NAME:" prefixes for speakers where the format itself names none."""
    if any(cue.speaker for cue in cues):
        return cues
    speakers = prefixed_speakers(cue.text for cue in cues)
    if not speakers:
        return cues
    return [
        replace(cue, speaker=speaker, text=text) for cue in cues for speaker, text in split_speakers(cue.text, speakers)
    ]


def _frame(name: str, cues: list[Cue], said: NameFacts, kind: str, language: str) -> pl.DataFrame:
    # Late: the decode worker reads embedded text with this package, and has no memory to spare for tables.
    import polars as pl

    from mediaflow.media.schemas import CUES

    cues = sorted(cues, key=lambda cue: (cue.start_ms, cue.end_ms))
    columns = {
        "cue_no": range(len(cues)),
        "start_ms": [cue.start_ms for cue in cues],
        "end_ms": [cue.end_ms for cue in cues],
        "kind": [said.kind or cue.kind or kind for cue in cues],
        "language": [said.language or language_of_tag(cue.language or "") or language for cue in cues],
        "speaker": [cue.speaker for cue in cues],
        "text": [cue.text for cue in cues],
        "track": [name] * len(cues),
        "forced": [said.forced or bool(cue.forced) for cue in cues],
        "sdh": [said.sdh] * len(cues),
    }
    return pl.DataFrame(columns, schema=CUES)


def _bad(name: str, what: str) -> TitleError:
    return TitleError(f"The subtitle file {name!r} {what}.", stage="subtitles", file=name)
