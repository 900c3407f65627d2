"""Clauses of clauses: what they find is what their definition says, row by row over the tables."""

from __future__ import annotations

from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaflow.errors import UsageError
from mediaflow.search.gateway import Gateway
from mediaflow.search.query import (
    AllOf,
    AnyOf,
    Clause,
    Condition,
    Dialogue,
    Filters,
    Not,
    Query,
    TimeJoin,
    Visual,
    Weighted,
    Where,
)
from mediaflow.storage.objects import FolderStore
from tests.search.post.test_joins import naive
from tests.search.world import LABEL, World, cue, shot

Row = tuple[int, int, int]
FILMS, WORDS, THINGS, COLOURS = ("one", "two", "three"), ("sail", "north", "home"), ("car", "dog"), ("red", "green")


def _rows(seed: int, count: int, names: tuple[str, ...]) -> list[tuple[Row, str]]:
    draw = np.random.default_rng(seed)
    found = []
    for _ in range(count):
        start, length = int(draw.integers(0, 60)), int(draw.integers(0, 12))
        found.append(((int(draw.integers(len(FILMS))), start, start + length), str(draw.choice(names))))
    return found


SAID, SEEN, LABELLED = _rows(1, 30, WORDS), _rows(2, 25, COLOURS), _rows(3, 30, THINGS)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """Films with lines, shots and labels that overlap in all ways."""
    world = World(FolderStore(tmp_path_factory.mktemp("store")))
    for film in FILMS:
        world.title(film)
    world.dialogue(*(cue(FILMS[no], first, last, text) for (no, first, last), text in SAID))
    world.visual(*(shot(FILMS[no], first, last, looks) for (no, first, last), looks in SEEN))
    labels = [
        {"title_id": FILMS[no], "start_ms": first, "end_ms": last, "label": name, "confidence": 0.9, "begins": first}
        for (no, first, last), name in LABELLED
    ]
    world.algorithm("things", "label", {**LABEL, "begins": pl.Int32}, labels, ("begins",))
    return world.gateway()


def meant(clause: Clause) -> set[Row]:
    """Say by the definition which moments a clause has."""
    match clause:
        case Dialogue(text=word):
            return {row for row, said in SAID if said == word}
        case Where(value=name, conditions=conditions):
            first = max((int(one.value) for one in conditions if one.comparison == "least"), default=0)
            last = min((int(one.value) for one in conditions if one.comparison == "most"), default=60)
            return {row for row, label in LABELLED if label == name and first <= row[1] <= last}
        case Visual():
            return {row for row, _ in SEEN}
        case Weighted(clause=inner):
            return meant(inner)
        case AnyOf(clauses=clauses):
            return set().union(*map(meant, clauses))
        case TimeJoin(left=left, right=right):
            one, other = sorted(meant(left)), sorted(meant(right))
            first, last = (max, min) if clause.extent == "intersection" else (min, max)
            found = [(one[at], other[at_2]) for at, at_2 in naive(one, other, clause.relation, clause.most_ms)]
            ranges = {(a[0], first(a[1], b[1]), last(a[2], b[2])) for a, b in found}
            return {row for row in ranges if row[1] <= row[2]}
        case AllOf(clauses=clauses):
            kept = set()
            for chosen in product(*(meant(one) for one in clauses if not isinstance(one, Not))):
                start, end = max(row[1] for row in chosen), min(row[2] for row in chosen)
                instants = min(max(row[2], row[1] + 1) for row in chosen)
                if len({row[0] for row in chosen}) == 1 and start < instants:
                    kept.add((chosen[0][0], start, max(start, end)))
            taken = sorted(set().union(*(meant(one.clause) for one in clauses if isinstance(one, Not))))
            rows = sorted(kept)
            gone = {at for at, _ in naive(rows, taken, "overlap", 0)}
            return {row for at, row in enumerate(rows) if at not in gone}
    raise AssertionError(clause)


def found(gateway: Gateway, clause: Clause, filters: Filters | None = None) -> set[Row]:
    hits = gateway.search(Query((clause,), filters or Filters(), limit=1000)).hits
    rows = [(hit.title_no, hit.start_ms, hit.end_ms) for hit in hits]
    assert len(rows) == len(set(rows)) < 1000
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    return set(rows)


