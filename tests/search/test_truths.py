"""Fifty questions of two to four clauses, each with near misses: exactly what brute force over all rows finds."""

from __future__ import annotations

from collections import Counter

import pytest

from mediaflow.search.gateway import Gateway
from mediaflow.search.query import leaves
from tests.search.truths import Brute, Question, questions, world


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return world(tmp_path_factory.mktemp("store")).gateway()


@pytest.fixture(scope="module")
def brute(gateway: Gateway) -> Brute:
    return Brute(gateway)


@pytest.fixture(scope="module")
def asked(brute: Brute) -> list[Question]:
    return questions(brute)


def test_fifty_questions_find_exactly_what_is_true(gateway: Gateway, brute: Brute, asked: list[Question]) -> None:
    assert len(asked) == 50
    assert {len(list(leaves(one.query.clauses))) for one in asked} == {2, 3, 4}
    for one in asked:
        results = gateway.search(one.query)
        found = [(hit.title_no, hit.start_ms, hit.end_ms) for hit in results]
        assert Counter(found) == Counter(brute.answer(one.query)), one.query
        assert results.counted


def test_their_near_misses_are_found_where_they_are_asked_for(
    gateway: Gateway, brute: Brute, asked: list[Question]
) -> None:
    for one in asked:
        if len(list(leaves(one.looser.clauses))) > 1:
            found = {(hit.title_no, hit.start_ms, hit.end_ms) for hit in gateway.search(one.looser)}
            assert found == brute.answer(one.looser), one.looser
