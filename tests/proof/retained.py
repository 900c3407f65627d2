"""Which snapshots there must be, worked out beside mediaflow: by releases, pins and how many are kept."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.proof.model import Snapshot

# How many snapshots the collector keeps beside the current one.
KEEP = 1


@dataclass
class Retained:
    """The snapshots of a library, each with what it serves and a hash of all its rows.

    Attributes
    ----------
    log : list of str
        What was served after each release, rollback and resume.
    there : dict
        The snapshots that must be there, the oldest first.
    gone : list of str
        Those that a collector must have deleted.
    between : set of str
        Those of them that were released on the way to others: what they serve is known only as far as rows go.
    pins : dict
        By id of a person's pin: the snapshot.
    """

    log: list[str] = field(default_factory=list)
    there: dict[str, tuple[Snapshot, str]] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    between: set[str] = field(default_factory=set)
    pins: dict[str, str] = field(default_factory=dict)

    def release(self, snapshot: str, served: Snapshot, fingerprint: str) -> None:
        self.there[snapshot] = served, fingerprint
        self.log.append(snapshot)

    def collect(self) -> list[str]:
        """Forget what nobody needs, and return it: neither current, nor among the last so many served, nor pinned."""
        last = [*dict.fromkeys(reversed(self.log))][: KEEP + 1]
        going = [one for one in self.there if one not in last and one not in self.pins.values()]
        for one in going:
            del self.there[one]
        self.gone += going
        return going
