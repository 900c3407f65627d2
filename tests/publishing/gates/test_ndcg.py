"""nDCG by hand: one right answer at each rank, several of different worth, and none."""

from __future__ import annotations

import math

import pytest

from mediaflow.publishing.gates.ndcg import ndcg


@pytest.mark.parametrize("rank", [1, 2, 3, 10])
def test_one_right_answer_is_worth_its_discount(rank: int) -> None:
    gains = [0.0] * (rank - 1) + [1.0]
    assert ndcg(gains, [1.0]) == pytest.approx(1 / math.log2(rank + 1))


def test_what_comes_after_the_depth_or_not_at_all_gains_nothing() -> None:
    assert ndcg([0.0] * 10 + [1.0], [1.0]) == ndcg([], [1.0]) == 0


def test_several_answers_are_compared_with_their_best_order() -> None:
    """Järvelin and Kekäläinen's idea: the best order has 1, the worst of these three what stands here by hand."""
    assert ndcg([3, 2, 1], [1, 2, 3]) == 1
    best = 3 + 2 / math.log2(3) + 1 / 2
    assert ndcg([1, 2, 3], [1, 2, 3]) == pytest.approx((1 + 2 / math.log2(3) + 3 / 2) / best)
