"""The ledger: whatever appends at once, no fact is lost."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import lance
import polars as pl

from mediaflow.planning.ledger import DONE, FAILED, RETRY, Fact, Ledger
from mediaflow.storage.objects import FolderStore
from tests.conftest import ROOT

WRITERS = 6


def made(title: str, code: str, state: str = DONE) -> Fact:
    return Fact(title, "media", f"revision {code}", "g", state, recipe={"code": code})


def test_what_others_append_or_compact_is_seen_and_facts_keep_their_recipes(store: FolderStore) -> None:
    ours, others = Ledger(store), Ledger(store)
    assert (len(ours.facts()), len(ours.look().newest("media")), ours.version()) == (0, 0, 0)
    for code in "123":
        others.append([made("a", code), made("b", code)])
        facts = ours.facts()
        assert facts["revision"].to_list()[-2:] == [f"revision {code}"] * 2
        assert len(facts) == 2 * int(code) == len(ours.look().newest("media"))
    before = ours.look()
    lance.dataset(store.uri("ledger.lance")).optimize.compact_files()
    others.append([made("c", "4")])
    assert ours.facts().equals(Ledger(store).facts())
    assert len(before.facts) == len(before.newest("media")) == 6, "a look is of one moment"
    assert [one["code"] for one in ours.look().recipes(pl.Series([5, 0, 6]))] == ["3", "1", "4"]
    asked = {"title_id": ["b", "c", "d"], "stage": ["media"] * 3, "generation": ["g", "other", "g"]}
    last = ours.look().done(pl.DataFrame(asked))
    assert last.sort("title_id").rows() == [("b", "media", 5, True), ("c", "media", 6, False)]


def test_what_was_finished_in_the_generation_asked_for_counts_before_what_came_later(store: FolderStore) -> None:
    ledger = Ledger(store)
    ledger.append([made("a", "1"), replace(made("a", "2"), generation="other")])
    for generation, expected in (("g", (0, True)), ("other", (1, True)), ("next", (1, False))):
        asked = pl.DataFrame({"title_id": ["a"], "stage": ["media"], "generation": [generation]})
        assert ledger.look().done(asked).rows() == [("a", "media", *expected)]


def test_failures_count_since_the_last_new_start(store: FolderStore) -> None:
    ledger = Ledger(store)
    seen = []
    for state in (FAILED, FAILED, RETRY, FAILED, DONE):
        ledger.append([made("a", "1", state), made("b", "1"), Fact("a", "frames", "revision 1", "g", FAILED)])
        rows = ledger.look().newest("media").select("title_id", "state", "attempts").rows()
        seen.append(next(row[1:] for row in rows if row[0] == "a"))
        assert ("b", DONE, 0) in rows and len(rows) == 2
    assert seen == [(FAILED, 1), (FAILED, 2), (RETRY, 0), (FAILED, 1), (DONE, 0)]


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
