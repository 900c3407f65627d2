"""What the histories share: tiny films and models, made once, and one pool that decodes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mediaflow.media.pool import DecodePool
from tests.models.conftest import MakeModel, make_model
from tests.proof.material import Material

__all__ = ["make_model"]

# What a history finds is said as in a test.
pytest.register_assert_rewrite("tests.proof.following")


@pytest.fixture(scope="session")
def material(tmp_path_factory: pytest.TempPathFactory, make_model: MakeModel) -> Iterator[Material]:
    """Films, models, and what the real decoder and the real encoders make of them."""
    folder = tmp_path_factory.mktemp("material")
    models = {name: make_model(folder / f"model {name}", seed=seed) for seed, name in enumerate("xy", 1)}
    pool = DecodePool(1)
    yield Material(folder, models, pool)
    pool.close()
