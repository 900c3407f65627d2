"""The demo as a whole: its films, model and questions; the first answer is the right shot in 9 of 10, measured too."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import mediaflow
from mediaflow.demo.__main__ import first, golden_of, truth_of
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
        measured, _ = library.evaluate(golden_of(library, asked))
        means = {(one.by, one.value): (len(one.numbers), one.means["nDCG@10"]) for one in measured.groups()}
        assert means["all", ""][0] == len(asked) and means["all", ""][1] >= 0.9, means
        clauses = ("clause", "visual"), ("clause", "dialogue"), ("clause", "image"), ("clause", "dialogue + visual")
        wanted = dict(zip(clauses, ("visual", "dialogue", "image", "combined"), strict=True))
        assert {clause: means[clause][0] for clause in clauses} == {clause: kinds[wanted[clause]] for clause in clauses}
        assert {value for by, value in means if by == "language"} > {"en", "de", "none"}
        truth = truth_of(library)
        assert library.publish().outcome == "nothing new"
        assert len(truth) == len(library.titles())
