"""Epochs: one process has one at a time, its heart beats meanwhile, the silence of others is judged by the store."""

from __future__ import annotations

import json
import os
import threading

import pytest

from mediaflow.publishing.epochs import Epochs
from mediaflow.snapshots.leases import MARGIN_MS
from mediaflow.storage import layout
from mediaflow.storage.log import NumberedLog
from mediaflow.storage.objects import FolderStore
from tests.deployment.waiting import wait_until
from tests.publishing.collecting import lapse

ELSEWHERE = {"host": "another-machine", "pid": 1, "process": "x"}


def taken(store: FolderStore, number: int, ttl_s: float) -> None:
    """Take an epoch as another machine does."""
    body = {"purpose": "publish", "owner": ELSEWHERE, "ttl_s": ttl_s}
    assert NumberedLog(store, layout.EPOCHS).append(number, body)


def earlier(store: FolderStore, key: str, by_s: float) -> None:
    path = store.path(key)
    assert path is not None
    os.utime(path, (path.stat().st_mtime - by_s,) * 2)


def test_an_epoch_says_what_it_is_for_and_how_it_ended(store: FolderStore) -> None:
    epochs = Epochs(store)
    assert epochs.begin() == 1
    epochs.end(1, "released")
    assert epochs.begin("gc") == 2
    epochs.end(2, "collected")
    log = NumberedLog(store, layout.EPOCHS)
    assert [log.read(number)["purpose"] for number in (1, 2)] == ["publish", "gc"]
    ends = [json.loads(store.get(layout.epoch_end(number))) for number in (1, 2)]
    assert ends == [{"outcome": "released"}, {"outcome": "collected"}]


def test_a_heart_beats_until_the_epoch_is_ended_by_whomever(store: FolderStore) -> None:
    epochs = Epochs(store, ttl_ms=60)
    for end in (epochs.end, Epochs(store).end):
        epoch = epochs.begin()
        wait_until(lambda epoch=epoch: store.exists(layout.epoch_beat(epoch)), 10, "it beats", 0.01)
        store.delete(layout.epoch_beat(epoch))
        wait_until(lambda epoch=epoch: store.exists(layout.epoch_beat(epoch)), 10, "it beats again", 0.01)
        end(epoch, "released")
        wait_until(lambda epoch=epoch: f"epoch {epoch}" not in threads(), 10, "it beats no more", 0.01)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize(
    ("entry_s", "beat_s", "alive"),
    [(100, None, False), (100, 0, True), (100, 100, False), (60, None, True), (100, 60, True), (72, 71, False)],
)
def test_an_epoch_elsewhere_is_alive_for_its_time_and_a_margin_after_its_last_sign(
    store: FolderStore, entry_s: float, beat_s: float | None, alive: bool
) -> None:
    assert MARGIN_MS == 10_000
    taken(store, 1, ttl_s=60)
    earlier(store, f"{layout.EPOCHS}{1:020d}.json", entry_s)
    if beat_s is not None:
        store.put(layout.epoch_beat(1), b"")
        earlier(store, layout.epoch_beat(1), beat_s)
    assert (Epochs(store).begin() == 0) is alive


def test_an_epoch_that_has_ended_makes_room_at_once(store: FolderStore) -> None:
    taken(store, 1, ttl_s=600)
    assert Epochs(store).begin() == 0
    store.put(layout.epoch_end(1), b"{}")
    assert Epochs(store).begin() == 2


def test_an_epoch_here_is_over_when_its_process_is_silent_for_long(store: FolderStore) -> None:
    epochs = Epochs(store)
    assert epochs.begin() == 1
    assert Epochs(store).begin() == 0
    lapse(store, layout.EPOCHS)
    assert Epochs(store).begin() == 2, "it hangs, or was stopped"
    epochs.end(1, "overtaken")
