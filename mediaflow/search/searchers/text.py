"""Rows whose text has words, and phrases exactly as they stand; scored by BM25.

BM25 weighs a word by how rare it is among all rows. For who may not see all rows that would tell of the others, so that
for them each row is scored by itself: by what BM25 gives a word that stands once in a text of its length (S. Robertson
and H. Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond", 2009, section 3.4), each word the same.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import polars as pl

from mediaflow.errors import UsageError
from mediaflow.search.searchers.held import held, length_of
from mediaflow.search.searchers.matches import best_first, read_matches

if TYPE_CHECKING:
    import lance
    from lance.query import FullTextQuery

_QUOTES = str.maketrans(dict.fromkeys("“”„‟«»「」『』", '"'))
_PART = re.compile(r'"([^"]*)"|([^\s"]+)|"')
# The usual parameters, and a text of so many characters counts as neither short nor long.
_K1, _B, _USUAL_LENGTH = 1.2, 0.75, 40
_WORD = re.compile(r"\w+")
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
        """Return MATCHES; with `alone` not scored yet, in no order, and with a column `length`."""
        known = held(table) if self.alone else None
        also = ("text",) if self.alone and not known else ()
        query = full_text_query(self.text)
        scan = {"full_text_query": query, "filter": condition, "limit": limit}
        found = read_matches(table, "_score", also, not self.alone, **scan)
        if not self.alone:
            return found
        if known:
            return found.hstack([known.lengths(found["row"].to_numpy())])
        return found.hstack([length_of(found["text"])]).drop("text")

    def may_be_usual(self, table: lance.LanceDataset, share: float) -> bool:
        """Guess whether the words stand in more than a share of the rows of a table."""
        known = held(table)
        parts = itertools.chain(*words_and_phrases(self.text))
        return known is not None and known.share(word for part in parts for word in _WORD.findall(part)) > share

    def scored(self, matches: pl.DataFrame, usual: bool) -> pl.DataFrame:
        """Return matches found with `alone`, as MATCHES scored each by itself; where the words are `usual`, all 1."""
        count = sum(map(len, words_and_phrases(self.text)))
        long = 1 - _B + _B * matches["length"].to_numpy() / _USUAL_LENGTH
        score = np.ones(len(matches)) if usual else count * (_K1 + 1) / (1 + _K1 * long)
        own = [pl.Series("score", score) if one.name == "score" else one for one in matches if one.name != "length"]
        return best_first(pl.DataFrame(own))


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
