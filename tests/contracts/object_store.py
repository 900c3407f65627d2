"""What every object store must do, whatever keeps its objects; one suite, run on each implementation."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from mediaflow.errors import NotFound
from mediaflow.storage.objects import ObjectStore


class ObjectStoreContract:
    """Inherit, and give a fixture `store`."""

    def test_put_replaces_and_get_returns_the_last(self, store: ObjectStore) -> None:
        store.put("a/b.json", b"one")
        store.put("a/b.json", b"two")
        assert store.get("a/b.json") == b"two"

    def test_a_missing_key_is_not_found(self, store: ObjectStore) -> None:
        with pytest.raises(NotFound) as caught:
            store.get("a/none")
        assert caught.value.fields["key"] == "a/none"
        assert not store.exists("a/none")

    def test_put_if_absent_keeps_the_first(self, store: ObjectStore) -> None:
        assert store.put_if_absent("n/1", b"first")
        assert not store.put_if_absent("n/1", b"second")
        assert store.get("n/1") == b"first"

    def test_of_many_writers_exactly_one_wins(self, store: ObjectStore) -> None:
        with ThreadPoolExecutor(8) as pool:
            for number in range(50):
                key = f"n/{number}"
                won = list(pool.map(store.put_if_absent, [key] * 8, [b"%d" % who for who in range(8)]))
                assert sum(won) == 1
                assert store.get(key) == b"%d" % won.index(True)

    def test_listing_is_in_order_after_a_key_and_under_a_prefix(self, store: ObjectStore) -> None:
        for key in ("l/3", "l/1", "l/2", "l/deep/4", "m/1", "l1"):
            store.put(key, b"x")
        assert [info.key for info in store.list("l/")] == ["l/1", "l/2", "l/3", "l/deep/4"]
        assert [info.key for info in store.list("l/", start_after="l/2")] == ["l/3", "l/deep/4"]
        assert [info.key for info in store.list("none/")] == []

    def test_a_listing_goes_on_past_what_is_deleted_meanwhile(self, store: ObjectStore) -> None:
        for number in range(4):
            store.put(f"g/{number}", b"x")
        listing = store.list("g/")
        assert next(listing).key == "g/0"
        store.delete("g/1")
        assert [info.key for info in listing][-2:] == ["g/2", "g/3"]

    def test_delete_is_quiet_about_what_is_not_there(self, store: ObjectStore) -> None:
        store.put("d/1", b"x")
        store.delete("d/1")
        store.delete("d/1")
        assert not store.exists("d/1")

    @pytest.mark.parametrize("key", ["../out", "/etc/x", "a//b", "a/../../b", "a/\0b", ""])
    def test_a_key_never_leads_out_of_the_store(self, store: ObjectStore, key: str) -> None:
        with pytest.raises(ValueError, match="not a key"):
            store.put(key, b"x")
