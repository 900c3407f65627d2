"""What tests of publishing share."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediaflow.storage.objects import FolderStore
from tests.publishing.world import World, copied, sample


@pytest.fixture
def world(store: FolderStore) -> World:
    """Two films, computed and not yet published."""
    world = World(store)
    world.film("alps", lines=("north", "south"))
    world.film("bees")
    world.compute()
    return world


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> World:
    """A library with one release, and computed changes that are not published yet; to be copied, not used."""
    return sample(FolderStore(tmp_path_factory.mktemp("prepared") / "store"))


@pytest.fixture
def sampled(prepared: World, tmp_path: Path) -> World:
    """A library with one release, and computed changes that are not published yet."""
    return copied(prepared, tmp_path / "store")
