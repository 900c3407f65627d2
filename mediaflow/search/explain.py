"""How a question was executed: what each table was asked, in which way, and what that found and cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from mediaflow.search.query import Clause, leaves

if TYPE_CHECKING:
    from mediaflow.search.post.evaluation import Answered
    from mediaflow.search.route.asked import Tables


@dataclass(frozen=True)
class Step:
    """One look at one table.

    Attributes
    ----------
    clause : int
        Which clause it was for: its place among those that are no combination, from 0.
    asked : str
        The clause.
    algorithm : str
        Whose rows.
    how : str
        `exact` (vectors compared one by one), `index` (by the vector index), `words` (by the text index),
        `condition`, or `outside` (by an index outside of the store).
    may_answer : int
        Rows that the filters and conditions leave.
    found : int
        Rows that were found.
    cut : bool
        Whether there are more, of which only the best were taken.
    least : float or None
        The cut-off above which everything was asked for.
    by_chance : float or None
        How many rows an unrelated query is expected to find above the cut-off.
    cpu_ms : float
        CPU time of the process meanwhile.
    """

    clause: int
    asked: str
    algorithm: str
    how: str
    may_answer: int
    found: int
    cut: bool
    least: float | None
    by_chance: float | None
    cpu_ms: float

    def as_json(self) -> dict[str, Any]:
        """Return the step as a JSON object."""
        return asdict(self)


def explain(
    answers: Iterable[Answered], clauses: Sequence[Clause], tables: Tables, false_positives: float
) -> list[Step]:
    """Return the steps of a question, in the order in which they were taken.

    Parameters
    ----------
    answers : iterable of Answered
        What was answered.
    clauses : sequence of Clause
        The question.
    tables : callable
        Opens the table of an algorithm.
    false_positives : float
        The share of rows that the cut-offs let through by chance.
    """
    places = {leaf: at for at, leaf in enumerate(leaves(clauses))}
    steps = []
    for one in answers:
        asked, found = one.asked, len(one.matches)
        may_answer = asked.may_answer(tables, one.titles)
        steps.append(
            Step(
                clause=places[one.leaf],
                asked=repr(one.leaf),
                algorithm=asked.algorithm,
                how=asked.how(tables, one.titles, found),
                may_answer=may_answer,
                found=found,
                cut=one.cut,
                least=asked.least,
                by_chance=None if asked.least is None else may_answer * false_positives,
                cpu_ms=round(one.cpu_ms, 3),
            )
        )
    return steps
