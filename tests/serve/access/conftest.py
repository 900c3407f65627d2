"""A server that takes keys, and some keys to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from mediaflow.search.titles.rights import Rights
from mediaflow.serve.access.keys import Keys
from mediaflow.storage.objects import FolderStore
from tests.serve.conftest import Server, start, stop
from tests.serve.process import publish

SERIES = Rights(frozenset({"meadow"}), frozenset({"night shift"}))


@dataclass
class Locked:
    """A server that takes keys: one sees all, one some titles, one is of an admin who sees none."""

    server: Server
    keys: Keys
    all: str
    some: str
    admin: str


@pytest.fixture(scope="session")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    home = tmp_path_factory.mktemp("locked")
    keys = Keys(publish(home))
    given = [
        keys.add(name, roles, rights, None, "tests")[1]
        for name, roles, rights in (
            ("all", ["search"], None),
            ("some", ["search"], SERIES),
            ("admin", ["admin"], Rights()),
        )
    ]
    server = start(home)
    yield Locked(server, Keys(FolderStore(home / "store")), *given)
    assert stop(server) == 0
