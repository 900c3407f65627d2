"""Who may not see a title learns of it through nothing: all answers are as if it were not there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from mediaflow.errors import MediaflowError
from mediaflow.search.gateway import Gateway
from mediaflow.search.post.facets import FACETS
from mediaflow.search.query import (
    Character,
    Clause,
    Dialogue,
    Filters,
    FreeText,
    Query,
    SimilarToPicture,
    SimilarToRange,
    SimilarToShot,
    Visual,
)
from mediaflow.search.titles.rights import Rights
from mediaflow.search.views.characters import Characters
from mediaflow.search.views.timeline import Timeline
from tests.search.truths import Brute, questions, world

FORBIDDEN = frozenset({"film-1", "film-4", "film-7", "film-8"})


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return world(tmp_path_factory.mktemp("store")).gateway()


@pytest.fixture(scope="module")
def narrow(everything: Gateway) -> Gateway:
    """What is seen by who may not see some titles."""
    return everything.within(frozenset(everything.catalogue.titles["title_id"]) - FORBIDDEN)


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """The same library without them, seen by who may see what is there."""
    gateway = world(tmp_path_factory.mktemp("store"), FORBIDDEN).gateway()
    return gateway.within(frozenset(gateway.catalogue.titles["title_id"]))


def said(ask: Callable[[], Any]) -> Any:
    """Return an answer, or what the error says."""
    try:
        return ask()
    except MediaflowError as error:
        return type(error).__name__, error.message, error.fields


def told(gateway: Gateway, query: Query) -> Any:
    """Return all that can be learnt of a question, but how good its answers are beside those of others."""
    results = gateway.search(query)
    hits = [
        (
            *(hit.title_id, hit.title, hit.series, hit.start_ms, hit.end_ms, hit.match, hit.grouped),
            *((one.algorithm, one.text, one.start_ms, one.revision) for one in hit.sources),
        )
        for hit in results
    ]
    counts = (results.total, results.counted, results.next_offset, results.notes)
    return sorted(hits, key=str), counts


def names(gateway: Gateway) -> Iterator[str]:
    """Yield all that one could ask a forbidden title by: ids, names, people, series, genres, years."""
    titles = gateway.catalogue.titles.to_dicts()
    yield from {
        str(value) for one in titles for value in (one["title_id"], one["title"], one["series"], *one["genres"])
    }
    yield from gateway.catalogue.cast.names


def test_the_fifty_questions_and_their_near_misses(everything: Gateway, narrow: Gateway, without: Gateway) -> None:
    differ = 0
    for question in questions(Brute(everything)):
        for query in (question.query, question.looser):
            one, other = replace(query, limit=1000), replace(query, group_by="title", limit=1000)
            assert told(narrow, one) == told(without, one)
            assert told(narrow, other)[1] == told(without, other)[1]
            assert narrow.facets(query, FACETS) == without.facets(query, FACETS)
            assert _people(narrow, query) == _people(without, query)
            differ += told(everything, one) != told(narrow, one)
            steps = [
                [(step.may_answer, step.found, step.cut) for step in one.explain(query)] for one in (narrow, without)
            ]
            assert steps[0] == steps[1]
    assert differ > 20


def test_no_name_leads_to_a_forbidden_title(everything: Gateway, narrow: Gateway, without: Gateway) -> None:
    differ = 0
    for name in names(everything):
        asked: list[Callable[[Gateway], Any]] = [
            lambda gateway, name=name: told(gateway, Query((Dialogue("the"),), Filters(titles=(name,)))),
            lambda gateway, name=name: told(gateway, Query((Dialogue("the"),), Filters(series=(name,)))),
            lambda gateway, name=name: told(gateway, Query((Dialogue("the"),), Filters(genres=(name,)))),
            lambda gateway, name=name: told(gateway, Query((Dialogue("the"),), Filters(characters=(name,)))),
            lambda gateway, name=name: told(gateway, Query((Dialogue("the"),), Filters(talents=(name,)))),
            lambda gateway, name=name: told(gateway, Query((Character(name),))),
            lambda gateway, name=name: told(gateway, Query((Dialogue("the", character=name),))),
            lambda gateway, name=name: told(gateway, Query((SimilarToShot(name, 100),), limit=1000))[1],
            lambda gateway, name=name: told(gateway, Query((SimilarToRange(name, 0, 9_000),), limit=1000))[1],
            lambda gateway, name=name: gateway.annotations(name),
            lambda gateway, name=name: gateway.view(Query((Dialogue("the"),)), Timeline(name, 5)),
        ]
        for ask in asked:
            answers = [said(lambda ask=ask, gateway=gateway: _plain(ask(gateway))) for gateway in (narrow, without)]
            assert answers[0] == answers[1], name
            differ += answers[0] != said(lambda ask=ask: _plain(ask(everything)))
    assert differ > 100


@pytest.mark.parametrize("query", [Query((Visual("night"),), limit=1000), Query((FreeText("the night"),), limit=1000)])
def test_pages_of_what_ranks_have_none_of_them(narrow: Gateway, query: Query) -> None:
    found = {hit.title_id for hit in narrow.search(query)}
    assert found and not found & FORBIDDEN


@pytest.mark.parametrize(
    "clause",
    [
        Visual("night", everything=True),
        SimilarToShot("film-2", 100, everything=True),
        SimilarToPicture(b"\xff\x00\x00", "red", everything=True),
    ],
)
def test_what_is_similar_enough_follows_from_what_may_be_seen(
    everything: Gateway, narrow: Gateway, without: Gateway, clause: Clause
) -> None:
    cuts = [[(step.least, step.by_chance) for step in one.explain(Query((clause,)))] for one in (narrow, without)]
    assert cuts[0] == cuts[1]
    assert cuts[0] != [(step.least, step.by_chance) for step in everything.explain(Query((clause,)))]


def test_words_score_by_what_may_be_seen_alone(everything: Gateway, narrow: Gateway, without: Gateway) -> None:
    seen = without.within(frozenset(without.catalogue.titles["title_id"]))
    for text in ("the", "that the"):
        scores = [
            [(hit.title_id, hit.start_ms, hit.score) for hit in one.search(Query((Dialogue(text),), limit=1000))]
            for one in (narrow, seen, everything)
        ]
        assert scores[0] == scores[1]
        assert 0 < len(scores[0]) < len(scores[2])


def test_rights_share_their_gateway_and_what_it_knows(everything: Gateway) -> None:
    some, same = Rights(frozenset({"film-1", "film-2"})), Rights(frozenset({"film-2", "film-1"}))
    assert everything.seen_by(some) is everything.seen_by(same)
    assert everything.seen_by(some) is not everything.seen_by(Rights(frozenset({"film-1"})))
    assert set(everything.seen_by(some).catalogue.titles["title_id"]) == {"film-1", "film-2"}


def _people(gateway: Gateway, query: Query) -> list[tuple[str, str, int]]:
    shown = gateway.view(query, Characters())
    return sorted((one["title_id"], one["speaker"], one["hits"]) for one in shown)


def _plain(answer: Any) -> Any:
    """Return an answer without numbers that a title has in its snapshot alone, and scores."""
    if isinstance(answer, list):
        return [_plain(one) for one in answer]
    if isinstance(answer, dict):
        return {name: value for name, value in answer.items() if name not in ("shot_no", "score")}
    return answer
