"""A server in a process of its own, over the harbour, with the honest twins of what encodes queries."""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

from mediaflow.search.engine import Gateways, SearchEngine
from mediaflow.serve.cursors import Cursors
from mediaflow.serve.media.extracts import Extracts
from mediaflow.serve.media.links import Links
from mediaflow.serve.media.routes import Media
from mediaflow.serve.server import Address, serve
from mediaflow.snapshots.reader import Releases
from mediaflow.snapshots.release import Release
from mediaflow.storage import layout
from mediaflow.storage.objects import FolderStore
from tests.search.harbour import make_world
from tests.search.world import BOX, TEXT, OneEncoder, RawPictures, World

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
KEY = "a key of the tests alone"


def publish(home: Path) -> FolderStore:
    """Write the harbour into the store of a home, and release it."""
    world = make_world(home / "store")
    world.algorithm("onscreen_text", "boxed_text", {**TEXT, **BOX}, [OUT])
    return release(home, world)


def release(home: Path, world: World) -> FolderStore:
    """Release a world in the store of a home; nothing of it names a model that is elsewhere."""
    manifest = dataclasses.replace(world.reader().manifest, encoders={})
    store = FolderStore(home / "store")
    store.put(layout.snapshot(manifest.id), manifest.to_json())
    assert Releases(store).add(Release(1, manifest.id, manifest.epoch))
    return store


def engine(store: FolderStore) -> SearchEngine:
    """Return an engine over a store."""
    return SearchEngine(store, Gateways(OneEncoder(), RawPictures()), ttl_ms=2_000)


if __name__ == "__main__":
    store = FolderStore(Path(sys.argv[1]) / "store")
    answers = engine(store)
    serve(
        answers,
        Cursors(KEY),
        Address(port=0, grpc_port=0),
        lambda sentence: print(sentence, flush=True),
        Media(Links(KEY, previews=False), Extracts(answers, store)),
    )
