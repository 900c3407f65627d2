"""How long a process has waited for a processor: at a low priority beside busy others that can be most of the time."""

from __future__ import annotations

from pathlib import Path


def seconds(pid: int) -> float:
    """Return how long the thread that waited longest was ready to run and had no processor, since it was started.

    0 where the process is gone, or the system does not say it (Linux does, in `/proc/PID/task/TID/schedstat`).
    """
    waited_ns = [0]
    for file in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        try:
            waited_ns.append(int(file.read_text().split()[1]))
        except (OSError, IndexError):
            continue
    return max(waited_ns) / 1e9
