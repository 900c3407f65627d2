"""What a scan has to tell people: what it ignored and why, and what is wrong and what to do about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Ignored:
    """`count` files or folders in the folder `path` ("." is the library itself) are ignored for one reason."""

    path: str
    reason: str
    count: int


class Problem(NamedTuple):
    """Something about `path` is wrong; the message says what, and what to do."""

    path: str
    message: str


@dataclass(slots=True)
class Notes:
    """Collects the lines of one scan."""

    _problems: dict[Problem, None] = field(default_factory=dict)
    _ignored: Counter[tuple[str, str]] = field(default_factory=Counter)

    def ignore(self, folder: str, reason: str, count: int = 1) -> None:
        self._ignored[folder or ".", reason] += count

    def problem(self, path: str, message: str) -> None:
        """Add a line; one that is there already (of a series' file, told by each episode) stays one."""
        self._problems[Problem(shown(path) or ".", message)] = None

    @property
    def problems(self) -> list[Problem]:
        return sorted(self._problems)

    @property
    def ignored(self) -> list[Ignored]:
        return [Ignored(shown(path), reason, count) for (path, reason), count in sorted(self._ignored.items())]


def shown(path: str) -> str:
    """Spell a path so that it can be printed: bytes that are not UTF-8 and control characters are escaped."""
    if path.isprintable():
        return path
    text = path.encode("utf-8", "backslashreplace").decode()
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)
