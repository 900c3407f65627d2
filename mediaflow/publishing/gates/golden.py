"""The gate `golden`: questions with known answers, by nDCG@10, beside the served snapshot, question by question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediaflow.errors import AlgorithmError, UsageError
from mediaflow.publishing.gates.gate import Found, Trial
from mediaflow.publishing.gates.ndcg import ndcg
from mediaflow.publishing.gates.questions import Question, read

if TYPE_CHECKING:
    from mediaflow.search.gateway import Gateway

DEPTH = 10
_WORST = 3


def judge(trial: Trial) -> Found:
    """Fail where the mean nDCG@10 over all questions is lower than that of the served snapshot by more than the limit.

    Each snapshot answers with its own encoders. A question that one of them cannot answer at all counts 0 there.
    """
    file, limit = trial.limits.golden, trial.limits.golden_drop
    if file is None:
        return Found(None, "No questions with known answers are set: write some, and name the file in 'golden'.")
    try:
        questions = read(file)
    except UsageError as error:
        return Found(False, error.message, None, limit)
    new = [score(trial.gateway(trial.candidate), one) for one in questions]
    mean = sum(new) / len(new)
    if trial.served is None:
        return Found(None, f"nDCG@10 is {mean:.3f} over {len(new)} questions. There is nothing to compare with.", mean)
    old = [score(trial.gateway(trial.served), one) for one in questions]
    drop = sum(old) / len(old) - mean
    said = f"nDCG@10 over {len(new)} questions is {mean:.3f}, and {sum(old) / len(old):.3f} in what is served"
    if drop <= limit:
        return Found(True, f"{said}.", drop, limit)
    falls = sorted(zip(old, new, questions, strict=True), key=lambda one: one[1] - one[0])[:_WORST]
    worst = "; ".join(f"{one.said!r} {before:.2f} -> {after:.2f}" for before, after, one in falls if after < before)
    advice = "Ask them with 'mediaflow search' and see what comes instead; correct golden.toml where it is wrong"
    return Found(False, f"{said}. Worst: {worst}. {advice}.", drop, limit)


def score(gateway: Gateway, question: Question) -> float:
    """Return nDCG@10 of a question with one right answer: only the first hit that is right gains something."""
    try:
        hits = list(gateway.search(question.query))[:DEPTH]
    except (UsageError, AlgorithmError):
        return 0.0
    right = [question.is_answer(hit) for hit in hits]
    first = right.index(True) if True in right else len(right)
    return ndcg([1.0 if at == first else 0.0 for at in range(len(right))], [1.0], DEPTH)
