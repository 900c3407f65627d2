"""The hash of rows: blind to their order, and to nothing that they say."""

from __future__ import annotations

import random
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from mediaflow.imports.hashed import revision

KINDS = {
    "number": pl.Int64,
    "small": pl.UInt8,
    "real": pl.Float32,
    "text": pl.String,
    "flag": pl.Boolean,
    "vector": pl.Array(pl.Float16, 2),
    "tags": pl.List(pl.String),
    "place": pl.Struct({"a": pl.Int32, "b": pl.String}),
}
texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=3)
rows = st.fixed_dictionaries(
    {
        "number": st.none() | st.integers(-3, 3),
        "small": st.none() | st.integers(0, 2),
        "real": st.none() | st.sampled_from([0.0, -0.0, 0.5, -1.5]),
        "text": texts,
        "flag": st.none() | st.booleans(),
        "vector": st.none() | st.lists(st.sampled_from([0.0, 0.5]), min_size=2, max_size=2),
        "tags": st.none() | st.lists(texts, max_size=2),
        "place": st.fixed_dictionaries({"a": st.none() | st.integers(0, 2), "b": texts}),
    }
)


def hashed(some: list[dict[str, Any]]) -> str:
    return revision(pl.DataFrame(some, schema=KINDS))


@given(st.lists(rows, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(some: list[dict[str, Any]], mixed: random.Random) -> None:
    other = list(some)
    mixed.shuffle(other)
    assert hashed(other) == hashed(some)


@given(st.lists(rows, min_size=1, max_size=4), st.data())
def test_any_other_value_is_another_hash(some: list[dict[str, Any]], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(some) - 1))
    other = [*some[:at], data.draw(rows), *some[at + 1 :]]
    assert (hashed(other) == hashed(some)) == (sorted(map(repr, plain(other))) == sorted(map(repr, plain(some))))


def plain(some: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows in which zero has one sign."""
    return [{**row, "real": row["real"] + 0.0 if row["real"] is not None else None} for row in some]


def test_a_row_that_is_there_twice_is_two_rows_and_texts_do_not_run_together() -> None:
    one = dict.fromkeys(KINDS) | {"number": 1}
    assert hashed([one, one]) != hashed([one])
    assert hashed([one | {"text": "ab"}, one | {"text": "c"}]) != hashed([one | {"text": "a"}, one | {"text": "bc"}])


def test_columns_of_another_name_or_type_are_another_hash() -> None:
    frame = pl.DataFrame({"a": [1]}, schema={"a": pl.Int64})
    assert len({revision(frame), revision(frame.rename({"a": "b"})), revision(frame.cast(pl.Int32))}) == 3
    assert revision(frame) == "ad7b7761878f96263860d484ab3ed32d"
