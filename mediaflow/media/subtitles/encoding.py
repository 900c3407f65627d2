"""Bytes to text: byte order marks, UTF-16, legacy code pages, and text that was encoded to UTF-8 twice."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ftfy import TextFixerConfig

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_PAGES = {
    "ar": ("cp1256",),
    "bg": ("cp1251",),
    "cs": ("cp1250",),
    "el": ("cp1253",),
    "et": ("cp1257",),
    "fa": ("cp1256",),
    "he": ("cp1255",),
    "hr": ("cp1250",),
    "hu": ("cp1250",),
    "ja": ("cp932", "euc_jp"),
    "ko": ("cp949",),
    "lt": ("cp1257",),
    "lv": ("cp1257",),
    "mk": ("cp1251",),
    "pl": ("cp1250",),
    "ro": ("cp1250",),
    "ru": ("cp1251", "koi8_r", "cp866"),
    "sk": ("cp1250",),
    "sl": ("cp1250",),
    "sr": ("cp1251", "cp1250"),
    "th": ("cp874",),
    "tr": ("cp1254",),
    "uk": ("cp1251", "koi8_u"),
    "vi": ("cp1258",),
    "zh": ("gb18030", "big5"),
}
"""Code pages that a language's old files are written in, the likeliest first."""


def decode_text(data: bytes, language: str | None, notes: list[str]) -> str:
    """Decode a text file; says in `notes` where the encoding had to be guessed.

    Parameters
    ----------
    data : bytes
        The whole file.
    language : str or None
        BCP 47 tag from the file's name: it decides between legacy code pages.
    notes : list of str
        Sentences for the user are appended here.
    """
    for mark, codec in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(codec, errors="replace")
    if wide := _wide_codec(data):
        return data.decode(wide, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as bad:
        if _nearly_utf8(data):
            notes.append(
                f"some bytes are no UTF-8 (the first at {bad.start}); they are shown as \N{REPLACEMENT CHARACTER}"
            )
            return data.decode("utf-8", errors="replace")
    codec = _legacy_codec(data, language)
    notes.append(f"the file is not in UTF-8; it was read as {codec}")
    return data.decode(codec, errors="replace")


def _wide_codec(data: bytes) -> str | None:
    """Tell UTF-16 without a mark: in text with Latin letters or digits every other byte is zero."""
    head = data[:4096]
    half = len(head) // 2
    if half < 4:
        return None
    if head[1::2].count(0) > 0.4 * half and head[0::2].count(0) < 0.05 * half:
        return "utf-16-le"
    if head[0::2].count(0) > 0.4 * half and head[1::2].count(0) < 0.05 * half:
        return "utf-16-be"
    return None


def _nearly_utf8(data: bytes) -> bool:
    """Whether the bytes are UTF-8 with a few bad places rather than another encoding."""
    sequences = len(re.findall(rb"[\xc2-\xf4][\x80-\xbf]+", data))
    bad = data.decode("utf-8", errors="replace").count("\N{REPLACEMENT CHARACTER}")
    return sequences > 4 * bad


def _legacy_codec(data: bytes, language: str | None) -> str:
    from charset_normalizer import from_bytes

    pages = _PAGES.get((language or "").split("-")[0], ("cp1252",) if language else ())
    readable = [page for page in pages if _decodes(data, page)]
    if len(readable) == 1:
        return readable[0]
    if readable and "cp1251" in readable:
        # The Cyrillic pages hold the same letters in other places: the wrong page gives capitals inside words.
        return max(readable, key=lambda page: _small_letters(data.decode(page)))
    # Detection is slow and gains nothing past some kilobytes of text.
    best = from_bytes(data[:65536], cp_isolation=readable or None).best()
    if best is not None and _decodes(data, best.encoding):
        return best.encoding
    return readable[0] if readable else "cp1252"


def _small_letters(text: str) -> int:
    return sum(c.islower() - 4 * c.isupper() - 4 * (not c.isalpha()) for c in text if not c.isascii())


def _decodes(data: bytes, codec: str) -> bool:
    try:
        data.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def repair_text(text: str) -> str:
    """Undo UTF-8 that was read as a one-byte code page and encoded again, line by line.

    Nothing else is touched: quotes, ellipses, ligatures, fullwidth forms and control characters stay.
    """
    if text.isascii():
        return text
    import ftfy

    config = _repair_config()
    # Not splitlines: U+0085 ends a line there, and is half a letter in text that was encoded twice.
    return "\n".join(ftfy.fix_text_segment(line, config) for line in text.split("\n"))


def _repair_config() -> TextFixerConfig:
    from ftfy import TextFixerConfig

    return TextFixerConfig(
        unescape_html=False,
        remove_terminal_escapes=False,
        fix_encoding=True,
        restore_byte_a0=True,
        replace_lossy_sequences=True,
        decode_inconsistent_utf8=True,
        fix_c1_controls=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        uncurl_quotes=False,
        fix_line_breaks=False,
        fix_surrogates=False,
        remove_control_chars=False,
        normalization=None,
        explain=False,
    )
