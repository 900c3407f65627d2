"""Moments of clauses become those of their combination: by the definition, whatever the ranges."""

from __future__ import annotations

from itertools import product

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaflow.errors import UsageError
from mediaflow.search.post.joins import RELATIONS
from mediaflow.search.post.moments import MOMENTS, distinct, in_time, together, without
from mediaflow.search.query import Extent, Relation
from tests.search.post.test_joins import naive

Moment = tuple[int, int, int, float, list[int]]


def frame(moments: list[Moment]) -> pl.DataFrame:
    return pl.DataFrame(moments, schema=MOMENTS, orient="row")


def told(moments: pl.DataFrame) -> dict[tuple[int, int, int], tuple[float, set[int]]]:
    """Return moments by their range, each of which there must be once."""
    rows = {row[:3]: (row[3], set(row[4])) for row in moments.iter_rows()}
    assert len(rows) == len(moments)
    return rows


def clause(number: int) -> st.SearchStrategy[list[Moment]]:
    """Moments of one clause; scores are halves, so that sums are exact, and sources tell clause and row."""
    times = st.integers(0, 24)
    one = st.tuples(st.integers(1, 2), times, times, st.integers(0, 8))
    return st.lists(one, max_size=8, unique_by=lambda row: (row[0], min(row[1:3]), max(row[1:3]))).map(
        lambda rows: [
            (no, min(a, b), max(a, b), score / 2, [100 * number + at]) for at, (no, a, b, score) in enumerate(rows)
        ]
    )


def expected(
    left: list[Moment], right: list[Moment], relation: Relation, most_ms: int, extent: Extent
) -> dict[tuple[int, int, int], tuple[float, set[int]]]:
    """Look at every pair."""
    rows: dict[tuple[int, int, int], tuple[float, set[int]]] = {}
    for at, at_2 in naive([one[:3] for one in left], [one[:3] for one in right], relation, most_ms):
        one, other = left[at], right[at_2]
        first, last = (max, min) if extent == "intersection" else (min, max)
        key = one[0], first(one[1], other[1]), last(one[2], other[2])
        if key[1] > key[2]:
            continue
        score, sources = rows.get(key, (float("-inf"), set()))
        rows[key] = max(score, one[3] + other[3]), sources | {*one[4], *other[4]}
    return rows


@given(clause(1), clause(2), st.sampled_from(RELATIONS), st.integers(0, 6), st.sampled_from(["union", "intersection"]))
def test_a_join_in_time_gives_what_each_pair_gives(
    left: list[Moment], right: list[Moment], relation: Relation, most_ms: int, extent: Extent
) -> None:
    if extent == "intersection" and relation in ("before", "after"):
        with pytest.raises(UsageError, match=f"one is {relation} the other share nothing"):
            in_time(frame(left), frame(right), relation, most_ms, extent)
        return
    found = in_time(frame(left), frame(right), relation, most_ms, extent)
    assert dict(found.schema) == MOMENTS
    assert told(found) == expected(left, right, relation, most_ms, extent)


@given(clause(1), clause(2), clause(3))
def test_all_of_several_clauses_is_what_one_of_each_share(
    one: list[Moment], two: list[Moment], three: list[Moment]
) -> None:
    rows: dict[tuple[int, int, int], tuple[float, set[int]]] = {}
    for chosen in product(one, two, three):
        start, end = max(each[1] for each in chosen), min(each[2] for each in chosen)
        instants = [max(each[2], each[1] + 1) for each in chosen]
        if len({each[0] for each in chosen}) == 1 and start < min(instants):
            key = chosen[0][0], start, max(start, end)
            score, sources = rows.get(key, (float("-inf"), set()))
            rows[key] = max(score, sum(each[3] for each in chosen)), sources.union(*(each[4] for each in chosen))
    assert told(together([frame(one), frame(two), frame(three)])) == rows
    assert told(together([frame(three), frame(one), frame(two)])) == rows


@given(clause(1), clause(2))
def test_what_overlaps_another_is_left_out(moments: list[Moment], others: list[Moment]) -> None:
    gone = {at for at, _ in naive([one[:3] for one in moments], [one[:3] for one in others], "overlap", 0)}
    assert without(frame(moments), frame(others)).rows() == [one for at, one in enumerate(moments) if at not in gone]


def test_the_same_range_is_one_moment_with_the_best_score_and_all_sources() -> None:
    moments = frame([(1, 0, 5, 0.5, [1]), (1, 0, 5, 2.0, [2, 3]), (1, 0, 6, 1.0, [4]), (1, 0, 5, 1.0, [1, 5])])
    assert sorted(distinct(moments).rows()) == [(1, 0, 5, 2.0, [2, 3, 1, 5]), (1, 0, 6, 1.0, [4])]
