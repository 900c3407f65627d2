"""Normalized discounted cumulative gain: how good a ranking is beside the best one that there could be."""

from __future__ import annotations

import math
from collections.abc import Sequence


def ndcg(gains: Sequence[float], ideal: Sequence[float], depth: int = 10) -> float:
    """Return nDCG at `depth`, from 0 to 1.

    K. Järvelin and J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20(4), 2002; with the
    discount log2(rank + 1) of C. Burges et al., "Learning to rank using gradient descent", ICML 2005, by which the
    second rank counts less than the first, too.

    Parameters
    ----------
    gains : sequence of float
        What each answer is worth, best rank first.
    ideal : sequence of float
        What all right answers are worth, in any order; at least one is above 0.
    depth : int
        Answers further down count nothing.
    """
    best = _dcg(sorted(ideal, reverse=True), depth)
    return _dcg(gains, depth) / best


def _dcg(gains: Sequence[float], depth: int) -> float:
    return math.fsum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains[:depth], start=1))
