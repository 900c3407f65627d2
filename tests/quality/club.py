"""A club of two films, a file of questions to them, and snapshots of it: what tests of the quality share."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from mediaflow.search.gateway import Gateway
from mediaflow.snapshots.reader import SnapshotReader
from mediaflow.storage.objects import FolderStore
from tests.search.world import MODEL, OneEncoder, RawPictures, World, cue, shot

NIGHT, PAPER = "night-drive-2011", "the-paper-signal-1956"
SNAPSHOT = "00000000000000000004-2c06b7b8"
QUESTIONS = """\
tolerance = "2"                    # of all questions; one second without it

[[question]]                       # as for mediaflow search, by the names of its options
visual = "a red car at night"
title = "night-drive-2011"         # the title's id
time = "00:01:02.500"

[[question]]
dialogue = "never left"
language = "en"
answers = [                        # several are right, and the first is worth more
  { title = "the-paper-signal-1956", time = "12:07", grade = 3 },
  { title = "night-drive-2011", time = "1:30" },
]

[[question]]
visual = "snow"
title = "the-paper-signal-1956"
time = "00:04:10"
tolerance = "0.5"

[[question]]
dialogue = "dragon"
answers = []                       # nobody says that
"""


def gateway(store: FolderStore, snapshot: str = SNAPSHOT, snow: str = "snow") -> Gateway:
    """Publish the club as a snapshot and open it; `snow` is what the shot that is asked for looks like."""
    world = World(store)
    world.title(NIGHT, {"Ann Lee": "Maria"})
    world.title(PAPER)
    world.visual(
        shot(NIGHT, 60_000, 65_000, "red car night"),
        shot(NIGHT, 85_000, 95_000, "green car"),
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
