"""nDCG@10, R@20 and RR of rankings, by ir-measures.

nDCG: K. Järvelin and J. Kekäläinen, "Cumulated gain-based evaluation of IR techniques", ACM TOIS 20(4), 2002, with the
grades as gains and the discount log2(rank + 1) of C. Burges et al., "Learning to rank using gradient descent", ICML
2005. R: the share of the right answers that are found. RR: one over the rank of the first right answer, whose mean is
the MRR. They are those of trec_eval (S. MacAvaney, C. Macdonald, I. Ounis, "Streamlining evaluation with ir-measures",
ECIR 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

NDCG, RECALL, RR = "nDCG@10", "R@20", "RR"
MEASURES = (NDCG, RECALL, RR)


@dataclass(frozen=True)
class Ranking:
    """What came for a question.

    Attributes
    ----------
    grades : tuple of int
        Of its right answers, each 1 or more; at least one.
    taken : tuple of (int or None)
        By rank: the number of the answer that the hit is, each at most once; None where it is none.
    """

    grades: tuple[int, ...]
    taken: tuple[int | None, ...]


def measure(rankings: Sequence[Ranking]) -> list[dict[str, float]]:
    """Return `MEASURES` of each ranking, from 0 to 1."""
    if not rankings:
        return []
    from ir_measures import RR as FIRST
    from ir_measures import R, nDCG, pytrec_eval

    judged = {str(n): {f"answer {a}": g for a, g in enumerate(one.grades)} for n, one in enumerate(rankings)}
    # Scores fall with the rank, so that no two are equal: ties would be ordered by the names.
    ranked = {str(n): _run(one) for n, one in enumerate(rankings) if one.taken}
    chosen = [nDCG @ 10, R @ 20, FIRST]
    found: list[dict[str, float]] = [{} for _ in rankings]
    for metric in pytrec_eval.evaluator(chosen, judged).iter_calc(ranked):
        found[int(metric.query_id)][str(metric.measure)] = float(metric.value)
    return [{name: one[name] for name in MEASURES} for one in found]


def _run(ranking: Ranking) -> dict[str, float]:
    names = (f"other {rank}" if taken is None else f"answer {taken}" for rank, taken in enumerate(ranking.taken))
    return {name: float(-rank) for rank, name in enumerate(names)}
