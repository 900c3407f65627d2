"""Claims: what a run is at is seen by others, until it is over, its process has ended, or its time is."""

from __future__ import annotations

import subprocess
import sys
import time

from mediaflow.planning.claims import LASTS_MS, Claim, claimed
from mediaflow.planning.ledger import Ledger
from mediaflow.planning.plan import plan
from mediaflow.planning.stage import StageGraph
from mediaflow.storage.objects import FolderStore
from tests.conftest import ROOT
from tests.planning.world import STAGES, A, B, record


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def test_a_claim_is_seen_until_the_run_is_over_or_its_time_is(store: FolderStore) -> None:
    ours, others = Ledger(store), Ledger(store)
    claim, other = Claim(ours, ["a", "b"]), Claim(ours, ["b", "c"])
    assert claimed(others, now_ms()) == set()
    claim.hold()
    claim.hold()
    assert (claimed(others, now_ms()), others.facts().height) == ({"a", "b"}, 1), "held is not claimed again"
    other.hold()
    assert claimed(others, now_ms()) == {"a", "b", "c"}
    claim.release()
    claim.release()
    assert (claimed(others, now_ms()), others.facts().height) == ({"b", "c"}, 3)
    assert claimed(others, now_ms() + LASTS_MS) == set()


def test_a_run_that_never_began_claims_nothing(ledger: Ledger) -> None:
    Claim(ledger, ["a"]).release()
    assert ledger.version() == 0


def test_the_claim_of_a_process_that_was_killed_does_not_count(store: FolderStore) -> None:
    code = f"""
from pathlib import Path
from mediaflow.planning.claims import Claim
from mediaflow.planning.ledger import Ledger
from mediaflow.storage.objects import FolderStore
Claim(Ledger(FolderStore(Path({str(store.root)!r}))), ["a"]).hold()
print("held", flush=True)
input()
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    assert claimed(Ledger(store), now_ms()) == {"a"}
    process.kill()
    process.communicate()
    assert claimed(Ledger(store), now_ms()) == set()


def test_no_plan_reads_a_claim(ledger: Ledger) -> None:
    graph = StageGraph(STAGES)
    record(ledger, graph, [A, B])
    before, told = plan(graph, [A, B], ledger).frame, ledger.told()
    Claim(ledger, ["a", "b"]).hold()
    assert plan(graph, [A, B], ledger).frame.equals(before)
    assert ledger.told() == told < ledger.facts().height
