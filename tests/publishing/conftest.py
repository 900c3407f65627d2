"""What tests of publishing share."""

from __future__ import annotations

import pytest

from mediaflow.storage.objects import FolderStore
from tests.publishing.world import World


@pytest.fixture
def world(store: FolderStore) -> World:
    """Two films, computed and not yet published."""
    world = World(store)
    world.film("alps", lines=("north", "south"))
    world.film("bees")
    world.compute()
    return world
