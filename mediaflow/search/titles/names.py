"""Names as people write them: compared without regard to case, accents and punctuation, and told apart by words."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable

# Letters whose stroke or ligature is no combining mark, so that decomposition leaves them as they are.
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})
_ACCENTS = re.compile("[\u0300-\u036f]")
_BETWEEN_WORDS = re.compile(r"[\W_]+")


def fold(name: str) -> str:
    """Return a name in lower case without accents and punctuation, its words parted by one space."""
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", name.casefold())).translate(_LETTERS)
    # What is left of the decomposition (the marks of kana, hangul) belongs to its letter.
    return _BETWEEN_WORDS.sub(" ", unicodedata.normalize("NFC", bare)).strip()


def has_words(name: str, wanted: str) -> bool:
    """Say whether the folded name `name` has all of the folded `wanted` as whole words in a row."""
    return bool(wanted) and f" {wanted} " in f" {name} "


def alike(names: Iterable[str], wanted: str, count: int = 3) -> list[str]:
    """Return up to `count` of `names` that `wanted` may have meant, the nearest first."""
    by_fold: dict[str, str] = {}
    for name in names:
        by_fold.setdefault(fold(name), name)
    return [by_fold[near] for near in difflib.get_close_matches(fold(wanted), by_fold, count, cutoff=0.5)]
