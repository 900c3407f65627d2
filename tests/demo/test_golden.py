"""The demo's file of questions: each as it was asked, and right is the shot that the truth names and no other."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediaflow.demo.golden import write_golden
from mediaflow.demo.library import make_library
from mediaflow.demo.questions import questions
from mediaflow.demo.truth import FilmTruth
from mediaflow.quality.asking import taken
from mediaflow.quality.questions import read
from mediaflow.search.query import Dialogue, SimilarToPicture, Visual
from mediaflow.search.results import Hit


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FilmTruth]:
    """The demo's library by its truth, drawn small."""
    root = tmp_path_factory.mktemp("world")
    return make_library(root / "library", root / "truth", size=(64, 36))


def test_the_file_asks_what_the_demo_asks(truth: dict[str, FilmTruth], tmp_path: Path) -> None:
    asked = questions(truth)
    ids = {path: f"title-{number}" for number, path in enumerate(truth)}
    file = tmp_path / "golden" / "golden.toml"
    write_golden(file, asked, ids, lambda path, time_ms: f"{path} at {time_ms}".encode())
    written = list(read(file))
    assert len(written) == len(asked)
    for one, question in zip(asked, written, strict=True):
        clauses = {type(clause): clause for clause in question.query.clauses}
        visual, dialogue, image = (clauses.get(kind) for kind in (Visual, Dialogue, SimilarToPicture))
        assert visual == (Visual(one.visual) if one.visual else None)
        assert dialogue == (Dialogue(one.dialogue, one.language) if one.dialogue else None)
        shown = isinstance(image, SimilarToPicture) and image.data.decode()
        assert shown == (f"{one.image_from[0]} at {one.image_from[1]}" if one.image_from else False)
        film = truth[one.expected_path]
        right = [
            shot
            for shot in film.shots
            if taken(question, [shown_by(ids[film.path], shot.start_ms, shot.end_ms)])[0] == 0
        ]
        assert [(shot.start_ms, shot.end_ms) for shot in right] == [(one.start_ms, one.end_ms)]
        said = [cue for cue in film.cues if one.dialogue and cue.shot_no == right[0].shot_no]
        for cue in said:
            assert taken(question, [shown_by(ids[film.path], cue.start_ms, cue.end_ms)]) == [0]


def shown_by(title_id: str, start_ms: int, end_ms: int) -> Hit:
    return Hit(1, title_id, title_id, start_ms, end_ms, 1.0, (), "s")
