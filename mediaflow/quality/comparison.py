"""Two evaluations of the same questions, side by side, with a paired test of what differs.

The test is the paired randomization test: were the snapshots the same, each question's difference might as well have
the other sign (R. A. Fisher, "The Design of Experiments", 1935; for rankings M. Smucker, J. Allan and B. Carterette,
"A comparison of statistical significance tests for information retrieval evaluation", CIKM 2007). It supposes nothing
of how differences are distributed, which are mostly 0 with a few large ones. The interval is Student's, of the mean
difference, at 95%, and within what measures can differ by.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mediaflow.errors import UsageError
from mediaflow.quality.evaluation import Evaluation
from mediaflow.quality.measures import MEASURES, NDCG

_LEVEL = 0.95
# All signs are tried where they are no more than this; 2**13 are fewer.
_RESAMPLES = 9_999
_SEED = 5
# So many numbers at once in memory.
_BATCH = 1_000_000


@dataclass(frozen=True)
class Paired:
    """The mean of paired differences, its 95% interval, and the two-sided p of the randomization test.

    The interval and p are None where there are fewer than two pairs.
    """

    difference: float
    low: float | None
    high: float | None
    p: float | None


@dataclass(frozen=True)
class Change:
    """A measure of a group of questions in two snapshots: the means before and after, and what the pairs say."""

    by: str
    value: str
    questions: int
    measure: str
    before: float
    after: float
    paired: Paired


@dataclass(frozen=True)
class Moved:
    """A question by its nDCG@10 in two snapshots."""

    question: str
    before: float
    after: float


@dataclass(frozen=True)
class Comparison:
    """A snapshot beside another one.

    Attributes
    ----------
    snapshot : str
        Id of the one before.
    changes : tuple of Change
        By group of the one after, and measure.
    fell, rose : tuple of Moved
        Questions, those that moved most first.
    """

    snapshot: str
    changes: tuple[Change, ...]
    fell: tuple[Moved, ...]
    rose: tuple[Moved, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return dataclasses.asdict(self)


def compare(before: Evaluation, after: Evaluation) -> Comparison:
    """Compare two snapshots by the same questions.

    Raises
    ------
    UsageError
        The questions are not the same.
    """
    if before.digest != after.digest:
        raise UsageError(
            f"{before.file} and {after.file} ask other questions: evaluate both snapshots with the same file.",
            before=before.digest,
            after=after.digest,
        )
    changes = tuple(
        Change(
            group.by,
            group.value,
            len(group.numbers),
            name,
            before.mean(name, group.numbers),
            group.means[name],
            paired(before.scores(name, group.numbers), after.scores(name, group.numbers)),
        )
        for group in after.groups()
        for name in MEASURES
    )
    fell = moved(before, after)
    rose = sorted(fell, key=_by, reverse=True)
    return Comparison(
        before.snapshot,
        changes,
        tuple(one for one in fell if one.after < one.before),
        tuple(one for one in rose if one.after > one.before),
    )


def moved(before: Evaluation, after: Evaluation) -> list[Moved]:
    """Return nDCG@10 of each question that has right answers in both, those that fell most first."""
    numbers = after.answerable()
    pairs = zip(numbers, before.scores(NDCG, numbers), after.scores(NDCG, numbers), strict=True)
    return sorted((Moved(after.questions[number].question, old, new) for number, old, new in pairs), key=_by)


def paired(before: Sequence[float], after: Sequence[float]) -> Paired:
    """Compare two measures of the same questions, in the same order; at least one.

    With up to 13 questions all signs are tried, so p is exact and no smaller than two of their number; with more, p is
    estimated from 9,999 draws, the same ones each time.
    """
    import numpy as np
    from scipy import stats

    differences = np.asarray(after, np.float64) - np.asarray(before, np.float64)
    count, mean = len(differences), float(differences.mean())
    if count < 2:
        return Paired(mean, None, None, None)
    error = float(stats.sem(differences))
    half = float(stats.t.ppf((1 + _LEVEL) / 2, count - 1)) * error
    tested = stats.permutation_test(
        (differences,),
        lambda drawn, axis: drawn.mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=_RESAMPLES,
        batch=max(1, _BATCH // count),
        rng=np.random.default_rng(_SEED),
    )
    # No difference of two measures is beyond 1, whatever a few questions let one suppose.
    return Paired(mean, max(-1.0, mean - half), min(1.0, mean + half), float(tested.pvalue))


def _by(one: Moved) -> float:
    return one.after - one.before
