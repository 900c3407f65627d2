"""Markup out of cue text, and who speaks: voice tags, "NAME:" prefixes, character references."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterable, Iterator

_REFERENCE = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_VTT_TAG = re.compile(r"</?[a-zA-Z][^<>]*>|</>|<[0-9][0-9:.]*>")
_HTML_TAG = re.compile(r"</?\s*(?:i|b|u|s|em|strong|bold|italic|underline|font|span|c|v|ruby|rt|lang)\b[^<>]*>", re.I)
_BREAK = re.compile(r"<\s*br\s*/?>", re.IGNORECASE)
_OVERRIDE = re.compile(r"\{\\[^{}]*\}")
_VOICE = re.compile(r"<v(?:\.[^\s<>]*)?[ \t]+([^<>]*)>")
_VOICE_EDGE = re.compile(r"(<v(?:\.[^\s<>]*)?[ \t]+[^<>]*>|</v>)")
_PREFIX = re.compile(r"(?:-\s*)?\[?([^\W\d_][\w .'’#&/-]{0,38}?)\]?\s?:[ \t\n]+(?=\S)")
# A name may stand alone on its line: to the pattern there is always something behind it.
_GOES_ON = "\nx"
_NO_NAMES = {"WARNING", "NOTE", "ATTENTION", "CAUTION", "DANGER", "NOTICE", "PS", "P.S.", "TIP", "EXAMPLE", "RATED"}


def plain_text(markup: str, *, vtt: bool) -> str:
    """Remove tags, ASS overrides and character references; tidy blanks line by line."""
    text = _BREAK.sub("\n", _OVERRIDE.sub("", markup))
    text = (_VTT_TAG if vtt else _HTML_TAG).sub("", text)
    return tidy(_REFERENCE.sub(lambda found: html.unescape(found.group()), text))


def tidy(text: str) -> str:
    """Strip blanks at the ends of lines and drop empty lines."""
    lines = (line.strip(" \t\u200b\ufeff\xa0") for line in text.replace("\r", "\n").split("\n"))
    return "\n".join(line for line in lines if line)


def voices(markup: str) -> Iterator[tuple[str | None, str]]:
    """Split a WebVTT cue at its voice tags: (speaker as written, plain text), empty texts left out."""
    speaker: str | None = None
    for piece in _VOICE_EDGE.split(markup):
        if tag := _VOICE.fullmatch(piece):
            speaker = plain_text(tag.group(1), vtt=True) or None
        elif piece == "</v>":
            speaker = None
        elif text := plain_text(piece, vtt=True):
            yield speaker, text


def prefixed_speakers(texts: Iterable[str]) -> set[str]:
    """Find the "Name:" prefixes of a track that are clearly speakers.

    In capitals one is enough ("THOM: Hello"); in mixed case the same prefix must open at least two lines, each word
    capitalised, since "Remember: …" is a sentence.
    """
    lines = (line for text in texts for line in text.split("\n"))
    seen = Counter(found.group(1) for line in lines if (found := _PREFIX.match(line + _GOES_ON)))
    return {name for name, count in seen.items() if _is_speaker(name, count)}


def _is_speaker(name: str, count: int) -> bool:
    letters = [c for c in name if c.isalpha()]
    if len(letters) < 2 or name.upper() in _NO_NAMES or len(name.split()) > 4:
        return False
    if all(c.isupper() for c in letters):
        return True
    return count > 1 and all(word[0].isupper() or word[0].isdigit() or word[0] == "#" for word in name.split())


def split_speakers(text: str, speakers: set[str]) -> Iterator[tuple[str | None, str]]:
    """Split a cue's text at lines that open with a known speaker: (speaker, text without the prefix)."""
    speaker: str | None = None
    lines: list[str] = []
    for line in text.split("\n"):
        found = _PREFIX.match(line + _GOES_ON)
        if found and found.group(1) in speakers:
            if lines:
                yield speaker, "\n".join(lines)
            speaker, lines = found.group(1), []
            line = line[found.end() :]
        if line.strip():
            lines.append(line.strip())
    if lines:
        yield speaker, "\n".join(lines)
