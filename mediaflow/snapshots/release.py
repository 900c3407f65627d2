"""One entry of the release log: which snapshot is served from its number on, and why."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from typing import Any

PUBLISH, ROLLBACK, RESUME, FENCE = "publish", "rollback", "resume", "fence"


@dataclass(frozen=True)
class Release:
    """A numbered pointer to a snapshot; the highest number is current.

    Attributes
    ----------
    n : int
        Its number.
    snapshot : str
        Id of the snapshot that it makes current.
    epoch : int
        Epoch of the publisher behind it; a rollback and a resume carry on that of the release before.
    kind : str
        `publish`, `rollback` or `resume`; or `fence`, by which the collector keeps whoever looked before it from
        taking the next number: it repeats what was current, and people are not told of it.
    held : bool
        Whether nothing new may be published after it.
    reason : str
        What the person who rolled back said.
    at_ms : int or None
        Wall clock of who wrote it, for people: numbers alone say what came after what. None: not written down.
    """

    n: int
    snapshot: str
    epoch: int
    kind: str = PUBLISH
    held: bool = False
    reason: str = ""
    at_ms: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the body of the entry."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, n: int, body: dict[str, Any]) -> Release:
        """Read an entry; one from before a field was written has that field's default."""
        known = {one.name: body[one.name] for one in dataclasses.fields(cls) if one.name in body}
        if "epoch" not in known:
            known["epoch"] = int(body["snapshot"].partition("-")[0])
        return cls(**{**known, "n": n})

    def holding(self) -> str:
        """Return the sentence on a held release."""
        why = f" ({self.reason})" if self.reason else ""
        return (
            f"Releases are held at number {self.n}, snapshot {self.snapshot}{why}: "
            "nothing new is published until 'mediaflow resume'."
        )


def now_ms() -> int:
    """Return the wall clock, in milliseconds since 1970."""
    return time.time_ns() // 1_000_000
