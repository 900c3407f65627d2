"""A reader in a process of its own: `python -m tests.proof.reading HOME HOW REPORT [MOST]`.

Asks the questions of the shelf without pause, MOST times or until the file `REPORT.stop` is there, then writes what it
heard to REPORT: each different answer once, with the number of times it came. Meanwhile `REPORT.count` says how often
it has asked.
"""

from __future__ import annotations

import itertools
import json
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from mediaflow.search.gateway import Gateway
from mediaflow.search.query import Dialogue, Query, Visual
from mediaflow.search.results import Results
from mediaflow.settings import Settings
from mediaflow.snapshots.reader import SnapshotReader
from mediaflow.storage import layout
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


def pinned(library: ShelfLibrary, question: Query) -> Results:
    """Ask as a program asks."""
    return library.search(question)


def unpinned(library: ShelfLibrary, question: Query) -> Results:
    """Ask the newest tables, with a query that the newest model has encoded."""
    manifest = library.current().manifest
    newest = library.store.get(NEWEST_MODEL).decode()
    parts = manifest.algorithms | {"visual": replace(manifest.algorithms["visual"], model=newest)}
    reader = Newest(library.store, replace(manifest, algorithms=parts))
    return Gateway(reader, library.models, None).search(question)  # type: ignore[arg-type]


HOW: dict[str, Callable[[ShelfLibrary, Query], Results]] = {"pinned": pinned, "unpinned": unpinned}


def main(home: str, how: str, report: str, most: str = "") -> None:
    read = HOW[how]
    answers: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    stop, count = Path(f"{report}.stop"), Path(f"{report}.count")
    with ShelfLibrary(Settings(home=Path(home))) as library:
        for asked in itertools.count():
            if asked % _SAID_EVERY == 0:
                count.write_text(str(asked))
                if stop.exists() or (most and asked >= int(most)):
                    break
            question = asked % len(QUESTIONS)
            try:
                results = read(library, QUESTIONS[question])
                answers[json.dumps([results.snapshot, question == 0, said(results)])] += 1
            except Exception as error:  # noqa: BLE001 - any error at all is one too many
                errors[f"{type(error).__name__}: {error}"] += 1
    found = [[*json.loads(answer), times] for answer, times in answers.items()]
    Path(report).write_text(json.dumps({"answers": found, "errors": errors}))


if __name__ == "__main__":
    main(*sys.argv[1:])
