"""Numbered logs: one writer wins each number, and the tip is found by one listing."""

from __future__ import annotations

import pytest

from mediaflow.errors import NotFound
from mediaflow.storage.log import NumberedLog
from mediaflow.storage.objects import FolderStore


def test_entries_are_numbered_and_read_back(store: FolderStore) -> None:
    log = NumberedLog(store, "facts/")
    assert log.tip() is None
    assert log.append(1, {"a": 1})
    assert log.append(2, {"a": 2})
    assert (log.tip(), log.tip(after=1), log.tip(after=2)) == (2, 2, None)
    assert log.read(2)["a"] == 2
    with pytest.raises(NotFound):
        log.read(3)


def test_a_taken_number_is_refused_and_unchanged(store: FolderStore) -> None:
    log = NumberedLog(store, "facts/")
    assert log.append(1, {"who": "first"})
    assert not NumberedLog(store, "facts/").append(1, {"who": "second"})
    assert log.read(1)["who"] == "first"


def test_other_names_in_the_folder_are_no_entries(store: FolderStore) -> None:
    log = NumberedLog(store, "facts/")
    log.append(7, {})
    store.put("facts/hint", b"99")
    store.put("facts/00000000000000000009.beat", b"")
    assert log.numbers() == [7]
