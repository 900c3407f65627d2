"""Which process a run lives in, so that a run whose process was killed does not count as running for ever."""

import os
import socket
from pathlib import Path

TAG = "mediaflow/process"


def this_process() -> str:
    """Return what names this process, on this machine and at no other time."""
    return f"{socket.gethostname()} {os.getpid()} {_started(os.getpid())}"


def ended(process: str) -> bool:
    """Say whether a process is known to have ended; of another machine's processes nothing is known."""
    host, pid, started = process.split(" ", 2)
    if host != socket.gethostname():
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
