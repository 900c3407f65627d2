"""The gate `titles`: how many titles of the served snapshot the candidate has lost."""

from __future__ import annotations

from mediaflow.publishing.gates.gate import Found, Trial, allowed, named, nothing_served


def judge(trial: Trial) -> Found:
    """Fail where more than the limit's share of the served titles would be gone at once, or all of them."""
    if trial.served is None:
        return nothing_served(trial)
    titles, limit = trial.titles, trial.limits.titles_lost
    lost = sorted(titles.before - titles.after)
    before = len(titles.before)
    value = len(lost) / before if before else 0.0
    if not lost:
        return Found(True, f"All {before} titles that are served are in it.", value, limit)
    still = [title for title in lost if title in titles.catalogue]
    said = f"{len(lost)} of {before} titles that are served are not in it"
    if len(lost) <= allowed(limit, before) and len(lost) < max(before, 2):
        # The names of titles that have left the library stand in no manifest: they may be erased.
        return Found(True, f"{said} ({named(still)})." if still else f"{said}.", value, limit)
    said += f" ({named(lost)})"
    where = (
        f"{len(still)} of them are still in the catalogue: 'mediaflow plan' says what is wrong with those"
        if still
        else "all of them have left the catalogue: see that the library folder is whole"
    )
    return Found(False, f"{said}; {where}, and refresh.", value, limit)
