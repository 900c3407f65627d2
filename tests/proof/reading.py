"""A reader in a process of its own: `python -m tests.proof.reading HOME HOW REPORT [MOST]`.

Asks the questions of the shelf without pause, MOST times or until the file `REPORT.stop` is there, then writes what it
heard to REPORT: each different answer once, with the number of times it came; each error likewise; and how often an
engine said to ask again. Meanwhile `REPORT.count` says how often it was answered.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from mediaflow.search.gateway import Gateway
from mediaflow.search.query import Dialogue, Query, Visual
from mediaflow.search.results import Results
from mediaflow.snapshots.engine import EngineNotReady
from mediaflow.snapshots.reader import SnapshotReader
from mediaflow.storage import layout
from tests.proof import shelf
from tests.proof.shelf import NEWEST_MODEL, WORD, ShelfLibrary, said

SHOTS = Query((Visual("whatever there is"),), limit=100)
SHOTS_AND_LINES = Query((Visual("whatever there is"), Dialogue(WORD)), limit=100)
# A question to two algorithms costs twice the time, and is needed only to hold their tables against each other.
QUESTIONS = (SHOTS_AND_LINES, SHOTS, SHOTS, SHOTS)
_SAID_EVERY = 20


class Newest(SnapshotReader):
    """What no reader may be: the newest version of each table, whatever the manifest says."""

    def table(self, name: str) -> Any:
        import lance

        return lance.dataset(self.store.uri(layout.table(name)))


Ask = Callable[[Query], Results]


@contextmanager
def engine(library: ShelfLibrary) -> Iterator[Ask]:
    """Ask as a process does that answers all the time."""
    with library.engine() as opened:
        yield opened.search


@contextmanager
def pinned(library: ShelfLibrary) -> Iterator[Ask]:
    """Ask as a program does."""
    yield library.search


@contextmanager
def unpinned(library: ShelfLibrary) -> Iterator[Ask]:
    """Ask the newest tables, with a query that the newest model has encoded."""

    def ask(question: Query) -> Results:
        with library.current() as reader:
            manifest = reader.manifest
        newest = library.store.get(NEWEST_MODEL).decode()
        parts = manifest.algorithms | {"visual": replace(manifest.algorithms["visual"], model=newest)}
        loose = Newest(library.store, replace(manifest, algorithms=parts))
        return Gateway(loose, library.models, None).search(question)  # type: ignore[arg-type]

    yield ask


HOW: dict[str, Callable[[ShelfLibrary], AbstractContextManager[Ask]]] = {
    "engine": engine,
    "pinned": pinned,
    "unpinned": unpinned,
}


def main(home: str, how: str, report: str, most: str = "") -> None:
    answers: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    stop, count = Path(f"{report}.stop"), Path(f"{report}.count")
    answered = again = 0
    with shelf.library(Path(home)) as library, HOW[how](library) as ask:
        while not stop.exists() and not (most and answered >= int(most)):
            question = answered % len(QUESTIONS)
            try:
                results = ask(QUESTIONS[question])
                answers[json.dumps([results.snapshot, question == 0, said(results)])] += 1
            except EngineNotReady:
                # A process that has not run for long does not know what is current: another engine would be asked.
                again += 1
                continue
            except Exception as error:  # noqa: BLE001 - any error at all is one too many
                errors[f"{type(error).__name__}: {error}"] += 1
            answered += 1
            if answered % _SAID_EVERY == 0:
                count.write_text(str(answered))
    found = [[*json.loads(answer), times] for answer, times in answers.items()]
    Path(report).write_text(json.dumps({"answers": found, "errors": errors, "again": again}))


if __name__ == "__main__":
    main(*sys.argv[1:])
