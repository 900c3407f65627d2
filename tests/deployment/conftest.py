"""Films that are rendered once for all tests of the deployment, and the small models of the models' tests."""

from __future__ import annotations

import pytest

from tests.deployment.films import Films
from tests.models.conftest import make_model

__all__ = ["films", "make_model"]


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Films:
    """Small films, whole and broken."""
    return Films(tmp_path_factory.mktemp("films"))
