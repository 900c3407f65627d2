"""`golden.toml`: questions with the title and time of their right answer.

A question is what `mediaflow search` takes (text, visual, dialogue), and one answer:

    [[question]]
    visual = "a red car at night"
    title = "night-drive-2011"
    time = "00:01:02.500"
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediaflow.errors import UsageError
from mediaflow.search.parse import Options, parse_query, parse_timecode
from mediaflow.search.query import Query
from mediaflow.search.results import Hit

_ASKED = ("text", "visual", "dialogue")
_ANSWER = ("title", "time")
_LIMIT = 10
# People note the second that they see.
_SLACK_MS = 1000


@dataclass(frozen=True)
class Question:
    """A question in words and as a query, and where its answer is: a title's id, and a time in it."""

    said: str
    query: Query
    title_id: str
    time_ms: int

    def is_answer(self, hit: Hit) -> bool:
        """Say whether a hit is the answer: of that title, and not more than a second off."""
        near = hit.start_ms - _SLACK_MS <= self.time_ms < hit.end_ms + _SLACK_MS
        return hit.title_id == self.title_id and near


def read(file: Path) -> list[Question]:
    """Read the questions; `UsageError` says which of them is wrong, and how."""
    import tomllib

    try:
        body = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} is no valid TOML: {error}.", file=str(file)) from error
    except OSError as error:
        raise UsageError(
            f"{file}, which the setting 'golden' names, cannot be read ({error.strerror}).", file=str(file)
        ) from error
    entries = body.get("question")
    if set(body) != {"question"} or not isinstance(entries, list) or not entries:
        raise UsageError(f"{file} has no questions: each begins with [[question]].", file=str(file))
    return [_question(file, number, entry) for number, entry in enumerate(entries, start=1)]


def _question(file: Path, number: int, entry: Any) -> Question:
    where = f"Question {number} in {file}"
    if not isinstance(entry, Mapping) or not all(isinstance(value, str) for value in entry.values()):
        raise UsageError(f"{where} is wrong: its values are texts in quotes.", file=str(file), number=number)
    if not set(_ANSWER) <= set(entry) or not set(_ASKED) & set(entry) or set(entry) - {*_ASKED, *_ANSWER}:
        raise UsageError(
            f"{where} is wrong: it has title and time, and one or more of text, visual and dialogue.",
            file=str(file),
            number=number,
        )
    asked = {name: entry[name] for name in _ASKED if name in entry}
    options = Options(
        text=asked.get("text"),
        visual=[asked["visual"]] if "visual" in asked else (),
        dialogue=[asked["dialogue"]] if "dialogue" in asked else (),
        limit=_LIMIT,
    )
    try:
        return Question(" ".join(asked.values()), parse_query(options), entry["title"], parse_timecode(entry["time"]))
    except UsageError as error:
        raise UsageError(f"{where} is wrong: {error.message}", file=str(file), number=number) from error
