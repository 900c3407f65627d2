"""The ledger: whatever appends at once, no fact is lost."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

from mediaflow.planning.ledger import DONE, Fact, Ledger
from mediaflow.storage.objects import FolderStore
from tests.conftest import ROOT

WRITERS = 6


def test_facts_of_many_that_begin_the_ledger_at_once_are_all_kept(tmp_path: Path) -> None:
    for turn in range(5):
        store = FolderStore(tmp_path / str(turn))
        barrier = Barrier(WRITERS)

        def write(title: str, store: FolderStore = store, barrier: Barrier = barrier) -> None:
            ledger = Ledger(store)
            barrier.wait()
            ledger.append([Fact(title, "media", "r", "g", DONE)])
            ledger.append([Fact(title, "frames", "r", "g", DONE)])

        titles = [f"film-{number}" for number in range(WRITERS)]
        with ThreadPoolExecutor(WRITERS) as threads:
            list(threads.map(write, titles))
        found = sorted(Ledger(store).facts().select("title_id", "stage").rows())
        assert found == sorted((title, stage) for title in titles for stage in ("media", "frames"))


def test_facts_of_several_processes_are_all_kept(store: FolderStore) -> None:
    code = f"""
import sys
from pathlib import Path
from mediaflow.planning.ledger import Fact, Ledger
from mediaflow.storage.objects import FolderStore
ledger = Ledger(FolderStore(Path({str(store.root)!r})))
for number in range(10):
    ledger.append([Fact(sys.argv[1] + str(number), "media", "r", "g", "done")])
"""
    running = [subprocess.Popen([sys.executable, "-c", code, name], cwd=ROOT) for name in "abc"]
    assert [process.wait(120) for process in running] == [0, 0, 0]
    assert set(Ledger(store).facts()["title_id"]) == {f"{name}{number}" for name in "abc" for number in range(10)}
    assert len(Ledger(store).facts()) == 30
