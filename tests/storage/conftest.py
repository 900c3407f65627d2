"""What tests of storage share."""

from __future__ import annotations

import pytest

from mediaflow.storage.objects import FolderStore
from mediaflow.storage.tables import Table
from tests.storage.cues import CUES


@pytest.fixture
def table(store: FolderStore) -> Table:
    return Table(store, "cues", CUES, text="text")
