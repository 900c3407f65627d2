"""The gate `coverage`: the share of the catalogue's titles that the candidate serves, as a whole and per algorithm."""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from mediaflow.publishing.gates.gate import Found, Titles, Trial, allowed
from mediaflow.snapshots.manifest import Manifest

_WHOLE = "any algorithm"


def judge(trial: Trial) -> Found:
    """Fail where a share is below the least one, or where too many titles lose what they had at once.

    Titles that left the catalogue count on neither side. What a title lost is counted against the served snapshot, so
    that new titles that are still to be computed do not count as a loss.
    """
    titles, limits = trial.titles, trial.limits
    total = len(titles.catalogue)
    if not total:
        return Found(True, "The catalogue is empty, so nothing is missing.", 1.0, limits.coverage_least)
    after = _covered(trial.candidate.manifest, titles, titles.after)
    before = _covered(trial.served.manifest, titles, titles.before) if trial.served else {}
    for name, numbers in before.items():
        lost = numbers - after.get(name, set())
        if name in after and len(lost) > allowed(limits.coverage_drop, len(numbers)):
            said = (
                f"{len(lost)} of {len(numbers)} titles that are served with {_what(name)} would be without it, and are "
                "still in the catalogue. 'mediaflow plan' says why each of them is not there: mend that, and refresh."
            )
            return Found(False, said, len(lost) / len(numbers), limits.coverage_drop)
    name, least = min(((name, len(numbers) / total) for name, numbers in after.items()), key=lambda one: one[1])
    said = f"{least:.1%} of {total} titles have {_what(name)}"
    if least < limits.coverage_least:
        advice = "let the refresh go on until more is computed, or lower the setting gate_coverage_least."
        return Found(
            False, f"{said}, and {limits.coverage_least:.1%} are asked for: {advice}", least, limits.coverage_least
        )
    return Found(True, f"{said}.", least, limits.coverage_least)


def _covered(manifest: Manifest, titles: Titles, there: AbstractSet[str]) -> dict[str, set[int]]:
    """Return by algorithm, and for the snapshot as a whole, the numbers of the catalogue's titles that are served."""
    served = {number for title, number in titles.catalogue.items() if title in there}
    found = {name: served - set(part.pending) for name, part in sorted(manifest.algorithms.items())}
    return {_WHOLE: served, **found}


def _what(name: str) -> str:
    return "rows of anything" if name == _WHOLE else f"rows of {name!r}"
