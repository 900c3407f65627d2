"""The gate `rows`: titles whose rows in a table are gone or several times as many or few, beside the last snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mediaflow.publishing.gates.gate import Found, Trial, allowed, named, nothing_served
from mediaflow.search.literals import among
from mediaflow.snapshots.manifest import Manifest

if TYPE_CHECKING:
    import lance

_SAMPLE = 200
# Of titles that did not change, whose rows may not be others than before.
_OTHERS = 50
_TIMES = 5


@dataclass(frozen=True)
class _Compared:
    """A table in both snapshots: which of a sample of titles lost rows, and for how many titles the sample stands.

    `unexplained` are titles whose rows are others under the revision that they had.
    """

    kind: str
    fallen: list[int]
    unexplained: list[int]
    sampled: int
    population: int

    @property
    def titles(self) -> float:
        """How many titles of the snapshot lost rows: counted, or estimated from the sample."""
        return len(self.fallen) * self.population / self.sampled if self.sampled else 0.0


def judge(trial: Trial) -> Found:
    """Fail where rows changed under the same revision, or a table's rows fell apart in too many titles.

    A title counts when its rows fell to nothing, or to a fifth, or became five times as many. Of a table that goes on
    only titles that changed can count, of a new generation any; never more than a sample is looked at.
    """
    if trial.served is None:
        return nothing_served(trial)
    kept, limit = trial.titles.kept, trial.limits.rows_lost
    if not kept:
        return Found(True, "No title is in both snapshots.", 0.0, limit)
    worst = 0.0
    for one in _tables(trial, kept):
        if one.unexplained:
            said = (
                f"{_names(trial, one.unexplained)}: the rows in {one.kind!r} are others than were served, and nothing "
                f"they are made of has changed. Give {one.kind!r} a new version if its code is another one."
            )
            return Found(False, said, len(one.unexplained) / len(kept), limit)
        worst = max(worst, one.titles / len(kept))
        if one.titles > allowed(limit, len(kept)):
            said = (
                f"About {one.titles:.0f} of {len(kept)} titles have lost their rows in {one.kind!r}, or have "
                f"{_TIMES} times as many or few as are served (e.g. {_names(trial, one.fallen)}). Look at one of them "
                "with 'mediaflow show', and mend the algorithm or its parameters."
            )
            return Found(False, said, one.titles / len(kept), limit)
    return Found(True, f"The rows of {len(kept)} titles are about as many as are served.", worst, limit)


def _tables(trial: Trial, kept: list[int]) -> Iterator[_Compared]:
    assert trial.served is not None
    before, after = _kinds(trial.served.manifest), _kinds(trial.candidate.manifest)
    changed = sorted(trial.titles.catalogue[title] for title in trial.titles.changed)
    for kind in sorted(before.keys() & after.keys()):
        if before[kind] == after[kind] and trial.same_table(after[kind]):
            continue
        population = changed if before[kind] == after[kind] else kept
        random = trial.random(f"rows {kind}")
        sample = set(random.permutation(population)[:_SAMPLE].tolist())
        looked = sorted(sample.union(random.permutation(kept)[:_OTHERS].tolist()))
        old, new = (
            _counts(table, looked) for table in (trial.served.table(before[kind]), trial.candidate.table(after[kind]))
        )
        known = _pending(trial, kind)
        fallen = [no for no in looked if no in sample - known and _apart(old.get(no), new.get(no))]
        same = [no for no in looked if no in old and no in new and old[no][0] == new[no][0]]
        yield _Compared(kind, fallen, [no for no in same if old[no] != new[no]], len(sample), len(population))


def _kinds(manifest: Manifest) -> dict[str, str]:
    """Return the tables of titles' rows, by what they are."""
    found = {name: part.table for name, part in manifest.algorithms.items()}
    tables = {"shots": manifest.shots, "thumbnails": manifest.thumbnails}
    return found | {name: table for name, table in tables.items() if table in manifest.tables and table is not None}


def _pending(trial: Trial, kind: str) -> set[int]:
    """Return the titles that are known to be without rows, in one snapshot or the other: `coverage` counts those."""
    assert trial.served is not None
    parts = [reader.manifest.algorithms.get(kind) for reader in (trial.served, trial.candidate)]
    return {number for part in parts if part for number in part.pending}


def _counts(table: lance.LanceDataset, titles: list[int]) -> dict[int, tuple[str, int]]:
    """Return by title the revision of its rows and how many there are."""
    import polars as pl

    found = pl.from_arrow(table.to_table(columns=["title_no", "revision"], filter=among("title_no", titles)))
    assert isinstance(found, pl.DataFrame)
    counted = found.group_by("title_no").agg(pl.col("revision").min(), pl.len().alias("rows"))
    return {number: (revision, rows) for number, revision, rows in counted.iter_rows()}


def _apart(before: tuple[str, int] | None, after: tuple[str, int] | None) -> bool:
    if before is None:
        return False
    if after is None:
        return True
    return after[1] * _TIMES <= before[1] or after[1] >= before[1] * _TIMES


def _names(trial: Trial, numbers: list[int]) -> str:
    ids = {number: title for title, number in trial.titles.catalogue.items()}
    return named([ids[number] for number in numbers])
