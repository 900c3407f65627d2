"""The folder store: the contract of every store, and what only a folder can get wrong."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

from mediaflow.errors import SystemFault
from mediaflow.storage.objects import FolderStore
from tests.contracts.object_store import ObjectStoreContract


class TestFolderStore(ObjectStoreContract):
    pass


def test_a_full_disk_is_a_sentence_and_leaves_no_part(tmp_path: Path) -> None:
    # A limit on file size stands for the full disk: the write fails in the temporary file, as with ENOSPC.
    code = (
        "import resource, signal, sys; from pathlib import Path; from mediaflow.storage.objects import FolderStore;"
        "from mediaflow.errors import SystemFault\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "store = FolderStore(Path(sys.argv[1])); store.put('a', b'old')\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))\n"
        "try: store.put('a', b'x' * 100)\n"
        "except SystemFault as fault: print(fault.message)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "could not write a" in done.stdout
    assert FolderStore(tmp_path).get("a") == b"old"
    assert list((tmp_path / ".partial").iterdir()) == []
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 10


def test_a_store_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(SystemFault, match="check the folder"):
        FolderStore(tmp_path / "file" / "store")
