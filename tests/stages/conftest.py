"""What tests of the stages share: a rendered film, a pool of decode workers, and libraries of titles of that film."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from mediaflow.demo.library import make_film
from mediaflow.media.pool import DecodePool
from tests.models.conftest import make_model, small_model
from tests.stages.room import ALL, SOURCES, Room

__all__ = ["film", "heard", "long", "make_model", "pool", "room", "small_model"]


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of film."""
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    make_film(path, seed=1, shots=2, size=(96, 64), shot_seconds=1.0, fps=12)
    return path


@pytest.fixture(scope="session")
def pool() -> Iterator[DecodePool]:
    pool = DecodePool(1)
    yield pool
    pool.close()


@pytest.fixture
def room(tmp_path: Path, film: Path, pool: DecodePool) -> Room:
    """Five titles of the one film, each with a subtitle of its own."""
    room = Room(tmp_path, film, pool)
    for name in ALL:
        room.title(name)
    room.scan()
    return room


@pytest.fixture
def heard(room: Room) -> Room:
    """A room whose titles have their sources."""
    assert set(room.states(*SOURCES).values()) == {"computed"}
    return room


@pytest.fixture
def long(room: Room) -> Room:
    """A room with a film in two parts, each with a subtitle."""
    room.title("long cd1")
    room.title("long cd2")
    room.scan()
    return room
