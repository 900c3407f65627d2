"""The gate `golden`: questions with known answers, by nDCG@10, beside the served snapshot, question by question."""

from __future__ import annotations

from mediaflow.errors import UsageError
from mediaflow.publishing.gates.gate import Found, Trial
from mediaflow.quality.comparison import moved
from mediaflow.quality.evaluation import evaluate
from mediaflow.quality.measures import NDCG
from mediaflow.quality.questions import read

_WORST = 3


def judge(trial: Trial) -> Found:
    """Fail where the mean nDCG@10 over all questions is lower than that of the served snapshot by more than the limit.

    Each snapshot answers with its own encoders. A question that one of them cannot answer at all counts 0 there, and
    one to which nothing is right does not count.
    """
    file, limit = trial.limits.golden, trial.limits.golden_drop
    if file is None:
        return Found(None, "No questions with known answers are set: write some, and name the file in 'golden'.")
    try:
        questions = read(file)
    except UsageError as error:
        return Found(False, error.message, None, limit)
    new = evaluate(trial.gateway(trial.candidate), questions)
    count = len(new.answerable())
    if not count:
        return Found(None, f"{file} has no question to which anything is right, so there is nothing to measure.")
    mean = new.mean(NDCG, new.answerable())
    if trial.served is None:
        return Found(None, f"nDCG@10 is {mean:.3f} over {count} questions. There is nothing to compare with.", mean)
    old = evaluate(trial.gateway(trial.served), questions)
    before = old.mean(NDCG, old.answerable())
    said = f"nDCG@10 over {count} questions is {mean:.3f}, and {before:.3f} in what is served"
    if before - mean <= limit:
        return Found(True, f"{said}.", before - mean, limit)
    falls = moved(old, new)[:_WORST]
    worst = "; ".join(
        f"{one.question!r} {one.before:.2f} -> {one.after:.2f}" for one in falls if one.after < one.before
    )
    advice = "Ask them with 'mediaflow search' and see what comes instead; correct golden.toml where it is wrong"
    return Found(False, f"{said}. Worst: {worst}. {advice}.", before - mean, limit)
