"""Films that are rendered once for all tests of the deployment."""

from __future__ import annotations

import pytest

from tests.deployment.films import Films


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Films:
    """Small films, whole and broken."""
    return Films(tmp_path_factory.mktemp("films"))
