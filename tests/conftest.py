"""What all tests share: where the real material is, a store, and a library folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

from mediaflow.storage.objects import FolderStore

# Machines are noisy: no example has a deadline. `make soak` tries many more.
settings.register_profile("test", deadline=None, derandomize=True, max_examples=150)
settings.register_profile("soak", deadline=None, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "test"))


def examples(share: float) -> settings:
    """Give the settings of a costly property test: this share of the examples that the profile asks for."""
    return settings(max_examples=round(share * settings().max_examples))


ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real films, subtitles and broken files; tests that need them are skipped where they are absent."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("../shared/data is absent: tests on real material need it")
    return folder


@pytest.fixture
def store(tmp_path: Path) -> FolderStore:
    """An empty store in a folder."""
    return FolderStore(tmp_path / "store")
