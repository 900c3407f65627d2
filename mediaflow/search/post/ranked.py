"""What answers a question, all pages of it, and how deep one looks for it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from mediaflow.search.post.evaluation import Evaluation
from mediaflow.search.query import Query

_CANDIDATES = 200
_CANDIDATES_PER_HIT = 4
_CANDIDATES_FOR_GROUPS = 2_000
# In an order other than that of scores, so many are put; of more, the best.
CANDIDATES_IN_ORDER = 20_000
# A question without any rows costs as much memory as some hundreds of them.
_A_QUESTION = 500


@dataclass(frozen=True)
class Ranked:
    """What answers a question, all pages of it.

    `moments` are in the order of the answer, or, unless `in_order`, best first; `unended` says whether there are more,
    `cut` whether more would be found, of which no page tells.
    """

    moments: pl.DataFrame
    evaluation: Evaluation
    in_order: bool
    unended: bool
    cut: bool = False


def rows_of(ranked: Ranked) -> int:
    """Return how many rows an answer takes as much memory as."""
    return _A_QUESTION + len(ranked.moments) + sum(len(one.matches) for one in ranked.evaluation.leaves)


def depth_of(query: Query) -> int:
    """Return how many of a clause that chooses are looked for at first."""
    return candidates_of(query) if query.sort == "score" and query.score is None else CANDIDATES_IN_ORDER


def candidates_of(query: Query) -> int:
    """Return how many of a clause that ranks all there is are looked for."""
    count = max(_CANDIDATES, query.limit * _CANDIDATES_PER_HIT)
    return max(count, _CANDIDATES_FOR_GROUPS) if query.group_by else count
