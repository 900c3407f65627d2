"""Rows whose text has words, and phrases exactly as they stand; scored by BM25.

BM25 weighs a word by how rare it is among all rows. For who may not see all rows that would tell of the others, so that
for them each row is scored by itself: by what BM25 gives how often the words stand in how long a text (S. Robertson and
H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, section 3.4), each word weighing the same.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import polars as pl

from mediaflow.errors import UsageError
from mediaflow.search.searchers.matches import best_first, read_matches

if TYPE_CHECKING:
    import lance
    from lance.query import FullTextQuery

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»「」『』", '"'))
_PART = re.compile(r'"([^"]*)"|([^\s"]+)|"')
_WORD = re.compile(r"\w+")
# The usual parameters, and a text of so many words counts as neither short nor long.
_K1, _B, _USUAL_WORDS = 1.2, 0.75, 8.0
# What stands in more rows than these says nothing: all score the same.
_MOST_SCORED = 20_000
_JOINED = re.compile(r"\w[^\w\s]+\w")


@dataclass(frozen=True)
class TextSearcher:
    """Finds the rows that have all of the words and phrases of `text`, such as `he said "i never left"`.

    `alone` has each row scored by itself.
    """

    text: str
    alone: bool = False

    ranks: ClassVar[bool] = False

    def search(self, table: lance.LanceDataset, condition: str | None, limit: int | None) -> pl.DataFrame:
        query = full_text_query(self.text)
        also = ("text",) if self.alone else ()
        return read_matches(table, "_score", also, full_text_query=query, filter=condition, limit=limit)

    def scored(self, matches: pl.DataFrame) -> pl.DataFrame:
        """Return all matches of those that may answer, found with `alone`, as MATCHES scored each by itself."""
        score = pl.lit(1.0)
        if len(matches) <= _MOST_SCORED:
            text = pl.col("text").str.to_lowercase()
            long = 1 - _B + _B * text.str.count_matches(_WORD.pattern) / _USUAL_WORDS
            words, phrases = words_and_phrases(self.text)
            # The index knows more forms of a word than these: in what it found, each stands once at least.
            often = [text.str.count_matches(_sequence(one)).clip(1) for one in (*words, *phrases)]
            score = pl.sum_horizontal((_K1 + 1) * one / (one + _K1 * long) for one in often)
        return best_first(matches.with_columns(score=score.cast(pl.Float64)).drop("text"))


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


def _sequence(term: str) -> str:
    """Return the pattern of a word or phrase, in small letters: its words one after the other, with marks between."""
    return r"\b" + r"\W+".join(_WORD.findall(term.lower())) + r"\b"


def _has_word(text: str) -> bool:
    return any(char.isalnum() for char in text)