begins = st.builds(Condition, st.just("begins"), st.integers(0, 60), st.sampled_from(["least", "most"]))
chooses = st.one_of(
    st.sampled_from(WORDS).map(Dialogue),
    st.builds(Where, st.just("things"), st.sampled_from(THINGS), st.lists(begins, max_size=2).map(tuple)),
)
leaf = st.one_of(chooses, st.sampled_from(COLOURS).map(Visual))


def joined(right: st.SearchStrategy[Clause]) -> st.SearchStrategy[TimeJoin]:
    return st.one_of(
        st.builds(
            TimeJoin,
            chooses,
            right,
            st.sampled_from(["overlap", "within", "during"]),
            st.integers(0, 9),
            st.sampled_from(["union", "intersection"]),
        ),
        st.builds(TimeJoin, chooses, right, st.sampled_from(["before", "after"]), st.integers(0, 9)),
    )


joins = joined(leaf)
inner = st.one_of(leaf, joins, st.lists(chooses, min_size=1, max_size=2).map(lambda some: AnyOf(tuple(some))))
weighted = st.one_of(inner, st.builds(Weighted, inner, st.sampled_from([0.5, 2.0])))
taken = st.one_of(chooses, joined(chooses)).map(Not)
alls = st.builds(
    lambda first, more, less: AllOf((first, *more, *less)),
    chooses,
    st.lists(weighted, max_size=2),
    st.lists(taken, max_size=2),
)


nested = st.builds(TimeJoin, alls, chooses, st.just("before"), st.integers(0, 9))


@given(st.one_of(alls, joins, nested))
def test_clauses_of_clauses_find_what_their_definition_says(gateway: Gateway, clause: Clause) -> None:
    assert found(gateway, clause) == meant(clause)


@given(alls, st.sampled_from(FILMS))
def test_filters_come_first(gateway: Gateway, clause: Clause, film: str) -> None:
    wanted = {row for row in meant(clause) if FILMS[row[0]] == film}
    assert found(gateway, clause, Filters(titles=(film,))) == wanted


def test_every_source_of_a_hit_is_told(gateway: Gateway) -> None:
    for hit in gateway.search(Query((AllOf((Dialogue("sail"), Where("things", "car"))),))).hits:
        assert {source.algorithm for source in hit.sources} == {"dialogue", "things"}
        for source in hit.sources:
            assert source.start_ms <= hit.start_ms and hit.end_ms <= source.end_ms
            assert source.text == {"dialogue": "sail", "things": "car"}[source.algorithm]


def test_what_ranks_orders_what_chooses(gateway: Gateway) -> None:
    for colour in COLOURS:
        hits = gateway.search(Query((AllOf((Where("things", "dog"), Visual(colour))),))).hits
        looks = dict(SEEN)
        first = next(source for source in hits[0].sources if source.algorithm == "visual")
        assert looks[hits[0].title_no, first.start_ms, first.end_ms] == colour


@pytest.mark.parametrize(
    ("clause", "said"),
    [
        (Not(Dialogue("sail")), "stands in 'all'"),
        (AllOf((Not(Dialogue("sail")),)), "not only what not"),
        (AllOf((Dialogue("sail"), Not(Visual("red")))), "a matter of degree"),
        (AllOf((Dialogue("sail"), Not(AnyOf((Visual("red"), Dialogue("home")))))), "a matter of degree"),
        (AllOf((Dialogue("sail"), Not(TimeJoin(Dialogue("home"), Visual("red"), "overlap")))), "a matter of degree"),
        (AllOf((Dialogue("sail"), AnyOf(()))), "'any' needs clauses"),
        (AnyOf(()), "'any' needs clauses"),
        (TimeJoin(Dialogue("sail"), Dialogue("home"), "before", 5, "intersection"), "ask for their union"),
        (Weighted(Dialogue("sail"), -1.0), "above 0, not -1.0"),
    ],
)
def test_a_clause_that_means_nothing_is_a_sentence(gateway: Gateway, clause: Clause, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        gateway.search(Query((clause,)))
