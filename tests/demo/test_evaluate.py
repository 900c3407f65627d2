"""The evaluation: its questions are fair, and its scores mean what they say."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from mediaflow.demo.captions import ATTRIBUTES, held_out_pairs
from mediaflow.demo.evaluate import CANDIDATES, Query, questions, score
from mediaflow.demo.footage import film_scenes
from mediaflow.demo.world import Scene

Asked = tuple[list[Query], list[Scene]]


@pytest.fixture(scope="module")
def asked() -> Asked:
    """Forty questions and the scenes for them."""
    return questions(40, seed=5)


def test_each_question_asks_for_a_held_out_pair_among_close_candidates(asked: Asked) -> None:
    queries, scenes = asked
    for query in queries:
        assert held_out_pairs(query.scene)
        assert len(set(query.candidates)) == CANDIDATES
        assert scenes[query.right] == query.scene
        assert [number for number in query.candidates if scenes[number] == query.scene] == [query.right]
        for attribute, number in query.near.items():
            assert number in query.candidates
            differing = [a for a in ATTRIBUTES if getattr(scenes[number], a) != getattr(query.scene, a)]
            assert differing == [attribute]


def test_one_who_knows_everything_reaches_one_and_one_who_confuses_an_attribute_fails_on_it(asked: Asked) -> None:
    queries, scenes = asked

    def vectors(described: list[Scene], blind_to: str = "") -> np.ndarray:
        known = [name for name in ATTRIBUTES if name != blind_to]
        kinds = sorted({(name, str(getattr(scene, name))) for scene in scenes for name in known})
        rows = [[float(str(getattr(scene, name)) == value) for name, value in kinds] for scene in described]
        return np.array(rows, np.float32)

    wanted = [query.scene for query in queries]
    perfect = score(queries, vectors(wanted), vectors(scenes), {})
    assert (perfect.recall_at_1, perfect.recall_at_5) == (1, 1)
    assert set(perfect.beats_near.values()) == set(perfect.by_pair.values()) == {1.0}
    blind = score(queries, vectors(wanted, "count"), vectors(scenes, "count"), {})
    assert blind.beats_near == {"object": 1, "colour": 1, "count": 0, "place": 1, "time": 1}
    wrong = score(queries, vectors(wanted[::-1]), vectors(scenes), {})
    assert wrong.recall_at_1 == 0


def test_filmed_scenes_come_back_in_their_order_as_kept_frames(tmp_path: Path) -> None:
    scenes = [
        Scene("ball", colour, 3, place, time)
        for colour, place, time in [("red", "snow", "day"), ("blue", "desert", "night"), ("yellow", "street", "day")]
    ]
    jpegs = film_scenes(scenes, tmp_path, seed=1)
    pictures = [cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB) for jpeg in jpegs]
    assert all(picture.shape == (180, 320, 3) for picture in pictures)
    red, blue, yellow = (picture.astype(np.int32) for picture in pictures)
    assert (red[..., 0] - red[..., 2] > 100).mean() > 0.05
    assert blue.mean() < 90 < min(red.mean(), yellow.mean())
    assert (blue[..., 2] - blue[..., 0] > 60).mean() > 0.02
    assert (np.minimum(yellow[..., 0], yellow[..., 1]) - yellow[..., 2] > 100).mean() > 0.02
