"""Manifests, releases, and readers that stay at the snapshot that they were opened at."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import polars as pl
import pytest

from mediaflow.errors import SystemFault
from mediaflow.snapshots.manifest import AlgorithmPart, Manifest, TablePart
from mediaflow.snapshots.reader import NothingPublished, Releases, SnapshotReader, UnknownSnapshot
from mediaflow.storage import layout
from mediaflow.storage.objects import FolderStore
from mediaflow.storage.tables import Table

PART = AlgorithmPart("g", "loud-g", "label", "1", "team:x", "Über", {"n": "Int32"}, "m", "shots-g", (3, 7))
MANIFEST = Manifest(
    id="00000000000000000001-aaaaaaaa",
    epoch=1,
    base_release=0,
    created_ms=5,
    tables={"titles": TablePart("titles", 2, "s-x", 1)},
    algorithms={"loud": PART},
    generations={"loud": "g"},
    content="c",
    encoders={"m": "demo"},
    shots="shots-g",
    thumbnails="thumbnails-g",
    checks={"titles": 1},
)


def publish(store: FolderStore, number: int, *titles: str) -> Manifest:
    """Write titles as the next version of a table, and release it."""
    table = Table(store, "titles", {"title_id": pl.String})
    columns = {"title_no": range(len(titles)), "revision": ["r"] * len(titles), "title_id": list(titles)}
    rows = pl.DataFrame(columns, schema={"title_no": pl.Int32, "revision": pl.String, "title_id": pl.String})
    base = table.open()
    version = table.replace(base, list(table.holdings(base)), table.write(base, [rows]), {}).version
    snapshot = f"{number:020d}-aaaaaaaa"
    manifest = replace(MANIFEST, id=snapshot, tables={"titles": TablePart("titles", version, "", len(titles))})
    assert store.put_if_absent(layout.snapshot(snapshot), manifest.to_json())
    assert Releases(store).log.append(number, {"snapshot": snapshot, "epoch": number})
    return manifest


def titles(reader: SnapshotReader) -> list[str]:
    found: list[str] = reader.table("titles").to_table()["title_id"].to_pylist()
    return found


def test_a_manifest_comes_back_as_it_was() -> None:
    assert Manifest.from_json(MANIFEST.to_json()) == MANIFEST


def test_without_a_release_there_is_a_sentence(store: FolderStore) -> None:
    assert Releases(store).tip() == 0
    with pytest.raises(NothingPublished, match="make refresh"):
        Releases(store).current()


def test_the_highest_number_is_current_and_a_reader_stays_where_it_was_opened(store: FolderStore) -> None:
    releases = Releases(store)
    first = publish(store, 1, "alps")
    reader = releases.current()
    for number in range(2, 12):
        publish(store, number, "alps", f"bees {number}")
    assert titles(reader) == ["alps"]
    assert (reader.id, reader.release) == (first.id, 1)
    assert (releases.tip(), Releases(store).tip()) == (11, 11)
    assert titles(releases.current()) == ["alps", "bees 11"]
    assert titles(releases.at(first.id)) == ["alps"]


def test_a_half_written_release_is_not_seen(store: FolderStore) -> None:
    publish(store, 1, "alps")
    store.put(f"{layout.RELEASES}hint", b"9")
    store.put(f"{layout.RELEASES}00000000000000000002.json.part", b"{}")
    assert Releases(store).tip() == 1


@pytest.mark.parametrize("wanted", ["00000000000000000009-ffffffff", "", "../releases/1", "a//b"])
def test_an_unknown_snapshot_is_a_sentence(store: FolderStore, wanted: str) -> None:
    with pytest.raises(UnknownSnapshot, match="mediaflow snapshots"):
        Releases(store).at(wanted)


def test_a_table_that_is_gone_is_a_sentence(store: FolderStore) -> None:
    manifest = publish(store, 1, "alps")
    reader = Releases(store).current()
    shutil.rmtree(store.uri(layout.table("titles")))
    with pytest.raises(SystemFault, match=r"of the table titles, which snapshot .* is gone") as caught:
        reader.table("titles")
    assert caught.value.fields == {"table": "titles", "snapshot": manifest.id}


def test_a_reader_serves_threads_at_once_and_opens_each_table_once(store: FolderStore) -> None:
    publish(store, 1, *(f"title {number}" for number in range(50)))
    reader = Releases(store).current()
    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(lambda _: (titles(reader), id(reader.table("titles"))), range(32)))
    assert len({table for _, table in seen}) == 1
    assert all(found == seen[0][0] and len(found) == 50 for found, _ in seen)
