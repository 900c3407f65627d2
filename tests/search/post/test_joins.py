"""Joins in time: the same pairs as the naive join, whatever the ranges."""

from __future__ import annotations

from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaflow.errors import UsageError
from mediaflow.search.post.joins import RELATIONS, pairs
from mediaflow.search.query import Relation

Rows = list[tuple[int, int, int]]

_FAR = 2**62


def frame(rows: Rows) -> pl.DataFrame:
    schema = {"title_no": pl.Int32, "start_ms": pl.Int64, "end_ms": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def naive(left: Rows, right: Rows, relation: Relation, most_ms: int) -> list[tuple[int, int]]:
    """Compare every row with every row."""

    def holds(one: tuple[int, int, int], other: tuple[int, int, int]) -> bool:
        (title, start, end), (title_2, start_2, end_2) = one, other
        end, end_2 = max(end, start + 1), max(end_2, start_2 + 1)
        if title != title_2:
            return False
        gap = max(start_2 - end, start - end_2)
        return {
            "overlap": gap < 0,
            "within": gap <= most_ms,
            "before": 0 <= start_2 - end <= most_ms,
            "after": 0 <= start - end_2 <= most_ms,
            "during": start >= start_2 and end <= end_2,
        }[relation]

    numbered = product(enumerate(left), enumerate(right))
    return [(at, at_2) for (at, one), (at_2, other) in numbered if holds(one, other)]


def found(left: Rows, right: Rows, relation: Relation, most_ms: int) -> list[tuple[int, int]]:
    one, other = pairs(frame(left), frame(right), relation, most_ms)
    return list(zip(one.tolist(), other.tolist(), strict=True))


times = st.integers(-5, 30)
ranges = st.tuples(st.integers(1, 3), times, times).map(lambda row: (row[0], min(row[1:]), max(row[1:])))
lists = st.lists(ranges, max_size=12)


@given(lists, lists, st.sampled_from(RELATIONS), st.integers(0, 8))
def test_the_pairs_are_those_of_the_naive_join(left: Rows, right: Rows, relation: Relation, most_ms: int) -> None:
    assert found(left, right, relation, most_ms) == naive(left, right, relation, most_ms)


@pytest.mark.parametrize("relation", RELATIONS)
def test_times_and_distances_beyond_measure_do_no_harm(relation: Relation) -> None:
    odd = [(1, -_FAR, -_FAR + 1), (2**31 - 1, 0, 10), (-(2**31), 0, 10), (2**31 - 1, 20, _FAR)]
    usual = [(1, 0, 10), (2**31 - 1, 5, 6), (-(2**31), 12, 14)]
    near = [(at, at_2) for at, at_2 in naive(odd, usual, relation, 2**40) if odd[at][1] > -_FAR]
    assert [pair for pair in found(odd, usual, relation, _FAR) if pair[0]] == near


def test_long_ranges_among_many_short_ones_are_all_found() -> None:
    draw = np.random.default_rng(1)
    starts = draw.integers(0, 100_000, 2_000)
    lengths = np.where(draw.random(2_000) < 0.01, 50_000, draw.integers(0, 200, 2_000))
    rows = [(int(no), int(s), int(s + n)) for no, s, n in zip(draw.integers(1, 4, 2_000), starts, lengths, strict=True)]
    for relation in RELATIONS:
        assert found(rows[:700], rows[700:], relation, 100) == naive(rows[:700], rows[700:], relation, 100)


def test_a_relation_that_there_is_not_and_a_negative_distance_are_sentences() -> None:
    with pytest.raises(UsageError, match="There is no relation 'near'; there are overlap, within"):
        pairs(frame([]), frame([]), "near")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="must not be negative: -1 ms"):
        pairs(frame([]), frame([]), "before", -1)
