"""The paired test: exact where all signs can be tried, as other tests say where there are many, and sober about few."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy import stats

from mediaflow.errors import UsageError
from mediaflow.quality.comparison import compare, paired
from mediaflow.quality.evaluation import Evaluation, Measured
from mediaflow.quality.measures import MEASURES, NDCG


def by_all_signs(differences: list[float]) -> float:
    """Return the share of all signs with a mean at least as far from 0, to be compared with: the definition."""
    mean = abs(sum(differences))
    signs = product((1, -1), repeat=len(differences))
    drawn = [abs(float(np.dot(one, differences))) for one in signs]
    return sum(one >= mean - 1e-12 for one in drawn) / len(drawn)


@pytest.mark.parametrize("seed", range(4))
def test_few_questions_are_tested_with_all_signs(seed: int) -> None:
    random = np.random.default_rng(seed)
    before, after = random.random((2, 9))
    found = paired(list(before), list(after))
    assert found.p == pytest.approx(by_all_signs(list(after - before)))
    assert found.difference == pytest.approx((after - before).mean())


def test_many_questions_are_as_students_test_says() -> None:
    random = np.random.default_rng(7)
    before = random.random(80)
    after = before + random.normal(0.03, 0.1, 80)
    student = stats.ttest_rel(after, before)
    found = paired(list(before), list(after))
    assert found.p == pytest.approx(student.pvalue, abs=0.01)
    assert (found.low, found.high) == pytest.approx(tuple(student.confidence_interval()))
    assert paired(list(before), list(after)) == found, "the same draws each time"


def test_the_order_of_snapshots_turns_the_sign_alone() -> None:
    there, back = paired([0.1, 0.9, 0.3], [0.5, 1.0, 0.2]), paired([0.5, 1.0, 0.2], [0.1, 0.9, 0.3])
    assert there.difference == -back.difference and there.p == back.p
    assert (there.low, there.high) == pytest.approx((-(back.high or 0), -(back.low or 0)))


def test_little_is_said_of_few_questions() -> None:
    assert paired([0.5], [1.0]).p is None and paired([0.5], [1.0]).difference == 0.5
    both = paired([0.0, 0.0], [1.0, 1.0])
    assert (both.difference, both.p) == (1.0, 0.5), "two questions can always be chance"
    same = paired([0.3] * 5, [0.3] * 5)
    assert (same.difference, same.low, same.high, same.p) == (0, 0, 0, 1)


def evaluation(snapshot: str, scores: list[float | None], clauses: str, digest: str = "d") -> Evaluation:
    """Return an evaluation with one question a score, `v` for visual and `d` for dialogue."""
    measured = tuple(
        Measured(
            question=f"q{at}",
            clause="visual" if kind == "v" else "dialogue",
            language=None,
            models=("m" * 32,) if kind == "v" else (),
            answers=(),
            hits=1,
            failed="",
            measures=None if score is None else dict.fromkeys(MEASURES, score),
        )
        for at, (score, kind) in enumerate(zip(scores, clauses, strict=True))
    )
    return Evaluation(snapshot, "golden.toml", digest, 0, {"m" * 32: "demo"}, measured)


def test_groups_are_compared_and_the_questions_that_moved_are_named() -> None:
    before = evaluation("a", [1.0, 0.5, None, 0.2, 0.8], "vvddd")
    after = evaluation("b", [0.5, 1.0, None, 1.0, 0.8], "vvddd")
    found = compare(before, after)
    assert found.snapshot == "a"
    rows = {(one.by, one.value): one for one in found.changes if one.measure == NDCG}
    assert {key: (row.questions, row.before, row.after) for key, row in rows.items()} == {
        ("all", ""): (4, 0.625, 0.825),
        ("clause", "dialogue"): (2, 0.5, 0.9),
        ("clause", "visual"): (2, 0.75, 0.75),
        ("model", "demo mmmmmmmm"): (2, 0.75, 0.75),
        ("model", "none"): (2, 0.5, 0.9),
    }
    assert len(found.changes) == 5 * len(MEASURES)
    assert rows["all", ""].paired.difference == pytest.approx(0.2)
    assert [(one.question, one.before, one.after) for one in found.fell] == [("q0", 1.0, 0.5)]
    assert [one.question for one in found.rose] == ["q3", "q1"]


def test_other_questions_are_not_compared() -> None:
    with pytest.raises(UsageError, match="ask other questions"):
        compare(evaluation("a", [1.0], "v", "one"), evaluation("b", [1.0], "v", "two"))
