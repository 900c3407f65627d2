"""What a title is served with: its artifacts by stage, how they are written down, and what tells two such apart."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from mediaflow.planning.revisions import digest

if TYPE_CHECKING:
    import polars as pl

_MOST = 1 << 128


class Served(NamedTuple):
    """One artifact that a snapshot serves: its revision, the attempt that names its files, and its rows by part."""

    revision: str
    attempt: str
    rows: Mapping[str, int]


def written(of: Mapping[str, Served]) -> str:
    """Return a title's artifacts as JSON: stage to `[revision, attempt, rows by part]`, sorted."""
    return json.dumps({name: [one.revision, one.attempt, dict(one.rows)] for name, one in of.items()}, sort_keys=True)


def read(text: str) -> dict[str, Served]:
    """Return what `written` has written."""
    return {stage: Served(*row) for stage, row in json.loads(text).items()}


def revisions(of: Mapping[str, Served]) -> str:
    """Return a title's revisions as JSON, sorted; shots that are served only for what was built on them have no say."""
    return json.dumps({name: one.revision for name, one in of.items() if ":" not in name}, sort_keys=True)


def attempts(of: Mapping[str, Served]) -> str:
    """Return the attempts of a title's artifacts by stage, sorted: no other artifacts have these."""
    return " ".join(f"{name}={of[name].attempt}" for name in sorted(of))


def just_so(served: pl.DataFrame, artifacts: pl.DataFrame, stages: int) -> set[str]:
    """Return the titles that are served with just these artifacts, of all stages.

    Parameters
    ----------
    served : polars.DataFrame
        title_id, title_no, attempts.
    artifacts : polars.DataFrame
        title_no, stage, attempt.
    stages : int
        How many stages there are.
    """
    import polars as pl

    one = pl.concat_str("stage", pl.lit("="), "attempt").alias("attempts")
    of_titles = artifacts.sort("stage").select("title_no", one).group_by("title_no").agg("attempts")
    whole = of_titles.filter(pl.col("attempts").list.len() == stages)
    said = whole.with_columns(pl.col("attempts").list.join(" "))
    return set(served.join(said, on=["title_no", "attempts"], how="semi")["title_id"].to_list())


def weight(titles: Iterable[tuple[str, Mapping[str, Served]]]) -> int:
    """Return the sum of hashes (128 bits) of titles with their revisions, which titles can be taken out of again.

    The sum of hashes as a hash of a set: M. Bellare, D. Micciancio, "A new paradigm for collision-free hashing:
    incrementality at reduced cost", EUROCRYPT 1997 (AdHash); against mistakes, not against people who seek collisions.
    """
    return sum(int(digest([title, revisions(of)]), 16) for title, of in titles) % _MOST


def changed_weight(
    before: str, gone: Iterable[tuple[str, Mapping[str, Served]]], come: Iterable[tuple[str, Mapping[str, Served]]]
) -> str:
    """Return a weight (hex) without some titles and with others."""
    return f"{(int(before or '0', 16) - weight(gone) + weight(come)) % _MOST:032x}"
