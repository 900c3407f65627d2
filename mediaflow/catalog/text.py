"""Cleaning the text that catalogue files bring: no control characters, composed Unicode, bounded length."""

from __future__ import annotations

import re
import unicodedata

_LINE_CHARS = 1_000
_TEXT_CHARS = 20_000
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def line(text: str) -> str:
    """Give a name or title: one line, single spaces, at most 1,000 characters."""
    text = unicodedata.normalize("NFC", _CONTROL.sub(" ", text))
    return re.sub(r"\s+", " ", text).strip()[:_LINE_CHARS]


def paragraphs(text: str) -> str:
    """Give a longer text: its line breaks stay, at most 20,000 characters."""
    text = unicodedata.normalize("NFC", _CONTROL.sub(" ", text.replace("\r\n", "\n")))
    return "\n".join(re.sub(r"[^\S\n]+", " ", each).strip() for each in text.split("\n")).strip()[:_TEXT_CHARS]


def language_tag(text: str) -> str | None:
    """Give the BCP 47 tag (`eng` is `en`), or None for what is no language tag."""
    import langcodes

    text = text.strip()
    if not langcodes.tag_is_valid(text):
        return None
    tag = langcodes.standardize_tag(text)
    return None if tag == "und" else tag
