"""A server in a process of its own, over the harbour, with the honest twins of what encodes queries."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Any

import polars as pl

from mediaflow.search.engine import Gateways, SearchEngine
from mediaflow.serve.access import audit
from mediaflow.serve.access.door import Door
from mediaflow.serve.access.keys import Keys
from mediaflow.serve.access.rates import Rates
from mediaflow.serve.cursors import Cursors
from mediaflow.serve.media.extracts import Extracts
from mediaflow.serve.media.links import Links
from mediaflow.serve.media.routes import Media
from mediaflow.serve.server import Address, serve
from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.reader import Releases
from mediaflow.snapshots.release import Release
from mediaflow.storage import layout
from mediaflow.storage.objects import FolderStore
from tests.search.harbour import make_world
from tests.search.world import BOX, LABEL, RANGE, TEXT, OneEncoder, RawPictures, World

OUT = {
    "title_id": "meadow",
    "start_ms": 600,
    "end_ms": 1000,
    "text": "The way out",
    "confidence": 0.75,
    "x": 0.25,
    "y": 0.125,
    "w": 0.25,
    "h": 0.125,
}
SCENE: dict[str, Any] = {
    "in_door": pl.Boolean,
    "people": pl.Int8,
    "pixels": pl.UInt64,
    "light": pl.Float32,
    "mood": pl.String,
    "tags": pl.List(pl.String),
    "lines": pl.List(pl.Int64),
    "corner": pl.Array(pl.Float32, 2),
    "place": pl.Struct({"floor": pl.Int32, "room_names": pl.List(pl.String)}),
    "value": pl.Float64,
}
_SCENE = {"start_ms": 0, "end_ms": 3000, "label": "day", "confidence": 0.5, "in_door": True, "people": 2}
SCENES: list[dict[str, Any]] = [
    {
        **_SCENE,
        "title_id": "harbour",
        "pixels": 2**60 + 1,
        "light": 0.1,
        "mood": "Calm",
        "tags": ["Night", "rain"],
        "lines": [2**60, 3],
        "corner": [0.25, 0.5],
        "place": {"floor": 1, "room_names": ["hall"]},
        "value": 1.5,
    },
    {**_SCENE, "title_id": "meadow", "light": float("nan"), "in_door": False, "people": 7, "tags": [], "value": 0.5},
    {**_SCENE, "title_id": "night-shift-s01e01", "label": "night", "people": -1, "light": 0.75, "mood": "calm"},
    {**_SCENE, "title_id": "night-shift-s01e02", "label": "night", "people": None, "pixels": 5, "tags": ["night"]},
]
_FACE = {"title_id": "meadow", "start_ms": 500, "end_ms": 900, "x": 0.0, "y": 0.5, "w": 0.125, "h": 0.25}
CROWD: list[dict[str, Any]] = [
    {**_FACE, "vector": [1.0, 0.0]},
    {**_FACE, "x": 0.75, "vector": [0.6, 0.8]},
    {**_FACE, "y": 0.0, "vector": [0.0, 1.0]},
    {**_FACE, "title_id": "harbour", "vector": [0.0, 1.0]},
]
FACE = {**RANGE, **dict.fromkeys("xywh", pl.Float32), "vector": pl.Array(pl.Float16, 2)}
KEY = "a key of the tests alone"


def publish(home: Path) -> FolderStore:
    """Write the harbour into the store of a home, and release it."""
    world = make_world(home / "store")
    world.algorithm("onscreen_text", "boxed_text", {**TEXT, **BOX}, [OUT])
    world.algorithm("scenes", "label", {**LABEL, **SCENE}, SCENES, (*LABEL, *SCENE))
    world.algorithm("crowd", "frame_vector", FACE, CROWD)
    return release(home, world)


def release(home: Path, world: World) -> FolderStore:
    """Release a world in the store of a home; nothing of it names a model that is elsewhere."""
    return release_manifest(home, 1, dataclasses.replace(world.reader().manifest, encoders={}))


def release_manifest(home: Path, number: int, manifest: Manifest) -> FolderStore:
    """Make a snapshot the release of a number."""
    store = FolderStore(home / "store")
    store.put(layout.snapshot(manifest.id), manifest.to_json())
    assert Releases(store).add(Release(number, manifest.id, manifest.epoch))
    return store


def engine(store: FolderStore) -> SearchEngine:
    """Return an engine over a store."""
    return SearchEngine(store, Gateways(OneEncoder(), RawPictures()), ttl_ms=2_000)


if __name__ == "__main__":
    home, *limit = sys.argv[1:]
    store = FolderStore(Path(home) / "store")
    door = Door(Keys(store), rates=Rates(int(limit[0]) if limit else 0))
    answers = engine(store)
    with audit.kept(Path(home)):
        serve(
            answers,
            Cursors(KEY),
            Address(port=0, grpc_port=0),
            lambda sentence: print(sentence, flush=True),
            door,
            Media(Links(KEY, previews=False), Extracts(answers, store)),
        )
