"""Questions with known answers, as they stand in a TOML file: `golden.toml`, say.

A question is what `mediaflow search` takes, by the names of its options, and where its answers are:

    [[question]]
    visual = "a red car at night"
    title = "night-drive-2011"
    time = "00:01:02.500"
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediaflow.errors import UsageError
from mediaflow.search.process.parse import Options, parse_language, parse_query, parse_timecode
from mediaflow.search.query import (
    Clause,
    Dialogue,
    FreeText,
    Query,
    SimilarToPicture,
    SimilarToShot,
    Visual,
    Where,
    leaves,
)

ASKED = ("text", "visual", "dialogue", "image", "shot", "where")
NARROWED = ("language", "kind", "series", "season", "genre", "year", "character", "talent")
ANSWERED = ("title", "time", "grade", "answers", "tolerance")
LIMIT = 20
"""So many hits are asked for: the deepest measure looks at as many."""

_WORDS, _NUMBERS = ("text", "language", "kind"), ("season",)
_SPOKEN = ("text", "dialogue")
_CLAUSES = {FreeText: "text", Visual: "visual", Dialogue: "dialogue", SimilarToPicture: "image", SimilarToShot: "shot"}
_MOST_GRADE = 100
# People note the second that they see.
_TOLERANCE_MS = 1000


@dataclass(frozen=True)
class Answer:
    """A right answer: a title's id, a time in it, and a grade: how much it is worth beside others, 1 or more."""

    title_id: str
    time_ms: int
    grade: int = 1


@dataclass(frozen=True)
class Question:
    """A question in words and as a query, and its right answers.

    Attributes
    ----------
    said : str
        For people to read.
    query : Query
        What is asked.
    answers : tuple of Answer
        Empty: nothing in the library is right.
    language : str, optional
        BCP 47 tag of the language that it is asked in.
    tolerance_ms : int
        How far from an answer's time a hit may be.
    """

    said: str
    query: Query
    answers: tuple[Answer, ...]
    language: str | None = None
    tolerance_ms: int = _TOLERANCE_MS

    @property
    def clause(self) -> str:
        """What it asks by: the names of its clauses, such as `visual`, `dialogue + visual` or `where signs`."""
        return " + ".join(sorted({_named(leaf) for leaf in leaves(self.query.clauses)}))


@dataclass(frozen=True)
class Questions:
    """The questions of a file: its name, a hash of all that it asks, pictures included, and each of them."""

    name: str
    digest: str
    questions: tuple[Question, ...]

    def __iter__(self) -> Iterator[Question]:
        return iter(self.questions)

    def __len__(self) -> int:
        return len(self.questions)


