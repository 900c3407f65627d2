"""Keys: what is kept of them is no key, one name holds once, and of two who decide at once each decides on all."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import polars as pl
import pytest

from mediaflow.errors import UsageError
from mediaflow.search.titles.rights import Rights
from mediaflow.serve.access.keys import Keys, found
from mediaflow.storage.objects import FolderStore

SOME = Rights(frozenset({"harbour"}), frozenset({"Night Shift"}))


def made(store: FolderStore, name: str = "player", expires_ms: int | None = None) -> str:
    return Keys(store).add(name, ["search"], SOME, expires_ms, "ann@here")[1]


def test_a_key_is_found_by_another_process(store: FolderStore) -> None:
    given = made(store)
    key = found(Keys(store).look(), given)
    assert key and (key.name, key.roles, key.rights) == ("player", {"search"}, SOME)


def test_nothing_but_the_key_is_the_key(store: FolderStore) -> None:
    given, other = made(store), made(store, "other")
    known = Keys(store).look()
    beginning, id_, secret = given.split("_", 2)
    for wrong in (
        "",
        "mf",
        "_",
        id_,
        given[:-1],
        given + "x",
        given.upper(),
        f"mf_{id_}_",
        f"mf_{id_}_{other.split('_', 2)[2]}",
        f"xx_{id_}_{secret}",
        f"mf_{id_}_{'é' * 20}",
        f"mf_{id_}_\udcff",
        given * 100,
    ):
        assert found(known, wrong) is None, wrong
    assert found(known, given) and beginning == "mf"


def test_what_is_kept_is_no_key(store: FolderStore, tmp_path: Path) -> None:
    secret = made(store).split("_", 2)[2]
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files and not [path for path in files if secret.encode() in path.read_bytes()]
    assert secret not in repr(Keys(store).look())


def test_a_key_that_is_revoked_or_over_lets_nobody_in(store: FolderStore) -> None:
    now_ms = time.time_ns() // 1_000_000
    keys = Keys(store)
    over, revoked, still = made(store, "a", now_ms - 1), made(store, "b"), made(store, "c", now_ms + 60_000)
    keys.revoke("b", "ann@here")
    known = Keys(store).look()
    assert [found(known, given) is not None for given in (over, revoked, still)] == [False, False, True]


def test_one_name_holds_once_and_can_be_given_again(store: FolderStore) -> None:
    keys = Keys(store)
    first = made(store)
    with pytest.raises(UsageError, match="There is a key 'player'"):
        made(store)
    keys.revoke("player", "ann@here")
    second = made(store)
    assert [found(keys.look(), given) is not None for given in (first, second)] == [False, True]
    assert keys.revoke(second.split("_")[1], "ann@here").name == "player"
    with pytest.raises(UsageError, match="no key 'player' to revoke"):
        keys.revoke("player", "ann@here")


@pytest.mark.parametrize(
    ("name", "roles", "rights", "said"),
    [
        ("", ["search"], SOME, "A key has a name"),
        ("a\nb", ["search"], SOME, "A key has a name"),
        ("a", [], SOME, "A key has a role; there are search, admin"),
        ("a", ["root"], SOME, "There is no role 'root'; there are search, admin"),
        ("a", ["search"], Rights(), "Say what the key may see"),
        ("a", ["admin"], SOME, "Only a key with the role 'search' sees titles"),
    ],
)
def test_a_key_of_no_use_is_not_made(
    store: FolderStore, name: str, roles: list[str], rights: Rights, said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        Keys(store).add(name, roles, rights, None, "ann@here")
    assert not Keys(store).look()


def test_of_many_at_once_each_name_is_made_once(store: FolderStore) -> None:
    refused: list[str] = []

    def make(number: int) -> None:
        try:
            made(store, f"key {number % 4}")
        except UsageError as error:
            refused.append(error.message)

    threads = [threading.Thread(target=make, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(key.name for key in Keys(store).look().values()) == [f"key {number}" for number in range(4)]
    assert len(refused) == 8


def test_a_series_is_seen_with_the_episodes_of_each_snapshot(store: FolderStore) -> None:
    titles = pl.DataFrame(
        {"title_id": ["harbour", "meadow"], "series": [None, None]}, schema_overrides={"series": pl.String}
    )
    assert SOME.among(titles) == {"harbour"}
    more = pl.DataFrame({"title_id": ["e1", "e2", "e3"], "series": ["Night Shift", "NIGHT SHIFT", "Night Shift II"]})
    assert SOME.among(pl.concat([titles, more])) == {"harbour", "e1", "e2"}
