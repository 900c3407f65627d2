"""One pool for the tests that only need a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from mediaflow.media.pool import DecodePool


@pytest.fixture(scope="session")
def pool() -> Iterator[DecodePool]:
    """A pool of one worker, shared by all tests that leave it alive."""
    with DecodePool() as shared:
        yield shared
