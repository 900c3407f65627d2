"""The demo's questions: enough of each kind, and each with one right shot."""

from __future__ import annotations

import pytest

from mediaflow.demo.library import make_library
from mediaflow.demo.questions import questions
from mediaflow.demo.truth import FilmTruth
from mediaflow.errors import UsageError


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> dict[str, FilmTruth]:
    """The demo's library by its truth, drawn small."""
    root = tmp_path_factory.mktemp("world")
    return make_library(root / "library", root / "truth", size=(64, 36))


def test_there_are_enough_questions_of_each_kind_over_all_films(truth: dict[str, FilmTruth]) -> None:
    asked = questions(truth)
    kinds = [question.kind for question in asked]
    assert kinds.count("visual") >= 3
    assert kinds.count("dialogue") >= 3
    assert kinds.count("image") >= 2
    assert kinds.count("combined") >= 2
    assert {question.expected_path for question in asked} == set(truth)
    spoken = {question.dialogue for question in asked if question.kind == "dialogue"}
    languages = {cue.language for film in truth.values() for cue in film.cues if cue.text in spoken}
    assert len(languages) >= 3


def test_each_question_has_one_right_shot_between_two_cuts(truth: dict[str, FilmTruth]) -> None:
    for question in questions(truth):
        fitting = []
        for film in truth.values():
            for shot in film.shots:
                texts = [cue.text.lower() for cue in film.cues if cue.shot_no == shot.shot_no]
                seen = question.visual is None or shot.caption.startswith(question.visual)
                said = question.dialogue is None or any(question.dialogue.lower() in text for text in texts)
                path, time_ms = question.image_from or (film.path, shot.start_ms)
                shown = path == film.path and shot.start_ms <= time_ms < shot.end_ms
                if seen and said and shown:
                    fitting.append((film.path, shot.start_ms, shot.end_ms))
        assert fitting == [(question.expected_path, question.start_ms, question.end_ms)], question.words
        film = truth[question.expected_path]
        borders = {shot.start_frame for shot in film.shots if shot.start_ms in (question.start_ms, question.end_ms)}
        assert not any(start <= border < end for start, end in film.dissolves for border in borders)


def test_a_library_that_is_too_small_is_told_so(truth: dict[str, FilmTruth]) -> None:
    first = next(iter(truth))
    with pytest.raises(UsageError, match="too few shots for 14 questions"):
        questions({first: truth[first]})
