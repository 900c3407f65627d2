"""What tests of the collector share: a collector over a `World`, and what is left that nothing names."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from pathlib import Path

import lance

from mediaflow.publishing.collector.collector import Collector
from mediaflow.publishing.collector.tally import Collected
from mediaflow.publishing.collector.wanted import Wanted, wanted
from mediaflow.snapshots.manifest import Manifest
from mediaflow.storage import layout
from mediaflow.storage.objects import FolderStore
from tests.publishing.world import World

WEEK_S = 7 * 86_400


def collector(world: World, keep: int = 0, cache: Path | None = None, retired: Collection[str] = ()) -> Collector:
    """Return a collector that knows what the world's plan wants."""

    def look() -> Wanted:
        found = world.plan()
        return wanted([(world.graph, found.frame), *((kept.graph, kept.frame) for kept in found.kept)])

    return Collector(world.store, world.ledger, keep, look, cache, retired=lambda: retired)


def collect(world: World, keep: int = 0, dry_run: bool = False) -> Collected:
    return collector(world, keep).collect(dry_run)


def files(store: FolderStore) -> dict[str, bytes]:
    """Return all that there is in a store, unfinished writes included."""
    paths = (path for path in store.root.rglob("*") if path.is_file())
    return {path.relative_to(store.root).as_posix(): path.read_bytes() for path in paths}


def age(store: FolderStore, seconds: float, under: str = "") -> None:
    """Set the times of files back."""
    for path in (store.root / under).rglob("*"):
        if path.is_file():
            then = path.stat().st_mtime - seconds
            os.utime(path, (then, then))


def manifests(store: FolderStore) -> dict[str, Manifest]:
    found = (Manifest.from_json(store.get(info.key)) for info in store.list(layout.SNAPSHOTS))
    return {manifest.id: manifest for manifest in found}


def unnamed(world: World) -> list[str]:
    """Return the keys of files that nothing names: no version of a table, no cut, no plan, no log."""
    store = world.store
    named: set[str] = set(_of_tables(store))
    attempts = set(world.plan().frame["attempt"])
    for manifest in manifests(store).values():
        table = lance.dataset(store.uri(layout.table("titles")), version=manifest.tables["titles"].version)
        for row in table.to_table(columns=["served"]).to_pylist():
            attempts |= {attempt for _, attempt, _ in json.loads(row["served"]).values()}
    newest = max(info.key for info in store.list(layout.EPOCHS))[: len(layout.EPOCHS) + 20]
    found = []
    for key in files(store):
        if key.startswith((layout.SNAPSHOTS, layout.RELEASES, layout.LEDGER, newest)) or key in named:
            continue
        if key.startswith(layout.ARTIFACTS) and key.rsplit("/", 1)[1].partition(".")[0] in attempts:
            continue
        found.append(key)
    return found


def _of_tables(store: FolderStore) -> Iterator[str]:
    for folder in sorted((store.root / "tables").iterdir()):
        dataset = lance.dataset(str(folder))
        base = f"tables/{folder.name}/"
        yield f"{base}_versions/latest_version_hint.json"
        for batch in dataset.tracked_files():
            yield from (base + path for path in batch["path"].to_pylist())
        kept = {f"s-{snapshot}" for snapshot in manifests(store)}
        yield from (f"{base}_refs/tags/{tag}.json" for tag in dataset.tags.list() if tag in kept)
