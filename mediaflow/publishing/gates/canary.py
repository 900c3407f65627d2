"""The gate `canary`: the share of sampled questions whose ten best rows moved though nothing was declared to change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mediaflow.publishing.gates.gate import Found, Trial, nothing_served
from mediaflow.publishing.gates.probes import Probe, draw
from mediaflow.search.literals import among
from mediaflow.search.searchers.matches import read_rows

if TYPE_CHECKING:
    import lance
    import polars as pl

DEPTH = 10
# A row counts as lost where it is not even among so many: rows of equal scores come in any order.
_DEEP = 50
_QUESTIONS = 8
_TITLES = 32


def judge(trial: Trial) -> Found:
    """Fail where more than the limit's share of the questions moved.

    Asked are the algorithms that are served in the generation that was served before (code, parameters, model and
    shots are the same), with vectors, words and labels drawn from the served rows, among titles whose revision is the
    same in both: what those answer may not depend on anything that was published beside them.
    """
    if trial.served is None:
        return nothing_served(trial)
    limit = trial.limits.canary_moved
    before, after = trial.served.manifest.algorithms, trial.candidate.manifest.algorithms
    asked = 0
    moved: list[str] = []
    for name in sorted(before.keys() & after.keys()):
        if before[name].generation != after[name].generation:
            continue
        if trial.same_table(after[name].table):
            continue
        questions, changed = _ask(trial, name)
        asked += questions
        moved += [f"{name} ({probe})" for probe in changed]
    if not asked:
        return Found(True, "Nothing that is served in the same generation as before has other tables.", 0.0, limit)
    value = len(moved) / asked
    said = f"{len(moved)} of {asked} questions drawn from what is served have other answers in titles that are the same"
    if value > limit:
        advice = (
            "and no change of code, parameters or model was declared. If the algorithm's code was changed, give it a "
            "new version; if not, its table or index is damaged: remove the table's folder to build it anew"
        )
        return Found(False, f"{said}, e.g. {moved[0]}, {advice}.", value, limit)
    return Found(True, f"{said}.", value, limit)


def _ask(trial: Trial, name: str) -> tuple[int, list[str]]:
    """Return how many questions were put to an algorithm, and those that moved, in words."""
    assert trial.served is not None
    part = trial.served.manifest.algorithms[name]
    old, new = trial.served.table(part.table), trial.candidate.table(trial.candidate.manifest.algorithms[name].table)
    random = trial.random(f"canary {name}")
    sample = sorted(random.permutation(trial.titles.kept)[:_TITLES].tolist())
    same = sorted(_revisions(old, sample) & _revisions(new, sample))
    titles = [number for number, _ in same]
    probes = draw(old, part, titles, random, _QUESTIONS)
    condition = among("title_no", titles)
    return len(probes), [_words(trial, probe) for probe in probes if _moved(probe, old, new, condition)]


def _revisions(table: lance.LanceDataset, titles: list[int]) -> set[tuple[int, str]]:
    import polars as pl

    found = pl.from_arrow(table.to_table(columns=["title_no", "revision"], filter=among("title_no", titles)))
    assert isinstance(found, pl.DataFrame)
    return set(found.unique().iter_rows())


def _moved(probe: Probe, before: lance.LanceDataset, after: lance.LanceDataset, condition: str) -> bool:
    old, new = (probe.searcher().search(table, condition, _DEEP) for table in (before, after))
    if len(old) == _DEEP and old["score"][DEPTH - 1] == old["score"][-1]:
        # So many rows are equally good that which of them come first is chance.
        return False
    was, now = _told(before, old), _told(after, new)
    return not (set(was[:DEPTH]) <= set(now) and set(now[:DEPTH]) <= set(was))


def _told(table: lance.LanceDataset, found: pl.DataFrame) -> list[tuple[int, int, int, str | None]]:
    rows = read_rows(table, found).select("row", "text")
    both = found.join(rows, on="row", how="left", maintain_order="left")
    return list(both.select("title_no", "start_ms", "end_ms", "text").iter_rows())


def _words(trial: Trial, probe: Probe) -> str:
    from mediaflow.publishing.gates.gate import title_of

    what = f"like {title_of(trial, probe.title_no)} at {probe.time_ms / 1000:.1f} s"
    return repr(probe.asked) if isinstance(probe.asked, str) else what
