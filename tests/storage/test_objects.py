"""The folder store: the contract of every store, and what only a folder can get wrong."""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from mediaflow.errors import SystemFault
from mediaflow.storage.objects import FolderStore
from tests.contracts.object_store import ObjectStoreContract

NUMBERS, ROUND = 10_000, 100


class TestFolderStore(ObjectStoreContract):
    pass


@pytest.mark.parametrize("operation", ["put", "put_if_absent"])
def test_a_full_disk_is_a_sentence_and_leaves_no_part(tmp_path: Path, operation: str) -> None:
    # A limit on file size stands for the full disk: the write fails in the temporary file, as with ENOSPC.
    code = (
        "import resource, signal, sys; from pathlib import Path; from mediaflow.storage.objects import FolderStore;"
        "from mediaflow.errors import SystemFault\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "store = FolderStore(Path(sys.argv[1])); store.put('a', b'old')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        f"try: store.{operation}('a' if '{operation}' == 'put' else 'b', b'x' * 100)\n"
        "except SystemFault as fault: print(fault.message)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "could not write" in done.stdout
    store = FolderStore(tmp_path)
    assert store.get("a") == b"old"
    assert store.put_if_absent("b", b"new"), "what was not written whole has not taken the name"
    assert list((tmp_path / ".partial").iterdir()) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 10


@pytest.mark.parametrize("operation", ["put", "put_if_absent"])
def test_a_process_killed_between_writing_and_naming_has_written_nothing(tmp_path: Path, operation: str) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path; from mediaflow.storage import steps\n"
        "from mediaflow.storage.objects import FolderStore\n"
        "store = FolderStore(Path(sys.argv[1]))\n"
        "steps.listen(lambda step: step == 'store: after write' and os.kill(os.getpid(), signal.SIGKILL))\n"
        f"store.{operation}('n/1', b'late')\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)])
    assert killed.returncode == -signal.SIGKILL
    store = FolderStore(tmp_path)
    assert [one.read_bytes() for one in (tmp_path / ".partial").iterdir()] == [b"late"]
    assert not store.exists("n/1")
    assert list(store.list("")) == []
    assert store.put_if_absent("n/1", b"mine")


def test_of_two_processes_one_takes_each_number(tmp_path: Path) -> None:
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as folder:
        code = (
            "import sys; from pathlib import Path; from mediaflow.storage.log import NumberedLog\n"
            "from mediaflow.storage.objects import FolderStore\n"
            "log = NumberedLog(FolderStore(Path(sys.argv[1])), 'releases/')\n"
            "print(flush=True)\n"
            "for line in sys.stdin:\n"
            f"    print(*[n for n in range(int(line), int(line) + {ROUND}) if log.append(n, {{}})], flush=True)\n"
        )
        command = [sys.executable, "-c", code, folder]
        running = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in "ab"]
        won: list[set[int]] = [set(), set()]
        for start in (*range(1, NUMBERS, ROUND), None):
            # Both have done what they were told, and are told to go on at the same time.
            for of, process in zip(won, running, strict=True):
                assert process.stdout
                of |= set(map(int, process.stdout.readline().split()))
            for process in running:
                assert process.stdin
                process.stdin.write(f"{start}\n" if start else "")
                process.stdin.flush()
        for process in running:
            process.communicate(timeout=30)
        assert not won[0] & won[1]
        assert won[0] | won[1] == set(range(1, NUMBERS + 1))
        assert all(won), "they were at it at the same time"


def test_a_store_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SystemFault, match="check the folder"):
        FolderStore(tmp_path / "file" / "store")
