"""Runs the search server beside Dagster: `python -m sensors.beside PID PORT`, until the process PID has ended.

Neither takes the other down: where the server ends by itself that is said, and Dagster goes on.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys


def main(pid: int, port: str) -> int:
    """Serve searches at a port while a process is alive; return the server's exit code."""
    # Ctrl-C is heard by Dagster and by the server itself; what is left to end is ended here.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    command = [sys.executable, "-m", "mediaflow.cli.main", "serve", "--port", port, "--log", "off"]
    server = subprocess.Popen(command)
    ends = {os.pidfd_open(pid): False, os.pidfd_open(server.pid): True}
    poll = select.poll()
    for end in ends:
        poll.register(end, select.POLLIN)
    by_itself = all(ends[end] for end, _ in poll.poll())
    server.terminate()
    code = server.wait()
    if by_itself and code:
        print(
            f"The search server has ended (code {code}), and Dagster goes on without it: once what it says above is put"
            f" right, 'mediaflow serve --port {port}' starts it again.",
            file=sys.stderr,
        )
    return code if by_itself else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2]))
