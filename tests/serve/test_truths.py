"""The fifty questions about planned films: exactly what is true of them, whichever way they are asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from mediaflow.search.process.wire import write_query
from mediaflow.search.query import Visual, leaves
from tests.search.truths import Brute, Question, questions, world
from tests.serve.conftest import Server, start, stop
from tests.serve.faces import CommandLine, Face, GraphQL, Grpc
from tests.serve.process import release

Moment = tuple[str, int, int]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def asked(home: Path) -> list[tuple[Question, set[Moment]]]:
    """Questions with their answers by brute force, as ids of titles and times."""
    made = world(home / "store")
    release(home, made)
    gateway = made.gateway()
    brute, titles = Brute(gateway), gateway.catalogue.titles
    ids = dict(zip(titles["title_no"], titles["title_id"], strict=True))
    return [(one, {(ids[no], *times) for no, *times in brute.answer(one.query)}) for one in questions(brute)]


@pytest.fixture(scope="module")
def running(home: Path, asked: list[tuple[Question, set[Moment]]]) -> Iterator[Server]:
    server = start(home)
    yield server
    assert stop(server) == 0


@pytest.mark.parametrize("kind", [GraphQL, Grpc, CommandLine])
def test_fifty_questions_find_exactly_what_is_true(
    kind: type[Face], running: Server, asked: list[tuple[Question, set[Moment]]]
) -> None:
    face, told = kind(running), 0  # type: ignore[call-arg]
    for question, answer in asked:
        if kind is CommandLine and any(isinstance(leaf, Visual) for leaf in leaves(question.query.clauses)):
            # The command line has the models of the library, and none knows these pictures.
            continue
        hits = face.search(write_query(replace(question.query, limit=500)))["hits"]
        found = Counter((hit["title_id"], int(hit["start_ms"]), int(hit["end_ms"])) for hit in hits)
        assert found == Counter(answer), question.query
        told += 1
    assert told == 50 or (kind is CommandLine and told >= 30)
