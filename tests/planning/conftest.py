"""An empty ledger."""

from __future__ import annotations

import pytest

from mediaflow.planning.ledger import Ledger
from mediaflow.storage.objects import FolderStore


@pytest.fixture
def ledger(store: FolderStore) -> Ledger:
    return Ledger(store)
