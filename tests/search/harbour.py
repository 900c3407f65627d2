"""A harbour, a meadow and a series: the small snapshot that tests of the search ask."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from mediaflow.search.gateway import Gateway
from mediaflow.search.query import (
    Clause,
    Filters,
    Query,
)
from mediaflow.search.results import Hit
from mediaflow.storage.objects import FolderStore
from tests.search.world import (
    BOX,
    LABEL,
    SCORE,
    SHOT_VECTOR,
    TEXT,
    ColourEncoder,
    World,
    cue,
    shot,
)

OWN = ("name", "age", "seen")
FACES = [
    {
        "title_id": "harbour",
        "start_ms": 0,
        "end_ms": 3000,
        "label": "Face",
        "confidence": 0.4,
        "name": "Ann",
        "age": 30,
        "seen": True,
    },
    {
        "title_id": "meadow",
        "start_ms": 0,
        "end_ms": 3000,
        "label": "face",
        "confidence": 0.9,
        "name": "O'Neil",
        "age": 40,
        "seen": False,
    },
    {
        "title_id": "meadow",
        "start_ms": 3000,
        "end_ms": 6000,
        "label": "Faces",
        "confidence": 0.9,
        "name": None,
        "age": None,
        "seen": None,
    },
]
SIGNS = [
    {
        "title_id": "meadow",
        "start_ms": 500,
        "end_ms": 900,
        "text": "No Exit",
        "confidence": 0.8,
        "x": 0.25,
        "y": 0.5,
        "w": 0.125,
        "h": 0.0625,
    }
]
LOUD = [
    {"title_id": "harbour", "start_ms": 0, "end_ms": 1000, "score": 0.9, "level": -3.5},
    {"title_id": "meadow", "start_ms": 0, "end_ms": 1000, "score": 0.3, "level": -20.0},
]


def make_world(folder: Path, without: frozenset[str] = frozenset()) -> World:
    world = World(FolderStore(folder), without=without)
    world.title("harbour", {"Ann Lee": "Maria Rivera", "Bo Ek": "Captain Ström"}, year=1994, genres=["Drama", "Sci-Fi"])
    world.title("meadow", {"Ann Lee": "Eve", "Cy Dow": "Maria"}, year=2001, genres=["Comédie"])
    episode = {"kind": "episode", "series": "Night Shift", "season": 1}
    world.title("night-shift-s01e02", {"Bo Ek": None}, title="Second", year=2010, **(episode | {"episode": 2}))
    world.title("night-shift-s01e01", title="First", year=2009, **(episode | {"episode": 1}))
    world.title("night-shift-s02e01", title="Third", **(episode | {"season": 2, "episode": 1}))
    world.visual(
        shot("harbour", 0, 5000, "red car"),
        shot("harbour", 5000, 10_000, "blue car"),
        shot("meadow", 0, 8000, "green tree"),
        shot("night-shift-s01e02", 0, 4000, "yellow lamp"),
        shot("night-shift-s01e01", 0, 4000, "red red lamp"),
        shot("night-shift-s02e01", 0, 4000, "white"),
    )
    world.dialogue(
        cue("harbour", 4000, 6000, "Hello out there", speaker="MARIA"),
        cue("harbour", 8000, 9000, "Hello hello", speaker="Ström (off)"),
        cue("harbour", 8100, 9100, "Hallo hello", language="de", speaker="Ström (off)"),
        cue("meadow", 1000, 2000, "Hello you", speaker="Eve"),
        cue("night-shift-s01e02", 100, 900, "hello from the deep", speaker="Maria"),
        cue("night-shift-s01e01", 100, 900, "The deep end", kind="chapter"),
    )
    world.algorithm("faces", "label", {**LABEL, "name": pl.String, "age": pl.Int32, "seen": pl.Boolean}, FACES, OWN)
    world.algorithm("signs", "boxed_text", {**TEXT, **BOX}, SIGNS)
    world.algorithm("loud", "range", {**SCORE, "level": pl.Float32}, LOUD, ("level",))
    plain = [
        {
            "title_id": "meadow",
            "start_ms": 0,
            "end_ms": 9,
            "shot_no": 0,
            "vector": ColourEncoder().encode_texts(["red"])[0],
        }
    ]
    world.algorithm("motion", "shot_vector", SHOT_VECTOR, plain)
    return world


def ask(gateway: Gateway, *clauses: Clause, **filters: object) -> list[Hit]:
    return list(gateway.search(Query(clauses, Filters(**filters))))  # type: ignore[arg-type]


def moments(hits: list[Hit]) -> list[tuple[str, int, int]]:
    return [(hit.title_id, hit.start_ms, hit.end_ms) for hit in hits]