def read(file: Path) -> Questions:
    """Read the questions of a file; paths of pictures are taken from its folder.

    Raises
    ------
    UsageError
        The file cannot be read, or a question is wrong; it says which, and how.
    """
    import tomllib

    try:
        data = file.read_bytes()
        body = tomllib.loads(data.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is no valid TOML: {error}.", file=str(file)) from error
    except OSError as error:
        raise UsageError(
            f"The questions in {file} cannot be read ({error.strerror}): give the path of a file that has some.",
            file=str(file),
        ) from error
    entries = body.get("question")
    if not isinstance(entries, list) or not entries:
        raise UsageError(f"{file} has no questions: each begins with [[question]].", file=str(file))
    if others := sorted(set(body) - {"question", "tolerance"}):
        raise UsageError(
            f"{file} has {others[0]!r} before its questions: there may only be a tolerance.", file=str(file)
        )
    common = {"tolerance": body["tolerance"]} if "tolerance" in body else {}
    found = tuple(_question(file, number, entry, common) for number, entry in enumerate(entries, start=1))
    asked = hashlib.blake2b(data, digest_size=16)
    for question in found:
        for leaf in leaves(question.query.clauses):
            if isinstance(leaf, SimilarToPicture):
                asked.update(leaf.data)
    return Questions(file.name, asked.hexdigest(), found)


def _question(file: Path, number: int, entry: Any, common: Mapping[str, Any]) -> Question:
    where = f"Question {number} in {file}"
    try:
        if not isinstance(entry, Mapping):
            raise UsageError("it begins with [[question]].")
        return _parsed(file.parent, {**common, **entry})
    except UsageError as error:
        raise UsageError(f"{where} is wrong: {error.message}", file=str(file), number=number) from error


def _parsed(folder: Path, entry: Mapping[str, Any]) -> Question:
    if others := sorted(set(entry) - {*ASKED, *NARROWED, *ANSWERED}):
        raise UsageError(f"it has {others[0]!r}, which is none of {', '.join((*ASKED, *NARROWED, *ANSWERED))}.")
    values = {name: _values(name, entry[name]) for name in (*ASKED, *NARROWED) if name in entry}
    if not set(ASKED) & set(values):
        raise UsageError(f"it has title and time, or answers, and one or more of {', '.join(ASKED)}.")
    language = parse_language(values["language"][0]) if "language" in values else None
    answers = _answers(entry)
    tolerance = _text("tolerance", entry["tolerance"]) if "tolerance" in entry else None
    return Question(
        _said(values),
        parse_query(_options(folder, values)),
        answers,
        language,
        _TOLERANCE_MS if tolerance is None else parse_timecode(tolerance),
    )


def _options(folder: Path, values: Mapping[str, list[Any]]) -> Options:
    options = {name: given for name, given in values.items() if name != "language" or _narrows_language(values)}
    said: dict[str, Any] = {name: given[0] if name in _WORDS else given for name, given in options.items()}
    if "image" in said:
        said["image"] = [folder / one for one in said["image"]]
    return Options(**said, limit=LIMIT)


def _narrows_language(values: Mapping[str, list[Any]]) -> bool:
    """Say whether there are cues to narrow; of what is only seen, the language of the words is declared."""
    return bool(set(_SPOKEN) & set(values))


def _answers(entry: Mapping[str, Any]) -> tuple[Answer, ...]:
    if "answers" not in entry:
        return (_answer(entry),)
    if {"title", "time", "grade"} & set(entry):
        raise UsageError("it has answers, so title, time and grade stand in these.")
    found = entry["answers"]
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise UsageError('its answers are a list such as [{ title = "…", time = "…" }]; [] where nothing is right.')
    for one in found:
        if others := sorted(set(one) - {"title", "time", "grade"}):
            raise UsageError(f"one of its answers has {others[0]!r}: there are title, time and grade.")
    return tuple(_answer(one) for one in found)


def _answer(entry: Mapping[str, Any]) -> Answer:
    if not {"title", "time"} <= set(entry):
        raise UsageError(f"it has title and time, or answers, and one or more of {', '.join(ASKED)}.")
    grade = entry.get("grade", 1)
    if not isinstance(grade, int) or isinstance(grade, bool) or not 1 <= grade <= _MOST_GRADE:
        raise UsageError(f"a grade is a whole number from 1 to {_MOST_GRADE}, not {grade!r}.")
    return Answer(_text("title", entry["title"]), parse_timecode(_text("time", entry["time"])), grade)


def _values(name: str, given: Any) -> list[Any]:
    """Return the value or values of an option of the search."""
    if name in _WORDS:
        return [_text(name, given)]
    found = given if isinstance(given, list) else [given]
    if name in _NUMBERS:
        if not found or not all(isinstance(one, int) and not isinstance(one, bool) for one in found):
            raise UsageError(f"its {name} is a whole number, or a list of some.")
        return found
    if not found:
        raise UsageError(f"its {name} is empty.")
    return [_text(name, one) for one in found]


def _text(name: str, given: Any) -> str:
    if not isinstance(given, str):
        raise UsageError(f"its values are texts in quotes, and {name} is {given}.")
    return given


def _said(values: Mapping[str, list[Any]]) -> str:
    words = " ".join(str(one) for name in ASKED for one in values.get(name, ()))
    narrowing = [name for name in NARROWED if name != "language" or _narrows_language(values)]
    narrowed = [f"{name} {one}" for name in narrowing for one in values.get(name, ())]
    return f"{words} ({', '.join(narrowed)})" if narrowed else words


def _named(leaf: Clause) -> str:
    if isinstance(leaf, Where):
        return f"where {leaf.algorithm}"
    return _CLAUSES.get(type(leaf), type(leaf).__name__.lower())
