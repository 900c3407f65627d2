"""What Dagster says at one time, beside what is true then, and words to say what is expected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tests.deployment.dev import BACKFILL, Dev, Event, Run, Verdict
from tests.deployment.place import Place

ALPHA, BRAVO, CHARLIE, DELTA, ECHO, FOXTROT, GOLF, HOTEL = (
    f"{name}-2001" for name in ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel")
)
FIRST = (ALPHA, BRAVO, CHARLIE, DELTA, ECHO, FOXTROT, GOLF)
ROOTS = ["media", "subtitles", "catalogue"]
# `visual` has no weights here: it is stopped, and nothing else minds.
STAGES = [*ROOTS, "frames", "dialogue", "brightness"]


@dataclass(frozen=True)
class Picture:
    """What Dagster said at one time, and what was true then.

    `facts` are the ledger's, in the order of writing; `skipped` says by sensor why it asked for
    nothing, `release` which snapshot was served.
    """

    runs: list[Run]
    events: list[Event]
    verdicts: list[Verdict]
    statuses: dict[tuple[str, str], str]
    staleness: dict[tuple[str, str], str]
    revisions: dict[tuple[str, str], str]
    facts: list[tuple[str, str, str]]
    skipped: dict[str, str]
    release: str

    def run_ids(self, chosen: Callable[[Run], bool] = lambda run: True) -> set[str]:
        return {run.id for run in self.runs if chosen(run)}

    def runs_of(self, backfill: str) -> set[str]:
        return self.run_ids(lambda run: run.tags.get(BACKFILL) == backfill)

    def runs_of_sensors_since(self, earlier: Picture) -> set[str]:
        return self.run_ids(lambda run: BACKFILL not in run.tags) - earlier.run_ids()

    def made(self, runs: set[str]) -> Counter[tuple[str, str | None]]:
        """How many events each (asset, title) has from these runs; those of snapshot, release and models aside."""
        return Counter((e.asset, e.partition) for e in self.events if e.run in runs and e.asset in (*STAGES, "visual"))

    def newest(self) -> dict[tuple[str, str], str]:
        """The data version of the newest event by (asset, title)."""
        found: dict[tuple[str, str], str] = {}
        for event in self.events:
            if event.partition:
                found.setdefault((event.asset, event.partition), event.version)
        return found

    def failed(self) -> set[tuple[str, str]]:
        return {what for what, status in self.statuses.items() if status == "failed"}

    def reasons(self, runs: set[str]) -> dict[tuple[str, str | None], str]:
        """The reason by (asset, title) of each check that failed in these runs."""
        return {(v.asset, v.partition): v.reason for v in self.verdicts if v.run in runs and not v.passed}

    def facts_since(self, earlier: Picture) -> list[tuple[str, str, str]]:
        """The (stage, title, state) of what the ledger learned since an earlier picture."""
        assert self.facts[: len(earlier.facts)] == earlier.facts
        return self.facts[len(earlier.facts) :]


def take(dev: Dev, place: Place) -> Picture:
    """Take a picture."""
    asked = dev.runs(), dev.events(), dev.verdicts(STAGES), dev.statuses(), dev.staleness()
    return Picture(*asked, place.revisions(), place.all_facts(), dev.skip_reasons(), place.view.current().id)


def once(stages: list[str], *titles: str) -> Counter[tuple[str, str | None]]:
    """Say that each of these stages of each of these titles has one event."""
    return Counter((stage, title) for stage in stages for title in titles)
