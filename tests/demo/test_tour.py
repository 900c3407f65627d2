"""The demo as a whole: its films, its model and its questions; the first answer is the right shot in 9 of 10."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import mediaflow
from mediaflow.demo.__main__ import first, truth_of
from mediaflow.demo.questions import questions
from tests.refreshing import refresh


def test_the_questions_find_the_right_film_and_shot(tmp_path: Path) -> None:
    with mediaflow.open(home=tmp_path / "home", library=tmp_path / "films", settle_s=0, visual_model="demo") as library:
        asked = questions(truth_of(library))
        refresh(library)
        right = Counter(question.kind for question in asked if first(library, question)[1])
        kinds = Counter(question.kind for question in asked)
        assert kinds["visual"] >= 3 and kinds["dialogue"] >= 3 and kinds["image"] >= 2 and kinds["combined"] >= 2
        assert right.total() >= 0.9 * kinds.total(), right
        truth = truth_of(library)
        assert library.publish().outcome == "nothing new"
        assert len(truth) == len(library.titles())
