"""Cursors: read by whoever has the key, for the question that they were made for, and by nobody else."""

from __future__ import annotations

import pytest

from mediaflow.serve.cursors import Cursors, Place, WrongCursor

PLACE = Place("00000000000000000007-1f0c3a5e", 40)
QUESTION = {"clauses": [{"text": {"text": "ships"}}], "limit": 20}


def test_processes_with_one_key_read_each_others_cursors() -> None:
    cursor = Cursors("the same key").write(PLACE, QUESTION)
    assert Cursors("the same key").read(cursor, dict(reversed(QUESTION.items()))) == PLACE
    assert "ships" not in cursor


def test_without_a_key_each_process_has_its_own() -> None:
    cursor = Cursors().write(PLACE, QUESTION)
    with pytest.raises(WrongCursor, match="no cursor of this server"):
        Cursors().read(cursor, QUESTION)


def test_another_question_is_refused() -> None:
    cursors = Cursors()
    with pytest.raises(WrongCursor, match="belongs to another question"):
        cursors.read(cursors.write(PLACE, QUESTION), QUESTION | {"limit": 21})


def test_no_change_of_a_cursor_is_one() -> None:
    cursors = Cursors()
    cursor = cursors.write(PLACE, QUESTION)
    # The last letter has more bits than are left to say.
    for at, letter in enumerate(cursor[:-1]):
        with pytest.raises(WrongCursor):
            cursors.read(cursor[:at] + ("A" if letter != "A" else "B") + cursor[at + 1 :], QUESTION)
        with pytest.raises(WrongCursor):
            cursors.read(cursor[:at], QUESTION)
