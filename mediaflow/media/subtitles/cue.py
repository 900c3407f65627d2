"""The plain cue that every format's reader gives, and the reader's whole answer."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Cue:
    """One line of text with time. `language` and `forced` stay None where only the whole track knows them."""

    start_ms: int
    end_ms: int
    text: str
    speaker: str | None = None
    language: str | None = None
    kind: str | None = None
    forced: bool | None = None


@dataclass
class Parsed:
    """What a reader found: cues in the file's order, how many were broken, and what the file says of itself.

    `kind` may also be "metadata": a track for programs, which is no text to be read.
    """

    cues: list[Cue] = field(default_factory=list)
    broken: int = 0
    language: str | None = None
    kind: str | None = None
