"""What a file of questions measures of one snapshot: question by question, and the means over groups of them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mediaflow.quality.asking import Came, ask
from mediaflow.quality.measures import MEASURES, Ranking, measure
from mediaflow.quality.questions import Question, Questions
from mediaflow.snapshots.release import now_ms

if TYPE_CHECKING:
    from mediaflow.search.gateway import Gateway

ALL, CLAUSE, LANGUAGE, MODEL = "all", "clause", "language", "model"
NONE = "none"
"""The value of the group of what has no language, or no model."""


@dataclass(frozen=True)
class Expected:
    """A right answer, and the rank at which it came: 1 is the first, None where it did not come."""

    title_id: str
    time_ms: int
    grade: int
    rank: int | None


@dataclass(frozen=True)
class Measured:
    """What came of one question.

    Attributes
    ----------
    question, clause : str
        In words, and what it asks by.
    language : str or None
        The language in which it is asked, where it says so.
    models : tuple of str
        Identities of the models behind its hits, sorted.
    answers : tuple of Expected
        Its right answers; none where nothing is right.
    hits : int
        How many hits came, of those that were asked for.
    failed : str
        Why the snapshot cannot answer it; its measures are 0 then. Empty where it can.
    measures : dict of str to float, or None
        `MEASURES`; None where nothing is right, as there is nothing to rank.
    """

    question: str
    clause: str
    language: str | None
    models: tuple[str, ...]
    answers: tuple[Expected, ...]
    hits: int
    failed: str
    measures: dict[str, float] | None


@dataclass(frozen=True)
class Group:
    """Questions that have right answers and something in common, by their numbers, and the means of their measures.

    `by` is `all`, `clause`, `language` or `model`, and `value` which; of a model its name and the beginning of its
    identity. Empty for `all`.
    """

    by: str
    value: str
    numbers: tuple[int, ...]
    means: dict[str, float]


@dataclass(frozen=True)
class Evaluation:
    """What a file of questions measures of one snapshot.

    Attributes
    ----------
    snapshot : str
        Its id.
    file, digest : str
        Name of the file, and a hash of all that it asks.
    at_ms : int
        When that was, by this machine's clock.
    models : dict of str to str
        The snapshot's models: identity to name.
    questions : tuple of Measured
        In the order of the file.
    unknown : tuple of str
        Titles that answers name and that the snapshot has not, sorted.
    """

    snapshot: str
    file: str
    digest: str
    at_ms: int
    models: dict[str, str]
    questions: tuple[Measured, ...]
    unknown: tuple[str, ...] = ()

    def scores(self, name: str, numbers: Sequence[int]) -> list[float]:
        """Return a measure of some of the questions, which have right answers."""
        return [(self.questions[number].measures or {})[name] for number in numbers]

    def mean(self, name: str, numbers: Sequence[int]) -> float:
        """Return the mean of a measure over some of the questions; at least one."""
        return math.fsum(self.scores(name, numbers)) / len(numbers)

    def answerable(self) -> tuple[int, ...]:
        """Return the numbers of the questions that have right answers."""
        return tuple(number for number, one in enumerate(self.questions) if one.measures is not None)

    def quiet(self) -> tuple[int, int]:
        """Return of how many of the questions to which nothing is right nothing came, and how many these are."""
        without = [one for one in self.questions if one.measures is None]
        return sum(not one.hits and not one.failed for one in without), len(without)

    def groups(self) -> list[Group]:
        """Return all questions that have right answers, and these by clause, by language and by model.

        Language and model are left out where no question has one.
        """
        numbers = self.answerable()
        if not numbers:
            return []
        ways: dict[str, Callable[[Measured], str]] = {
            CLAUSE: lambda one: one.clause,
            LANGUAGE: lambda one: one.language or NONE,
            MODEL: lambda one: ", ".join(map(self._model, one.models)) or NONE,
        }
        found = [self._group(ALL, "", numbers)]
        for by, value in ways.items():
            parts: dict[str, list[int]] = {}
            for number in numbers:
                parts.setdefault(value(self.questions[number]), []).append(number)
            if set(parts) != {NONE}:
                found += [self._group(by, one, tuple(of)) for one, of in sorted(parts.items())]
        return found

    def _group(self, by: str, value: str, numbers: tuple[int, ...]) -> Group:
        means = {name: self.mean(name, numbers) for name in MEASURES}
        return Group(by, value, numbers, means)

    def _model(self, identity: str) -> str:
        return f"{self.models.get(identity) or MODEL} {identity[:8]}"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Evaluation:
        """Read one from JSON values."""
        questions = tuple(
            Measured(
                **{
                    **one,
                    "models": tuple(one["models"]),
                    "answers": tuple(Expected(**answer) for answer in one["answers"]),
                }
            )
            for one in body["questions"]
        )
        return cls(**{**body, "questions": questions, "unknown": tuple(body["unknown"])})


def evaluate(gateway: Gateway, questions: Questions) -> Evaluation:
    """Put all questions to a snapshot and measure what comes.

    A question that the snapshot cannot answer, as it has nothing of the algorithm, say, has 0 in every measure.
    """
    came = [ask(gateway, question) for question in questions]
    both = list(zip(questions, came, strict=True))
    rankings = [_ranking(question, one) for question, one in both if question.answers]
    measures = iter(measure(rankings))
    manifest = gateway.reader.manifest
    found = tuple(_measured(question, one, next(measures) if question.answers else None) for question, one in both)
    named = {answer.title_id for question in questions for answer in question.answers}
    return Evaluation(
        manifest.id,
        questions.name,
        questions.digest,
        now_ms(),
        dict(manifest.encoders),
        found,
        tuple(sorted(named - set(gateway.catalogue.titles["title_id"]))),
    )


def _ranking(question: Question, came: Came) -> Ranking:
    return Ranking(tuple(answer.grade for answer in question.answers), came.taken)


def _measured(question: Question, came: Came, measures: dict[str, float] | None) -> Measured:
    ranks = {number: rank for rank, number in enumerate(came.taken, start=1) if number is not None}
    return Measured(
        question.said,
        question.clause,
        question.language,
        tuple(sorted({source.model for hit in came.hits for source in hit.sources if source.model})),
        tuple(
            Expected(answer.title_id, answer.time_ms, answer.grade, ranks.get(number))
            for number, answer in enumerate(question.answers)
        ),
        len(came.hits),
        came.failed,
        measures,
    )
