"""Which hits are answers: of the right title and near its time, each answer once, the best of several first."""

from __future__ import annotations

import pytest

from mediaflow.quality.asking import taken
from mediaflow.quality.questions import Answer, Question
from mediaflow.search.query import FreeText, Query
from mediaflow.search.results import Hit


def hit(title_id: str, start_ms: int, end_ms: int) -> Hit:
    return Hit(1, title_id, title_id, start_ms, end_ms, 1.0, (), "s")


def question(*answers: Answer, tolerance_ms: int = 1000) -> Question:
    return Question("x", Query((FreeText("x"),)), answers, tolerance_ms=tolerance_ms)


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "right"),
    [(1000, 3000, True), (0, 1501, True), (0, 1500, False), (3500, 4000, True), (3501, 4000, False)],
)
def test_an_answer_is_of_the_title_and_at_most_a_second_off(start_ms: int, end_ms: int, right: bool) -> None:
    one = question(Answer("one", 2500))
    assert taken(one, [hit("one", start_ms, end_ms)]) == [0 if right else None]
    assert taken(one, [hit("two", 1000, 3000)]) == [None]


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "right"), [(2500, 3000, True), (2501, 3000, False), (0, 2501, True), (0, 2500, False)]
)
def test_without_tolerance_the_time_is_in_the_range(start_ms: int, end_ms: int, right: bool) -> None:
    assert taken(question(Answer("one", 2500), tolerance_ms=0), [hit("one", start_ms, end_ms)]) == [
        0 if right else None
    ]


def test_an_answer_that_comes_again_gains_nothing() -> None:
    one = question(Answer("one", 1000), Answer("two", 1000))
    hits = [hit("one", 0, 2000), hit("one", 0, 2000), hit("three", 0, 2000), hit("two", 0, 2000)]
    assert taken(one, hits) == [0, None, None, 1]


def test_of_several_answers_that_fit_the_best_is_taken_then_the_nearest() -> None:
    near, best, far = Answer("one", 1000), Answer("one", 2900, 3), Answer("one", 3000)
    hits = [hit("one", 900, 2000)] * 4
    assert taken(question(far, near, best), hits) == [2, 1, None, None]
    assert taken(question(far, near, tolerance_ms=2000), hits) == [1, 0, None, None]
