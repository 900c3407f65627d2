"""Puts a question to a snapshot: what came, and which of its right answers each hit is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mediaflow.errors import AlgorithmError, UsageError
from mediaflow.quality.questions import LIMIT, Answer, Question
from mediaflow.search.results import Hit

if TYPE_CHECKING:
    from mediaflow.search.gateway import Gateway


@dataclass(frozen=True)
class Came:
    """What came for a question.

    Attributes
    ----------
    hits : tuple of Hit
        Best first.
    taken : tuple of (int or None)
        By hit: the number of the answer that it is, each at most once; None where it is none.
    failed : str
        Why the snapshot cannot answer it at all; empty where it can.
    """

    hits: tuple[Hit, ...] = ()
    taken: tuple[int | None, ...] = ()
    failed: str = ""


def ask(gateway: Gateway, question: Question) -> Came:
    """Ask a snapshot, with its own encoders."""
    try:
        hits = gateway.search(question.query).hits[:LIMIT]
    except (UsageError, AlgorithmError) as error:
        return Came(failed=error.message)
    return Came(hits, tuple(taken(question, hits)))


def taken(question: Question, hits: Sequence[Hit]) -> list[int | None]:
    """Return by hit the number of the answer that it is, None where it is none.

    A hit is an answer where it is of that title and not further from its time than the tolerance. Each answer is taken
    by the first hit that is right: what comes again gains nothing. Of several answers that a hit fits, it is the one
    of the best grade; of equals, the nearest.
    """
    left = dict(enumerate(question.answers))
    found: list[int | None] = []
    for hit in hits:
        fitting = [number for number, answer in left.items() if _off_ms(hit, answer) <= question.tolerance_ms]
        best = min(fitting, key=lambda number: (-left[number].grade, _off_ms(hit, left[number]), number), default=None)
        if best is not None:
            del left[best]
        found.append(best)
    return found


def _off_ms(hit: Hit, answer: Answer) -> float:
    """Return how far an answer's time is from a hit's range: 0 within it, infinitely far in another title."""
    if hit.title_id != answer.title_id:
        return float("inf")
    # A range ends before its end: a time that is just there is one millisecond off.
    return max(0, hit.start_ms - answer.time_ms, answer.time_ms - hit.end_ms + 1)
