"""What a decode worker takes from itself before it touches untrusted bytes."""

from __future__ import annotations

import ctypes
import os
import resource
import select
import socket
import threading

_CLONE_NEWNET = 0x40000000
_CLONE_NEWUSER = 0x10000000
_PR_SET_NO_NEW_PRIVS = 38
_LARGEST_FILE = 2**20


def confine(memory_bytes: int) -> None:
    """Limit memory, files and cores of this process, and cut it off from the network where the system lets it."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    # An empty network namespace; without the right to make one directly, inside a user namespace of its own.
    if hasattr(libc, "unshare") and libc.unshare(_CLONE_NEWNET) != 0:
        libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET)


def allow_cpu(seconds: int) -> None:
    """Give the task that begins now so many CPU seconds; past them the kernel ends the process (SIGXCPU)."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds + 1, hard))


def die_with(connection: socket.socket) -> None:
    """End this process as soon as the other end of `connection` closes, whatever is being computed."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLHUP | select.POLLERR)

    def watch() -> None:
        poll.poll()
        os._exit(0)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()
