"""What is similar to a clip, to a part of a title, or to a vector of one's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mediaflow.errors import UsageError
from mediaflow.search.gateway import Gateway
from mediaflow.search.query import (
    AllOf,
    Clause,
    Dialogue,
    Filters,
    Not,
    Query,
    SimilarToClip,
    SimilarToRange,
    SimilarToVector,
)
from mediaflow.storage.objects import FolderStore
from tests.search.harbour import ask, moments
from tests.search.world import COLOURS, DIM, SHOT_VECTOR, ColourEncoder, World, cue, shot

FILMS = {
    "harbour": ("red", "green", "blue", "white", "yellow", "red", "blue"),
    "meadow": ("green", "red", "green", "blue", "white"),
    "night": ("blue", "green", "red"),
    "one-shot": ("white",),
}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """Films of shots of one colour, a second each."""
    world = World(FolderStore(tmp_path_factory.mktemp("store")))
    for film in FILMS:
        world.title(film)
    world.visual(
        *(
            shot(film, 1000 * at, 1000 * at + 1000, look)
            for film, looks in FILMS.items()
            for at, look in enumerate(looks)
        )
    )
    world.dialogue(cue("meadow", 2500, 3500, "land ahoy"), cue("night", 0, 900, "land"))
    vector = ColourEncoder().encode_texts(["red"])[0]
    plain = {"title_id": "night", "start_ms": 0, "end_ms": 9, "shot_no": 0, "vector": vector}
    world.algorithm("motion", "shot_vector", SHOT_VECTOR, [plain])
    return world.gateway()


def clip(*colours: str, name: str = "clip.mp4") -> SimilarToClip:
    """A clip of shots of one colour each."""
    return SimilarToClip(b"".join(bytes(255 * part for part in COLOURS[one]) for one in colours), name)


def vector(*numbers: float) -> tuple[float, ...]:
    return (*numbers, *[0.0] * (DIM - len(numbers)))


def test_a_clip_finds_where_its_shots_come_one_after_the_other(gateway: Gateway) -> None:
    best, second, *_ = ask(gateway, clip("green", "blue", "white", "yellow"))
    assert moments([best, second]) == [("harbour", 1000, 5000), ("meadow", 2000, 5000)]
    assert best.score == pytest.approx(1, abs=1e-3)
    # Of the yellow one there is but the white.
    assert second.score == pytest.approx((3 + np.sqrt(2 / 3)) / 4, abs=1e-3)
    assert [source.algorithm for source in best.sources] == ["visual"]
    assert 1000 <= best.sources[0].start_ms < best.sources[0].end_ms <= 5000


def test_a_clip_of_one_shot_is_a_picture(gateway: Gateway) -> None:
    hits = ask(gateway, clip("white"))
    assert moments(hits[:3]) == [("harbour", 3000, 4000), ("meadow", 4000, 5000), ("one-shot", 0, 1000)]


def test_a_part_of_a_title_finds_the_same_elsewhere_and_not_itself(gateway: Gateway) -> None:
    for start_ms, end_ms in ((1000, 4000), (1999, 3001), (1500, 3500)):
        hits = ask(gateway, SimilarToRange("harbour", start_ms, end_ms))
        assert moments(hits)[0] == ("meadow", 2000, 5000)
        assert not [hit for hit in hits if hit.title_id == "harbour" and hit.start_ms < 4000 and hit.end_ms > 1000]
    within = ask(gateway, SimilarToRange("Harbour", 5000, 7000), titles=("harbour",))
    assert within and all(hit.title_id == "harbour" and hit.end_ms <= 5000 for hit in within)


def test_filters_and_other_clauses_hold_for_clips(gateway: Gateway) -> None:
    asked = clip("green", "blue", "white", "yellow")
    assert moments(ask(gateway, asked, titles=("night", "meadow")))[0] == ("meadow", 2000, 5000)
    spoken = gateway.search(Query((AllOf((asked, Dialogue("ahoy"))),), Filters()))
    assert moments(list(spoken)) == [("meadow", 2500, 3500)]
    with pytest.raises(UsageError, match="matter of degree"):
        ask(gateway, AllOf((Dialogue("land"), Not(asked))))


def test_a_vector_finds_the_nearest_rows_whatever_its_length(gateway: Gateway) -> None:
    for length in (1.0, 1e-300, 1e300):
        hits = ask(gateway, SimilarToVector(vector(length, length)))
        assert moments(hits)[0] == ("harbour", 4000, 5000)
        assert hits[0].score == pytest.approx(1, abs=1e-3)
    assert moments(ask(gateway, SimilarToVector(vector(1), "motion"))) == [("night", 0, 9)]


_NUMBERS = f"is {DIM} finite numbers, not all of them 0"
WRONG: list[tuple[Clause, str]] = [
    (SimilarToClip(b"no clip?", "x.txt"), "^'x.txt' is no media file"),
    (SimilarToRange("harbour", 2000, 2000), "it must end after it begins"),
    (SimilarToRange("harbour", 3000, 2000), "it must end after it begins"),
    (SimilarToRange("harbour", 7000, 9000), "'harbour' from 7.000 s to 9.000 s has no shot that could be compared"),
    (SimilarToRange("harbour", 10**30, 10**31), "has no shot that could be compared"),
    (SimilarToRange("zzz", 0, 1000), "There is no title 'zzz'"),
    (SimilarToVector((1.0,)), _NUMBERS),
    (SimilarToVector(()), _NUMBERS),
    (SimilarToVector(vector()), _NUMBERS),
    (SimilarToVector(vector(float("nan"))), _NUMBERS),
    (SimilarToVector(vector(float("inf"))), _NUMBERS),
    (SimilarToVector(vector(1), "dialogue"), "'dialogue' gives no vectors"),
    (SimilarToVector(vector(1), "faces"), "nothing of 'faces'"),
]


@pytest.mark.parametrize(("clause", "sentence"), WRONG, ids=[f"{clause!r:.40} {said}" for clause, said in WRONG])
def test_what_cannot_be_compared_gets_a_sentence(gateway: Gateway, clause: Clause, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        ask(gateway, clause)


def test_a_shot_counts_by_how_long_it_is(tmp_path: Path) -> None:
    world = World(FolderStore(tmp_path))
    for film in ("asked", "long", "short"):
        world.title(film)
    world.visual(
        shot("asked", 0, 9000, "red"),
        shot("asked", 9000, 9500, "green"),
        shot("asked", 9500, 10_000, "blue"),
        shot("long", 0, 9000, "red"),
        shot("short", 0, 500, "green"),
        shot("short", 500, 1000, "blue"),
    )
    hits = ask(world.gateway(), SimilarToRange("asked", 0, 10_000))
    assert moments(hits) == [("long", 0, 9000), ("short", 0, 1000)]
    assert [hit.score for hit in hits] == pytest.approx([0.9, 0.1], abs=1e-3)


def test_a_range_of_very_many_shots_is_refused(tmp_path: Path) -> None:
    world = World(FolderStore(tmp_path))
    world.title("film")
    world.visual(*(shot("film", at, at + 1, "red") for at in range(130)))
    gateway = world.gateway()
    with pytest.raises(UsageError, match="more than 128 shots; give a shorter range"):
        ask(gateway, SimilarToRange("film", 0, 129))
    assert ask(gateway, SimilarToRange("film", 0, 128))
