"""Which process did something, so that what a killed one has begun does not count as being worked on for ever."""

from __future__ import annotations

import os
import platform
from pathlib import Path


def this_process() -> str:
    """Return what names this process, on this machine and at no other time."""
    return f"{platform.node()} {os.getpid()} {_started(os.getpid())}"


def ended(process: str) -> bool:
    """Say whether a process is known to have ended; of another machine's processes nothing is known."""
    host, pid, started = process.split(" ", 2)
    if host != platform.node():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return _started(int(pid)) != started


def _started(pid: int) -> str:
    """Return when a process started, in ticks since the machine did; empty where the system does not say it so."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except OSError:
        return ""
