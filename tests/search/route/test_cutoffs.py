"""Everything above a cut-off: an answer that ends, with as many wrong ones as were allowed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mediaflow.search.gateway import Gateway
from mediaflow.search.query import AllOf, Dialogue, Not, Query, SimilarToPicture, SimilarToShot, Visual
from mediaflow.search.route.cutoffs import CutOffs
from mediaflow.storage.objects import FolderStore
from tests.search.world import DIM, ColourEncoder, OneEncoder, RawPictures, World, cue, shot

# Words whose vectors do not meet; of the colours some do.
LOOKS = ["red", "green", "blue", "harbour", "meadow", "train"]
SHOTS = 600


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Two films of shots that look like one thing each, more or less."""
    draw = np.random.default_rng(4)
    world = World(FolderStore(tmp_path_factory.mktemp("store")))
    for title_id in ("one", "two"):
        world.title(title_id)
    looks = [str(draw.choice(LOOKS)) for _ in range(SHOTS)]
    vectors = ColourEncoder().encode_texts(looks) + draw.normal(scale=0.08, size=(SHOTS, DIM))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    shots = [shot("one" if at % 2 else "two", 10 * at, 10 * at + 10, looks[at]) for at in range(SHOTS)]
    world.visual(*({**one, "vector": vector} for one, vector in zip(shots, vectors, strict=True)))
    world.dialogue(*(cue("one", 10 * at, 10 * at + 9, "sail") for at in range(SHOTS)))
    world.looks = looks  # type: ignore[attr-defined]
    return world


@pytest.fixture(scope="module")
def gateway(world: World) -> Gateway:
    return world.gateway()


@pytest.mark.parametrize("thing", LOOKS)
def test_everything_that_looks_so_and_nothing_else(world: World, gateway: Gateway, thing: str) -> None:
    results = gateway.search(Query((Visual(thing, everything=True),), limit=1000))
    wanted = {10 * at for at, looks in enumerate(world.looks) if looks == thing}  # type: ignore[attr-defined]
    found = {hit.start_ms for hit in results}
    assert len(found & wanted) >= 0.95 * len(wanted)
    assert len(found - wanted) <= 0.05 * len(wanted)
    assert results.counted and results.next_offset is None


def test_a_shot_and_a_picture_have_a_cut_off_too(world: World, gateway: Gateway) -> None:
    looks = world.looks  # type: ignore[attr-defined]
    red = {10 * at for at, one in enumerate(looks) if one == "red"}
    at = min(red)
    for clause in (
        SimilarToShot("two" if at % 20 == 0 else "one", at, everything=True),
        SimilarToPicture(bytes((255, 0, 0)), everything=True),
    ):
        found = {hit.start_ms for hit in gateway.search(Query((clause,), limit=1000))}
        assert len(found & red) >= 0.9 * (len(red) - 1)
        assert len(found - red) <= 0.05 * len(red)


def test_the_rate_is_that_of_queries_that_mean_nothing_there(world: World) -> None:
    gateway = world.gateway()
    vectors = gateway.reader.table("visual-g1").to_table(columns=["vector"])["vector"].combine_chunks()
    rows = vectors.flatten().to_numpy(zero_copy_only=False).astype(np.float32).reshape(SHOTS, -1)
    words = [f"a picture of a {one}{other}" for one in "klmnop" for other in "qrstuv"]
    unrelated = ColourEncoder().encode_texts(words)
    for rate in (0.001, 0.01, 0.1):
        cutoffs = CutOffs(lambda _: gateway.reader.table("visual-g1"), rate)
        least = [cutoffs.of_text("visual", ColourEncoder(), text) for text in unrelated]
        assert (rows @ unrelated.T > least).mean() < 4 * rate


class Likes:
    """An encoder whose unrelated texts are all near to all pictures."""

    identity = "likes"

    def encode_texts(self, texts: list[str]) -> np.ndarray:
        vectors = np.random.default_rng(6).normal(scale=0.05, size=(len(texts), DIM))
        vectors[:, 0] += 1
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def outstanding(folder: Path, share: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Return which rows show a thing, how similar they are to a text for it, and its cut-off."""
    draw = np.random.default_rng(5)
    world = World(FolderStore(folder))
    world.title("one")
    shows = np.arange(SHOTS) < share * SHOTS
    vectors = draw.normal(scale=0.03, size=(SHOTS, DIM))
    vectors[:, 0] += 1
    vectors[shows, 1] += 0.5
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    rows = [shot("one", 10 * at, 10 * at + 10, "red") for at in range(SHOTS)]
    world.visual(*({**one, "vector": vector} for one, vector in zip(rows, vectors, strict=True)))
    text = np.zeros(DIM, np.float32)
    text[1] = 1
    reader = world.reader()
    least = CutOffs(lambda _: reader.table("visual-g1"), 0.01).of_text("visual", Likes(), text)  # type: ignore[arg-type]
    return shows, vectors @ text, least


def test_a_text_that_is_far_from_all_pictures_finds_those_that_stand_out(tmp_path: Path) -> None:
    shows, similar, least = outstanding(tmp_path, 0.2)
    # Unrelated texts are nearer to any row than this one is to what it means.
    assert similar.max() < 0.6
    assert (similar >= least)[shows].mean() > 0.95
    assert (similar >= least)[~shows].mean() < 0.02


def test_what_fits_most_rows_has_the_cut_off_of_all_texts(tmp_path: Path) -> None:
    _, similar, least = outstanding(tmp_path, 0.8)
    assert least > similar.max()


def test_what_is_above_a_cut_off_can_be_taken_away(world: World, gateway: Gateway) -> None:
    query = Query((AllOf((Dialogue("sail"), Not(Visual("red", everything=True)))),), limit=1000)
    left = {hit.start_ms for hit in gateway.search(query)}
    looks = world.looks  # type: ignore[attr-defined]
    red = {10 * at for at, one in enumerate(looks) if one == "red" and at % 2}
    others = {10 * at for at in range(SHOTS)} - red
    assert len(left & red) <= 0.05 * len(red) and len(left & others) >= 0.95 * len(others)


def test_how_many_are_expected_by_chance_is_told(world: World) -> None:
    gateway = Gateway(world.reader(), OneEncoder(), RawPictures(), false_positives=0.01)
    (step,) = gateway.explain(Query((Visual("red", everything=True),)))
    assert (step.algorithm, step.how, step.may_answer, step.cut) == ("visual", "exact", SHOTS, False)
    assert step.by_chance == pytest.approx(6.0)
    assert step.least is not None and 0 < step.least < 1
    words, ranked = gateway.explain(Query((AllOf((Dialogue("sail"), Visual("red"))),)))
    assert (words.algorithm, words.how, words.found) == ("dialogue", "words", SHOTS)
    assert (ranked.clause, ranked.how, ranked.may_answer, ranked.by_chance) == (1, "exact", SHOTS // 2, None)
