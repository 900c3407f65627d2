"""Answers that moved: the same questions put to two snapshots, each with its own encoders, and what came first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mediaflow.algorithms.shapes import VECTOR_SHAPES
from mediaflow.errors import AlgorithmError, UsageError
from mediaflow.publishing.gates.probes import Probe, draw
from mediaflow.quality.questions import Question
from mediaflow.search.query import Clause, Dialogue, Query, SimilarToShot, Where

if TYPE_CHECKING:
    from mediaflow.search.gateway import Gateway

_SHOWN = 3
_DRAWN = 12
_SEED = 21
_VISUAL, _DIALOGUE = "visual", "dialogue"


@dataclass(frozen=True)
class _Asked:
    said: str
    query: Query


def moved(before: Gateway, after: Gateway, golden: Iterable[Question]) -> dict[str, Any]:
    """Compare the first answers of two snapshots.

    Parameters
    ----------
    before, after : Gateway
        The snapshots.
    golden : iterable of Question
        Questions that people wrote; beside them some are drawn from the rows of `before`, the same at any time. A
        shot is asked for by its place: each snapshot looks for what is like its own vector of it.

    Returns
    -------
    dict
        `asked` (how many questions), `moved` (those whose first answers are others: `question` in words, `before` and
        `after`, each up to three of `title_id`, `title`, `start_ms`; none where a snapshot cannot answer).
    """
    asked = [*(_Asked(one.said, one.query) for one in golden), *_drawn(before, after)]
    found = [(one.said, _first(before, one.query), _first(after, one.query)) for one in asked]
    changed = [{"question": said, "before": old, "after": new} for said, old, new in found if old != new]
    return {"asked": len(asked), "moved": changed}


def _first(gateway: Gateway, query: Query) -> list[dict[str, Any]]:
    try:
        hits = list(gateway.search(query))[:_SHOWN]
    except (UsageError, AlgorithmError):
        return []
    return [{"title_id": hit.title_id, "title": hit.title, "start_ms": hit.start_ms} for hit in hits]


def _drawn(before: Gateway, after: Gateway) -> Iterator[_Asked]:
    import numpy as np

    ids = dict(before.catalogue.titles.select("title_no", "title_id").iter_rows())
    kept = [number for number, title in ids.items() if title in set(after.catalogue.titles["title_id"])]
    parts = before.reader.manifest.algorithms
    for name in sorted(parts.keys() & after.reader.manifest.algorithms.keys()):
        table = before.reader.table(parts[name].table)
        for probe in draw(table, parts[name], kept, np.random.default_rng(_SEED), _DRAWN):
            asked = _asked(name, probe, ids[probe.title_no])
            if asked is not None:
                yield asked


def _asked(algorithm: str, probe: Probe, title: str) -> _Asked | None:
    """Return a question that any snapshot can be asked, None where there is no such question."""
    clause: Clause
    if probe.shape not in VECTOR_SHAPES:
        clause = Dialogue(probe.asked) if algorithm == _DIALOGUE else Where(algorithm, probe.asked)
        return _Asked(f"{algorithm}: {probe.asked}", Query((clause,), limit=_SHOWN))
    if algorithm != _VISUAL:
        return None
    clause = SimilarToShot(title, probe.time_ms)
    return _Asked(f"{algorithm}: like {title} at {probe.time_ms / 1000:.1f} s", Query((clause,), limit=_SHOWN))
