"""The file of questions: what a question may be, what its answers are, and how it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediaflow.errors import UsageError
from mediaflow.quality.questions import LIMIT, Answer, read
from mediaflow.search.query import Dialogue, Filters, FreeText, SimilarToPicture, SimilarToShot, Visual, Where


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "golden.toml"


def test_questions_are_what_a_search_takes(file: Path) -> None:
    file.write_text(
        '[[question]]\ntext = "a car"\ntitle = "one"\ntime = "1:02.5"\n'
        '[[question]]\nvisual = "a tree"\ndialogue = "never left"\ntitle = "two"\ntime = "3"\n'
    )
    questions = read(file)
    one, two = questions
    assert (len(questions), questions.name) == (2, "golden.toml")
    assert (one.query.clauses, one.said, one.answers) == ((FreeText("a car"),), "a car", (Answer("one", 62_500),))
    assert (one.query.limit, one.tolerance_ms, one.language, one.clause) == (LIMIT, 1000, None, "text")
    assert two.query.clauses == (Visual("a tree"), Dialogue("never left"))
    assert (two.said, two.clause) == ("a tree never left", "dialogue + visual")


def test_all_options_that_ask_or_narrow_are_known(file: Path) -> None:
    (file.parent / "pictures").mkdir()
    (file.parent / "pictures" / "still.jpg").write_bytes(b"jpeg")
    file.write_text(
        "[[question]]\n"
        'image = "pictures/still.jpg"\nshot = "one@3"\nwhere = ["signs=exit", "loud=0.5"]\ndialogue = "hello"\n'
        'language = "German"\nkind = "dialogue"\nseries = "Night Shift"\nseason = [1, 2]\ngenre = ["Drama", "War"]\n'
        'year = "1990-1999"\ncharacter = "Maria"\ntalent = "Ann Lee"\ntitle = "one"\ntime = "1"\n'
    )
    (one,) = read(file)
    assert one.query.clauses == (
        Dialogue("hello", "de", "dialogue"),
        SimilarToPicture(b"jpeg", "still.jpg"),
        SimilarToShot("one", 3000),
        Where("signs", "exit"),
        Where("loud", "0.5"),
    )
    assert one.query.filters == Filters(
        (), ("Night Shift",), (1, 2), ("Drama", "War"), ((1990, 1999),), ("Maria",), ("Ann Lee",)
    )
    assert (one.clause, one.language) == ("dialogue + image + shot + where loud + where signs", "de")
    assert one.said.startswith("hello pictures/still.jpg one@3 signs=exit loud=0.5 (language German, kind dialogue, ")


def test_a_language_narrows_cues_and_is_only_declared_of_what_is_seen(file: Path) -> None:
    file.write_text('[[question]]\nvisual = "ein Baum"\nlanguage = "de"\ntitle = "one"\ntime = "1"\n')
    (one,) = read(file)
    assert (one.query.clauses, one.language, one.said) == ((Visual("ein Baum"),), "de", "ein Baum")


def test_several_answers_have_grades_and_none_are_none(file: Path) -> None:
    file.write_text(
        'tolerance = "2.5"\n'
        '[[question]]\ntext = "x"\n'
        'answers = [{ title = "one", time = "1", grade = 3 }, { title = "two", time = "2" }]\n'
        '[[question]]\ntext = "y"\nanswers = []\ntolerance = "0"\n'
        '[[question]]\ntext = "z"\ntitle = "one"\ntime = "1"\ngrade = 2\n'
    )
    several, none, one = read(file)
    assert several.answers == (Answer("one", 1000, 3), Answer("two", 2000, 1))
    assert (several.tolerance_ms, none.tolerance_ms, none.answers) == (2500, 0, ())
    assert one.answers == (Answer("one", 1000, 2),)


def test_the_hash_is_of_all_that_is_asked(file: Path) -> None:
    picture = file.parent / "a.jpg"
    picture.write_bytes(b"one")
    file.write_text('[[question]]\nimage = "a.jpg"\ntitle = "one"\ntime = "1"\n')
    first = read(file).digest
    assert read(file).digest == first
    picture.write_bytes(b"two")
    assert read(file).digest != first
    picture.write_bytes(b"one")
    file.write_text(file.read_text().replace('"1"', '"2"'))
    assert read(file).digest != first


RIGHT = 'title = "one"\ntime = "1"\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no questions: each begins with"),
        ("question = 3", "has no questions"),
        ("question = [3]", r"Question 1 in .* it begins with \[\[question\]\]"),
        ("[[question", "is no valid TOML"),
        ("limit = 3\n[[question]]\n" + RIGHT, "has 'limit' before its questions: there may only be a tolerance"),
        ('[[question]]\ntext = "x"\ntitle = "one"\ntime = 5\n', "Question 1 in .* its values are texts in quotes"),
        ('[[question]]\ntext = "x"\ntitle = "one"\ntime = 00:01:02\n', "texts in quotes, and time is 00:01:02"),
        ('[[question]]\ntext = 5\ntitle = "one"\ntime = "5"\n', "its values are texts in quotes, and text is 5"),
        ('[[question]]\ntext = "x"\ntitle = "one"\n', "Question 1 in .* it has title and time, or answers"),
        ('[[question]]\ntext = "x"\n', "it has title and time, or answers, and one or more of text, visual"),
        ("[[question]]\n" + RIGHT, "or answers, and one or more of text, visual, dialogue"),
        ('[[question]]\nlanguage = "de"\n' + RIGHT, "one or more of text, visual, dialogue"),
        ('[[question]]\ntext = "x"\nimage = "a.jpg"\n' + RIGHT, r"Question 1 in .* There is no file '.*a\.jpg'"),
        ('[[question]]\ntext = "x"\ncolour = "red"\n' + RIGHT, "it has 'colour', which is none of text, visual,"),
        ('[[question]]\ntext = "x"\ntitle = "one"\ntime = "noon"\n', "Question 1 in .* 'noon' is no timecode"),
        ('[[question]]\ntext = "x"\nlanguage = "Klingonese"\n' + RIGHT, "Question 1 in .* is no language"),
        ("[[question]]\nvisual = []\n" + RIGHT, "its visual is empty"),
        ('[[question]]\ntext = "x"\nseason = "one"\n' + RIGHT, "its season is a whole number, or a list of some"),
        ('[[question]]\ntext = "x"\ntolerance = 2\n' + RIGHT, "its values are texts in quotes, and tolerance is 2"),
        ('[[question]]\ntext = "x"\ngrade = 0\n' + RIGHT, "a grade is a whole number from 1 to 100, not 0"),
        ('[[question]]\ntext = "x"\nanswers = []\n' + RIGHT, "it has answers, so title, time and grade stand in"),
        ('[[question]]\ntext = "x"\nanswers = "one"\n', "its answers are a list such as"),
        ('[[question]]\ntext = "x"\nanswers = [{ title = "one" }]\n', "it has title and time, or answers"),
        (
            '[[question]]\ntext = "x"\nanswers = [{ title = "one", time = "1", tolerance = "1" }]\n',
            "one of its answers has 'tolerance': there are title, time and grade",
        ),
        ('[[question]]\ntext = "a"\n' + RIGHT + '[[question]]\ntext = "b"\n', "Question 2 in "),
    ],
)
def test_what_is_wrong_is_one_sentence(file: Path, text: str, said: str) -> None:
    file.write_text(text)
    with pytest.raises(UsageError, match=said):
        read(file)


def test_a_file_that_is_not_there_is_one_sentence(file: Path) -> None:
    with pytest.raises(UsageError, match=r"The questions in .* cannot be read \(No such file or directory\)"):
        read(file)
