"""What tests of the search share: a small snapshot that is opened once."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediaflow.search.gateway import Gateway
from tests.search.harbour import make_world


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return make_world(Path(tmp_path_factory.mktemp("world"))).gateway()
