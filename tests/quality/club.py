"""A club of two films, the questions of the docs to it, and snapshots of it: what tests of the quality share."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from mediaflow.search.gateway import Gateway
from mediaflow.snapshots.reader import SnapshotReader
from mediaflow.storage.objects import FolderStore
from tests.search.world import MODEL, OneEncoder, RawPictures, World, cue, shot

NIGHT, PAPER = "night-drive-2011", "the-paper-signal-1956"
SNAPSHOT = "00000000000000000004-2c06b7b8"
PAGE = Path(__file__).parents[2] / "docs" / "evaluation.md"
QUESTIONS = next(iter(re.findall(r"```toml\n(.*?)```", PAGE.read_text(), re.DOTALL)))


def gateway(store: FolderStore, snapshot: str = SNAPSHOT, snow: str = "snow fog") -> Gateway:
    """Publish the club as a snapshot and open it; `snow` is what the shot that is asked for looks like."""
    world = World(store)
    world.title(NIGHT, {"Ann Lee": "Maria"})
    world.title(PAPER)
    world.visual(
        shot(NIGHT, 60_000, 65_000, "red car night"),
        shot(NIGHT, 85_000, 95_000, "green car"),
        shot(NIGHT, 95_000, 99_000, "snow"),
        shot(PAPER, 240_000, 248_000, "blue snow"),
        shot(PAPER, 250_000, 252_000, snow),
    )
    world.dialogue(
        cue(NIGHT, 88_000, 89_500, "You never left, did you?"),
        cue(PAPER, 5_000, 7_000, "Who never left a light on?"),
        cue(PAPER, 727_000, 729_000, "I never left."),
        cue(PAPER, 800_000, 801_000, "Ich war nie fort.", language="de"),
    )
    manifest = dataclasses.replace(world.reader().manifest, id=snapshot, encoders={MODEL: "demo"})
    return Gateway(SnapshotReader(store, manifest), OneEncoder(), RawPictures())


def golden(folder: Path) -> Path:
    """Write the questions."""
    file = folder / "golden.toml"
    file.write_text(QUESTIONS)
    return file
