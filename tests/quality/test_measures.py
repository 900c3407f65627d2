"""nDCG@10, R@20 and RR by hand: one right answer at each rank, several of different worth, and none found."""

from __future__ import annotations

import math

import pytest

from mediaflow.quality.measures import MEASURES, NDCG, RECALL, RR, Ranking, measure


def ranked(*taken: int | None, grades: tuple[int, ...] = (1,)) -> dict[str, float]:
    (found,) = measure([Ranking(grades, taken)])
    assert tuple(found) == MEASURES
    return found


@pytest.mark.parametrize("rank", [1, 2, 3, 10])
def test_one_right_answer_is_worth_its_discount(rank: int) -> None:
    found = ranked(*[None] * (rank - 1), 0, *[None] * 10)
    assert found[NDCG] == pytest.approx(1 / math.log2(rank + 1))
    assert (found[RECALL], found[RR]) == (1, pytest.approx(1 / rank))


def test_what_comes_after_the_depth_gains_nothing() -> None:
    assert ranked(*[None] * 10, 0) == {NDCG: 0, RECALL: 1, RR: pytest.approx(1 / 11)}
    assert ranked(*[None] * 20, 0)[RECALL] == 0


def test_nothing_right_and_nothing_at_all_are_nothing() -> None:
    assert measure([Ranking((1,), ()), Ranking((2, 1), (None, None))]) == [dict.fromkeys(MEASURES, 0.0)] * 2
    assert ranked() == dict.fromkeys(MEASURES, 0.0)
    assert measure([]) == []


def test_several_answers_are_compared_with_their_best_order() -> None:
    """Järvelin and Kekäläinen's idea: the best order has 1, the worst of these three what stands here by hand."""
    assert ranked(2, 1, 0, grades=(1, 2, 3)) == dict.fromkeys(MEASURES, 1.0)
    best = 3 + 2 / math.log2(3) + 1 / 2
    found = ranked(0, 1, 2, grades=(1, 2, 3))
    assert found[NDCG] == pytest.approx((1 + 2 / math.log2(3) + 3 / 2) / best)
    assert (found[RECALL], found[RR]) == (1, 1)


def test_one_of_several_answers_is_a_share_of_them() -> None:
    found = ranked(None, 1, grades=(1, 1, 1, 1))
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, 5))
    assert found == {NDCG: pytest.approx(1 / math.log2(3) / ideal), RECALL: 0.25, RR: 0.5}


def test_each_ranking_has_its_own_measures_in_order() -> None:
    rankings = [Ranking((1,), (*[None] * at, 0)) for at in range(12)]
    assert [one[RR] for one in measure(rankings)] == [pytest.approx(1 / (at + 1)) for at in range(12)]
