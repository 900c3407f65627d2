"""Readers that query without pause while titles change, models switch and releases are rolled back: no mixed answer.

Each answer carries its snapshot, generations and models, the state of every title as three tables say it, and a check
by which vectors of one model and a query of another would show. It has to be, word for word, what was released under
that snapshot's id.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mediaflow.library import Library
from tests.conftest import ROOT
from tests.deployment.waiting import wait_until
from tests.proof import shelf
from tests.proof.rows import fingerprint
from tests.proof.shelf import Shelf
from tests.publishing.collector.keeping import collect

SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"
READS, RELEASES = (100_000, 200) if SOAK else (10_000, 20)
HOW = ("engine", "pinned")
# How many snapshots the collector keeps beside the current one; and how many of those that are there are pinned.
KEEP, PINNED = 4, 2
_AN_HOUR_MS = 3_600_000
LOOSE_READS = READS // 20
LIMIT_S = 6000 if SOAK else 500
FILMS = ("alps", "bees", "cats", "dogs", "eels", "foxes")


@dataclass
class Reader:
    """A process that reads."""

    process: subprocess.Popen[str]
    report: Path
    how: str

    @classmethod
    def start(cls, home: Path, report: Path, how: str, *most: str) -> Reader:
        command = [sys.executable, "-m", "tests.proof.reading", str(home), how, str(report), *most]
        env = {name: value for name, value in os.environ.items() if not name.startswith("MEDIAFLOW_")}
        process = subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)
        return cls(process, report, how)

    def asked(self) -> int:
        count = Path(f"{self.report}.count")
        text = count.read_text() if count.exists() else ""
        return int(text or 0)

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def end(self) -> dict[str, Any]:
        Path(f"{self.report}.stop").touch()
        errors = self.process.communicate(timeout=60)[1]
        assert self.process.returncode == 0, errors
        found: dict[str, Any] = json.loads(self.report.read_text())
        return found


@dataclass
class Day:
    """What happens to a library while it is read; remembers what every snapshot has to answer, and which are there."""

    library: Library
    shelf: Shelf
    chance: random.Random
    answers: dict[str, Any] = field(default_factory=dict)
    there: list[str] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    pins: dict[str, tuple[str, str]] = field(default_factory=dict)
    collected: int = 0
    models: int = 0
    done: dict[str, int] = field(default_factory=dict)

    def publish(self) -> None:
        self.shelf.compute()
        publication = self.shelf.publish()
        assert publication.outcome == "released" and publication.manifest, publication.outcome
        self.answers[publication.manifest.id] = [self.shelf.answer(lines) for lines in (False, True)]
        self.there.append(publication.manifest.id)
        self.log.append(publication.manifest.id)

    def change(self) -> None:
        """Some titles change."""
        for title in self.chance.sample(sorted(self.shelf.films), self.chance.randint(1, 2)):
            self.shelf.touch(title)
        self.publish()

    def come_and_go(self) -> None:
        """A title comes, or goes."""
        title = self.chance.choice(FILMS)
        if title in self.shelf.films and len(self.shelf.films) > 2:
            del self.shelf.films[title]
        else:
            self.shelf.touch(title)
        self.publish()

    def switch(self) -> None:
        """Another model takes over, or one that was used before, together with a change of a title or alone."""
        self.models += 1
        old = self.models > 3 and self.chance.random() < 0.3
        self.shelf.switch(f"model {self.chance.randint(0, self.models - 2) if old else self.models}")
        if self.chance.random() < 0.5:
            self.shelf.touch(self.chance.choice(sorted(self.shelf.films)))
        self.shelf.compute()
        if self.shelf.due():
            self.publish()

    def back_and_on(self) -> None:
        """The release is rolled back to one of the last few, perhaps twice, and then goes on."""
        for _ in range(self.chance.randint(1, 2)):
            earlier = [one for one in self.there[-6:] if one != self.log[-1]]
            if earlier:
                self.log.append(self.library.rollback(self.chance.choice(earlier), "to see the old answers").snapshot)
        newest = self.library.releases.newest()
        if newest is None or not newest.held:
            return
        self.library.resume()
        self.shelf.touch(self.chance.choice(sorted(self.shelf.films)))
        self.publish()

    def keep(self) -> None:
        """A person keeps a snapshot, and lets go of one that was kept."""
        snapshot = self.chance.choice(self.there)
        with self.library.at(snapshot) as gateway:
            self.pins[self.library.pin(snapshot, "to compare", _AN_HOUR_MS).id] = snapshot, fingerprint(gateway.reader)
        if len(self.pins) > PINNED:
            self.library.unpin(oldest := next(iter(self.pins)))
            del self.pins[oldest]

    def collect(self) -> None:
        """What nobody needs is deleted: nothing that is pinned or among the last few, whatever readers hold too."""
        collected = collect(self.shelf, KEEP)
        last = [*dict.fromkeys(reversed(self.log))][: KEEP + 1]
        needed = {*last, *(snapshot for snapshot, _ in self.pins.values())}
        assert collected.outcome == "collected" and not needed & set(collected.snapshots)
        self.there = [one for one in self.there if one not in collected.snapshots]
        self.collected += len(collected.snapshots)
        for snapshot, said in self.pins.values():
            with self.library.at(snapshot) as gateway:
                assert fingerprint(gateway.reader) == said, f"{snapshot} is pinned, and not what it was"

    def step(self) -> None:
        kinds: list[Callable[[], None]] = [self.change, self.come_and_go, self.switch, self.back_and_on, self.keep]
        kind = self.chance.choices(kinds, (4, 2, 3, 1, 2))[0]
        self.do(kind)
        if sum(self.done.values()) % 3 == 0:
            self.do(self.collect)

    def do(self, kind: Callable[[], None]) -> None:
        kind()
        self.done[kind.__name__] = self.done.get(kind.__name__, 0) + 1


@pytest.mark.hypothesis
def test_no_answer_is_ever_mixed(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    home = tmp_path / "home"
    with shelf.library(home) as library:
        day = Day(library, Shelf.at(library), random.Random(4))
        for title in FILMS[:4]:
            day.shelf.touch(title)
        day.shelf.switch("model 0")
        day.publish()
        readers = [Reader.start(home, tmp_path / f"reader {how}", how) for how in HOW]
        readers.append(Reader.start(home, tmp_path / "reader without pinning", "unpinned", str(LOOSE_READS)))
        with ExitStack() as stack:
            for reader in readers:
                stack.callback(reader.kill)
            until = time.monotonic() + LIMIT_S
            while (share := _read(readers)) < 1 or len(day.log) < RELEASES:
                assert time.monotonic() < until, f"too slow: {[one.asked() for one in readers]} reads"
                if share < 1 and len(day.log) > RELEASES * (share + 0.2):
                    # The day goes on as the readers do, so that they see all of it.
                    wait_until(lambda: _read(readers) > share, LIMIT_S, "somebody read", every_s=0.1)
                    continue
                day.step()
            heard = {one.how: one.end() for one in readers}
    loose = heard.pop("unpinned")["answers"]
    assert not any(found["errors"] for found in heard.values()), [found["errors"] for found in heard.values()]
    answers = [answer for found in heard.values() for answer in found["answers"]]
    wrong = [answer for answer in answers if day.answers[answer[0]][answer[1]] != answer[2]]
    assert not wrong, f"{sum(times for *_, times in wrong)} answers are mixed, such as {wrong[0]}"
    whole = [answer["hits"] for both in day.answers.values() for answer in both]
    mixed = sum(times for *_, said, times in loose if said["hits"] not in whole)
    crossed = sum(times for *_, said, times in loose if not _of_one_model(said))
    assert mixed and crossed, "without pinning nothing was mixed: this test would see no mix at all"
    by_how = {how: sum(times for *_, times in found["answers"]) for how, found in heard.items()}
    record_property(
        "tried",
        f"{by_how['engine']:,} reads by an engine (which said {heard['engine']['again']} times to ask again) and "
        f"{by_how['pinned']:,} by a library, of {len({snapshot for snapshot, *_ in answers})} snapshots, during "
        f"{len(day.log)} releases ({', '.join(f'{name} {times}' for name, times in sorted(day.done.items()))}; "
        f"{day.collected} snapshots collected): 0 mixed, 0 errors; of {sum(times for *_, times in loose):,} reads "
        f"without pinning {mixed} were mixed, {crossed} of them a query of one model on vectors of another",
    )


def _read(readers: Sequence[Reader]) -> float:
    """Return which share of their reads the readers who must not see a mix have done, the slowest of them."""
    return min(one.asked() * len(HOW) / READS for one in readers if one.how in HOW)


def _of_one_model(said: dict[str, Any]) -> bool:
    return all(fits for _, _, rows in said["hits"] for *_, fits in rows)
