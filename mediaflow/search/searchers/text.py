"""Rows whose text has words, and phrases exactly as they stand; scored by BM25."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from mediaflow.errors import UsageError
from mediaflow.search.searchers.matches import read_matches

if TYPE_CHECKING:
    import lance
    import polars as pl
    from lance.query import FullTextQuery

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»「」『』", '"'))
_PART = re.compile(r'"([^"]*)"|([^\s"]+)|"')
_JOINED = re.compile(r"\w[^\w\s]+\w")


@dataclass(frozen=True)
class TextSearcher:
    """Finds the rows that have all of the words and phrases of `text`, such as `he said "i never left"`."""

    text: str

    ranks: ClassVar[bool] = False

    def search(self, table: lance.LanceDataset, condition: str | None, limit: int | None) -> pl.DataFrame:
        query = full_text_query(self.text)
        return read_matches(table, "_score", full_text_query=query, filter=condition, limit=limit)


def words_and_phrases(text: str) -> tuple[list[str], list[str]]:
    """Part a text into single words, and phrases: what stands in double quotes of any kind.

    A word with a mark inside it ("don't", "l'amour", "rock-n-roll") is a phrase too: the text index parts it there.
    A quote that is never closed is passed over.
    """
    words: list[str] = []
    phrases: list[str] = []
    for part in _PART.finditer(unicodedata.normalize("NFC", text).translate(_QUOTES)):
        quoted, word = part.groups()
        found = quoted or word or ""
        if _has_word(found):
            (phrases if quoted or _JOINED.search(found) else words).append(found)
    return words, phrases


def full_text_query(text: str) -> FullTextQuery:
    """Return the query for all words and phrases of a text; `UsageError` where it has none."""
    from lance.query import BooleanQuery, FullTextOperator, MatchQuery, Occur, PhraseQuery

    words, phrases = words_and_phrases(text)
    parts: list[FullTextQuery] = [PhraseQuery(phrase, "text") for phrase in phrases]
    if words:
        parts.append(MatchQuery(" ".join(words), "text", operator=FullTextOperator.AND))
    if not parts:
        raise UsageError(f"There is no word to look for in {text!r}; give at least one.", text=text)
    return parts[0] if len(parts) == 1 else BooleanQuery([(Occur.MUST, part) for part in parts])


def _has_word(text: str) -> bool:
    return any(char.isalnum() for char in text)
