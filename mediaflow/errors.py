"""Every error that mediaflow raises on purpose: typed, with fields, and a sentence that says what to do."""

from __future__ import annotations

from typing import Any


class MediaflowError(Exception):
    """Base of all errors that are meant to be read by a person.

    Parameters
    ----------
    message : str
        A sentence: what happened, where, and what to do about it.
    **fields : Any
        The facts in that sentence, for programs. Kept in `fields`.
    """

    def __init__(self, message: str, **fields: Any) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.message, self.fields)


def _rebuild(kind: type[MediaflowError], message: str, fields: dict[str, Any]) -> MediaflowError:
    return kind(message, **fields)


class TitleError(MediaflowError):
    """The bytes of one title are bad: that title is quarantined at once, the others go on."""


class AlgorithmError(MediaflowError):
    """An algorithm is broken as a whole: it stops, no title is blamed and nothing else waits for it."""


class SystemFault(MediaflowError):
    """The world around is broken (store away, disk full): the run stops and is tried again, nothing is blamed."""


class UsageError(MediaflowError):
    """What the user asked for cannot be done as asked: an unknown title, a wrong timecode, a missing file."""


class NotFound(MediaflowError):
    """The object store has no object under that key."""
