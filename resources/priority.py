"""Runs give way: what computes does so at a low priority, so that who searches on the same machine hardly notices."""

import os
import sys
from pathlib import Path

_THREADS = Path("/proc/self/task")


def give_way(nice: int) -> None:
    """Run this process and all that it starts from now on at this niceness, or at the higher one that it has already.

    Parameters
    ----------
    nice : int
        0: as everything else; 19: only what others leave over.
    """
    if not nice:
        return
    if sys.platform != "linux":
        # There niceness is the process's and not each thread's, as POSIX says.
        _raise(0, nice)
        return
    # Threads that libraries have started on import; those that come later have the niceness of who starts them.
    found: set[int] = set()
    while new := {int(task.name) for task in _THREADS.iterdir()} - found:
        for thread in new:
            _raise(thread, nice)
        found |= new


def _raise(thread: int, nice: int) -> None:
    try:
        if os.getpriority(os.PRIO_PROCESS, thread) < nice:
            os.setpriority(os.PRIO_PROCESS, thread, nice)
    except ProcessLookupError:
        return  # it has ended meanwhile
