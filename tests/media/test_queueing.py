"""A decode worker that gets no processor is slow, and neither it nor its file is to blame for that."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mediaflow.demo.library import make_film
from mediaflow.media import queueing
from mediaflow.media.options import Limits
from mediaflow.media.process import WorkerProcess

STALL_S, BUSY_S = 1.5, 6.0

# As much work as one processor can do, of which there is always some left.
_BUSY = f"""
import os, sys, time
os.sched_setaffinity(0, {{int(sys.argv[1])}})
end = time.monotonic() + {BUSY_S}
while time.monotonic() < end:
    pass
"""

pytestmark = pytest.mark.skipif(not Path("/proc/self/schedstat").is_file(), reason="the system does not count it")


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("film") / "film.mp4"
    make_film(file, seed=1, shots=3, size=(96, 64), shot_seconds=1.0, fps=12)
    return file


@contextmanager
def worker() -> Iterator[WorkerProcess]:
    one = WorkerProcess(Limits(stall_s=STALL_S))
    try:
        yield one
    finally:
        one.close()


def give_way(process: int, processor: int) -> None:
    """Let a process have only what others leave over of one processor."""
    for task in Path(f"/proc/{process}/task").iterdir():
        os.setpriority(os.PRIO_PROCESS, int(task.name), 19)
        os.sched_setaffinity(int(task.name), {processor})


def test_a_worker_that_waits_for_a_processor_is_not_taken_for_stalled(film: Path) -> None:
    processor = min(os.sched_getaffinity(0))
    request = {"do": "decode", "path": str(film), "options": {}}
    with worker() as one:
        give_way(one.pid, processor)
        busy = subprocess.Popen([sys.executable, "-c", _BUSY, str(processor)])
        before_s, begun = queueing.seconds(one.pid), time.monotonic()
        try:
            done, _ = one.ask(request, b"", lambda header, body: None)
            took_s = time.monotonic() - begun
            assert len(done["shots"]) == 3
            assert took_s > 2 * STALL_S, "it was not kept waiting: this shows nothing"
            assert took_s / 2 < queueing.seconds(one.pid) - before_s <= took_s
        finally:
            busy.kill()
            busy.wait()


def test_of_a_process_that_is_gone_nothing_is_known() -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    assert queueing.seconds(gone.pid) == 0
