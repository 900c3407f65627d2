"""What tests of the gates share: a published library of eight films, made once and copied."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from mediaflow.storage.objects import FolderStore
from tests.publishing.gates.studio import Studio
from tests.publishing.gates.studio import studio as make_studio


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    """The library that is copied."""
    return make_studio(FolderStore(tmp_path_factory.mktemp("studio") / "store"))


@pytest.fixture
def studio(original: Studio, tmp_path: Path) -> Studio:
    """Eight films, published once; nothing is new."""
    root = tmp_path / "store"
    shutil.copytree(original.store.root, root)
    return Studio(FolderStore(root), list(original.stages), dict(original.films))
