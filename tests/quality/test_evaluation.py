"""Questions put to a snapshot: what each measures, by which clause, language and model, and what is left out."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from mediaflow.quality.evaluation import Evaluation, Expected, evaluate
from mediaflow.quality.measures import NDCG, RECALL, RR
from mediaflow.quality.questions import read
from mediaflow.search.gateway import Gateway
from mediaflow.storage.objects import FolderStore
from tests.quality.club import NIGHT, PAPER, QUESTIONS, SNAPSHOT, gateway, golden
from tests.search.world import MODEL


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return gateway(FolderStore(tmp_path_factory.mktemp("club")))


def asked(club: Gateway, folder: Path, text: str = QUESTIONS) -> Evaluation:
    file = folder / "golden.toml"
    file.write_text(text)
    return evaluate(club, read(file))


def test_each_question_is_measured(club: Gateway, tmp_path: Path) -> None:
    found = asked(club, tmp_path)
    assert (found.snapshot, found.file, found.models) == (SNAPSHOT, "golden.toml", {MODEL: "demo"})
    car, left, snow, dragon = found.questions
    assert car.answers == (Expected(NIGHT, 62_500, 1, 1),)
    assert car.measures == {NDCG: 1, RECALL: 1, RR: 1}
    assert (car.clause, car.language, car.models) == ("visual", None, (MODEL,))
    assert (left.clause, left.language, left.models, left.hits) == ("dialogue", "en", (), 3)
    ranks = {answer.title_id: answer.rank for answer in left.answers}
    assert set(ranks.values()) <= {1, 2, 3} and None not in ranks.values()
    gain = 3 / math.log2(1 + (ranks[PAPER] or 0)) + 1 / math.log2(1 + (ranks[NIGHT] or 0))
    assert left.measures and left.measures[NDCG] == pytest.approx(gain / (3 + 1 / math.log2(3)))
    assert snow.answers[0].rank == 2 and snow.measures
    assert snow.measures == {NDCG: pytest.approx(1 / math.log2(3)), RECALL: 1, RR: 0.5}
    assert (dragon.measures, dragon.hits, dragon.answers) == (None, 0, ())


def test_groups_have_the_means_of_their_questions(club: Gateway, tmp_path: Path) -> None:
    found = asked(club, tmp_path)
    groups = {(one.by, one.value): one for one in found.groups()}
    assert [(by, value, groups[by, value].numbers) for by, value in groups] == [
        ("all", "", (0, 1, 2)),
        ("clause", "dialogue", (1,)),
        ("clause", "visual", (0, 2)),
        ("language", "en", (1,)),
        ("language", "none", (0, 2)),
        ("model", f"demo {MODEL[:8]}", (0, 2)),
        ("model", "none", (1,)),
    ]
    for group in groups.values():
        for name, mean in group.means.items():
            each = [(found.questions[number].measures or {})[name] for number in group.numbers]
            assert mean == pytest.approx(sum(each) / len(each))


def test_what_nobody_declares_makes_no_groups(club: Gateway, tmp_path: Path) -> None:
    found = asked(club, tmp_path, '[[question]]\ndialogue = "left"\ntitle = "x"\ntime = "1"\n')
    assert {one.by for one in found.groups()} == {"all", "clause"}
    assert found.groups()[0].means == {NDCG: 0, RECALL: 0, RR: 0}


def test_titles_that_the_snapshot_has_not_are_named(club: Gateway, tmp_path: Path) -> None:
    assert asked(club, tmp_path).unknown == ()
    assert asked(club, tmp_path, QUESTIONS.replace(NIGHT, "nite-drive")).unknown == ("nite-drive",)


def test_questions_to_which_nothing_is_right_are_counted_apart(club: Gateway, tmp_path: Path) -> None:
    nothing = '[[question]]\ndialogue = "{}"\nanswers = []\n'
    found = asked(club, tmp_path, nothing.format("dragon") + nothing.format("light"))
    assert found.quiet() == (1, 2)
    assert (found.answerable(), found.groups()) == ((), [])


def test_what_cannot_be_asked_has_nothing_and_says_why(club: Gateway, tmp_path: Path) -> None:
    right = 'title = "night-drive-2011"\ntime = "62"\n'
    text = f'[[question]]\nwhere = "signs=exit"\n{right}[[question]]\nvisual = "red car"\n{right}'
    text += '[[question]]\nwhere = "signs=exit"\nanswers = []\n'
    found = asked(club, tmp_path, text)
    signs, car, none = found.questions
    assert signs.measures == {NDCG: 0, RECALL: 0, RR: 0} and "has nothing of 'signs'" in signs.failed
    assert (signs.clause, signs.answers[0].rank) == ("where signs", None)
    assert car.measures == {NDCG: 1, RECALL: 1, RR: 1} and not car.failed
    assert found.groups()[0].means[NDCG] == 0.5
    assert none.failed and found.quiet() == (0, 1), "it was not asked, so it is not quiet"


def test_an_evaluation_comes_back_from_its_json(club: Gateway, tmp_path: Path) -> None:
    found = evaluate(club, read(golden(tmp_path)))
    assert Evaluation.from_json(json.loads(json.dumps(found.to_json()))) == found
