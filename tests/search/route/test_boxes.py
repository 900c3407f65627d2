"""Boxes: regions of the picture and how rows stand in it, beside the definition, row by row."""

from __future__ import annotations

from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaflow.errors import UsageError
from mediaflow.search.gateway import Gateway
from mediaflow.search.query import (
    AllOf,
    Clause,
    Dialogue,
    Not,
    Onscreen,
    Query,
    Region,
    SimilarToVector,
    SpaceJoin,
    Visual,
    Where,
)
from mediaflow.storage.objects import FolderStore
from tests.search.post.test_joins import naive
from tests.search.world import BOX, DIM, RANGE, TEXT, World, cue, shot

WORDS = ("exit", "open", "taxi")
# Of a grid of eighths: many boxes touch, and all sums are exact.
GRID = 8


def _rows(seed: int, count: int) -> list[dict[str, object]]:
    draw = np.random.default_rng(seed)
    rows: list[dict[str, object]] = []
    for _ in range(count):
        start = int(draw.integers(0, 40))
        x, y = (int(draw.integers(0, GRID - 1)) for _ in range(2))
        w, h = (int(draw.integers(1, GRID - at + 1)) for at in (x, y))
        box = {"x": x / GRID, "y": y / GRID, "w": w / GRID, "h": h / GRID}
        rows.append(
            {
                "title_id": f"film-{draw.integers(2)}",
                "start_ms": start,
                "end_ms": start + int(draw.integers(1, 9)),
                "text": str(draw.choice(WORDS)),
                "confidence": round(float(draw.uniform(0.3, 1)), 2),
                **box,
            }
        )
    return rows


SIGNS = _rows(1, 60)
FACE = {
    **RANGE,
    **{name: kind for name, kind in BOX.items() if name != "confidence"},
    "vector": pl.Array(pl.Float16, 64),
}


def _looks() -> np.ndarray:
    """Return unit vectors (words, 64) that have nothing to do with each other."""
    vectors = np.random.default_rng(2).normal(size=(len(WORDS), 64))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def _faces() -> list[dict[str, object]]:
    """Return the signs as faces: rows of one word look nearly the same."""
    draw = np.random.default_rng(3)
    rows = []
    for sign in SIGNS:
        vector = _looks()[WORDS.index(str(sign["text"]))] + draw.normal(size=64) / 40
        rows.append({**sign, "vector": vector / np.linalg.norm(vector)})
    return rows


def alike(word: str, region: Region | None = None) -> SimilarToVector:
    """Return the clause for all faces that look like a word."""
    return SimilarToVector(tuple(_looks()[WORDS.index(word)].tolist()), "faces", region, everything=True)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """Two films with signs in the picture."""
    world = World(FolderStore(tmp_path_factory.mktemp("store")))
    for title_id in ("film-0", "film-1"):
        world.title(title_id)
    world.algorithm("onscreen_text", "boxed_text", TEXT | BOX, SIGNS)
    world.algorithm("faces", "frame_vector", FACE, _faces())
    world.dialogue(cue("film-0", 0, 40, "sail"))
    world.visual(shot("film-0", 0, 40, "red"))
    return world.gateway()


def found(gateway: Gateway, clause: Clause) -> list[tuple[str, int, int]]:
    """Return what is found; rows of one range are one moment."""
    hits = gateway.search(Query((AllOf((clause,)),), limit=1000)).hits
    return sorted((hit.title_id, hit.start_ms, hit.end_ms) for hit in hits)


def ranges(rows: list[dict[str, object]]) -> list[tuple[str, int, int]]:
    return sorted({(row["title_id"], row["start_ms"], row["end_ms"]) for row in rows})  # type: ignore[misc]


eighths = st.integers(0, GRID - 1).flatmap(lambda at: st.tuples(st.just(at), st.integers(1, GRID - at)))


