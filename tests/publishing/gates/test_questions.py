"""`golden.toml`: what a question may be, what its answer is, and how it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediaflow.errors import UsageError
from mediaflow.publishing.gates.questions import read
from mediaflow.search.query import Dialogue, FreeText, Visual
from mediaflow.search.results import Hit


def hit(title_id: str, start_ms: int, end_ms: int) -> Hit:
    return Hit(1, title_id, title_id, start_ms, end_ms, 1.0, (), "s")


def test_questions_are_what_a_search_takes(tmp_path: Path) -> None:
    file = tmp_path / "golden.toml"
    file.write_text(
        '[[question]]\ntext = "a car"\ntitle = "one"\ntime = "1:02.5"\n'
        '[[question]]\nvisual = "a tree"\ndialogue = "never left"\ntitle = "two"\ntime = "3"\n'
    )
    one, two = read(file)
    assert (one.query.clauses, one.said, one.title_id, one.time_ms) == ((FreeText("a car"),), "a car", "one", 62_500)
    assert two.query.clauses == (Visual("a tree"), Dialogue("never left"))
    assert two.said == "a tree never left"


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "right"),
    [(1000, 3000, True), (0, 1501, True), (0, 1500, False), (3500, 4000, True), (3501, 4000, False)],
)
def test_an_answer_is_of_the_title_and_at_most_a_second_off(
    tmp_path: Path, start_ms: int, end_ms: int, right: bool
) -> None:
    file = tmp_path / "golden.toml"
    file.write_text('[[question]]\ntext = "x"\ntitle = "one"\ntime = "2.5"\n')
    (question,) = read(file)
    assert question.is_answer(hit("one", start_ms, end_ms)) is right
    assert not question.is_answer(hit("two", 1000, 3000))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no questions: each begins with"),
        ("question = 3", "has no questions"),
        ("[[question", "is no valid TOML"),
        ('[[question]]\ntext = "x"\ntitle = "one"\ntime = 5\n', "Question 1 in .* its values are texts in quotes"),
        ('[[question]]\ntext = "x"\ntitle = "one"\n', "Question 1 in .* it has title and time, and one or more of"),
        ('[[question]]\ntitle = "one"\ntime = "1"\n', "one or more of text, visual and dialogue"),
        ('[[question]]\ntext = "x"\ntitle = "one"\ntime = "1"\nimage = "a.jpg"\n', "Question 1"),
        ('[[question]]\ntext = "x"\ntitle = "one"\ntime = "noon"\n', "Question 1 in .* 'noon' is no timecode"),
    ],
)
def test_what_is_wrong_is_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "golden.toml"
    file.write_text(text)
    with pytest.raises(UsageError, match=said):
        read(file)