@given(st.sampled_from(WORDS), eighths, eighths, st.sampled_from(["overlaps", "inside"]), st.sampled_from([0.0, 0.7]))
def test_a_region_holds_what_its_edges_say(
    gateway: Gateway, word: str, across: tuple[int, int], down: tuple[int, int], relation: str, least: float
) -> None:
    (x, w), (y, h) = across, down
    region = Region(x / GRID, y / GRID, w / GRID, h / GRID, relation)  # type: ignore[arg-type]

    def fits(row: dict[str, float]) -> bool:
        left, top, right, bottom = (
            round(n * GRID) for n in (row["x"], row["y"], row["x"] + row["w"], row["y"] + row["h"])
        )
        if relation == "inside":
            return x <= left and y <= top and right <= x + w and bottom <= y + h
        return left < x + w and x < right and top < y + h and y < bottom

    wanted = [row for row in SIGNS if row["text"] == word and row["confidence"] >= least and fits(row)]  # type: ignore[operator, arg-type]
    assert found(gateway, Onscreen(word, region, least)) == ranges(wanted)
    if not least:
        assert found(gateway, Where("onscreen_text", word, region=region)) == ranges(wanted)
        assert found(gateway, alike(word, region)) == ranges(wanted)


@given(st.sampled_from(WORDS), st.sampled_from(WORDS), st.sampled_from(["same_frame", "left_of", "above"]))
def test_rows_that_are_seen_together_stand_as_they_stand(gateway: Gateway, one: str, other: str, relation: str) -> None:
    wanted = set()
    left, right = ([row for row in SIGNS if row["text"] == word] for word in (one, other))
    for a, b in product(left, right):
        rows = [(row["title_id"], row["start_ms"], row["end_ms"]) for row in (a, b)]
        stands = {
            "same_frame": True,
            "left_of": a["x"] + a["w"] <= b["x"],  # type: ignore[operator]
            "above": a["y"] + a["h"] <= b["y"],  # type: ignore[operator]
        }
        if a is not b and stands[relation] and naive(rows[:1], rows[1:], "overlap", 0):  # type: ignore[arg-type]
            wanted.add((a["title_id"], max(a["start_ms"], b["start_ms"]), min(a["end_ms"], b["end_ms"])))  # type: ignore[type-var]
    assert found(gateway, SpaceJoin(Onscreen(one), Onscreen(other), relation)) == sorted(wanted)  # type: ignore[arg-type]
    assert found(gateway, SpaceJoin(alike(one), alike(other), relation)) == sorted(wanted)  # type: ignore[arg-type]


def test_hits_show_the_boxes_of_the_nearest_faces(gateway: Gateway) -> None:
    hits = gateway.search(Query((SimilarToVector(alike("taxi").vector, "faces"),), limit=5)).hits
    taxis = {(row["title_id"], row["start_ms"], row["x"], row["y"]) for row in SIGNS if row["text"] == "taxi"}
    for hit in hits:
        best = hit.sources[0]
        assert best.box is not None
        assert (hit.title_id, best.start_ms, best.box.x, best.box.y) in taxis
    assert hits[0].score > 0.9


def test_near_misses_are_no_hits(gateway: Gateway) -> None:
    lower, upper = Region(0, 0.5, 1, 0.5, "inside"), Region(0, 0, 1, 0.5, "inside")
    both = AllOf((Onscreen("exit", upper), Not(Onscreen("exit", lower))))
    assert set(found(gateway, both)) < set(found(gateway, Onscreen("exit", upper)))


@pytest.mark.parametrize(
    ("clause", "said"),
    [
        (Onscreen("exit", Region(0.5, 0, 0.6, 1)), "fractions of the picture"),
        (Onscreen("exit", Region(0, 0, 0, 1)), "fractions of the picture"),
        (Onscreen("exit", Region(float("nan"), 0, 1, 1)), "fractions of the picture"),
        (Where("dialogue", "sail", region=Region(0, 0, 1, 1)), "'dialogue' have no boxes"),
        (SpaceJoin(Dialogue("sail"), Onscreen("exit"), "above"), "'dialogue' have no boxes"),
        (SpaceJoin(Onscreen("exit"), Visual("red"), "above"), "'visual' have no boxes"),
        (SimilarToVector((1.0,) * DIM, "visual", Region(0, 0, 1, 1)), "'visual' have no boxes"),
        (SimilarToVector((1.0,), "faces"), "is 64 finite numbers"),
        (SimilarToVector((1.0,), "onscreen_text"), "gives no vectors"),
        (Where("faces", "red"), "has no model that could compare"),
    ],
)
def test_a_box_where_there_is_none_is_a_sentence(gateway: Gateway, clause: Clause, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        gateway.search(Query((clause,)))
