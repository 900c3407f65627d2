"""Queries as JSON: what is written is read again as it was, and what is wrong is said with its place."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaflow.errors import UsageError
from mediaflow.search.process.wire import MOST_DEEP, MOST_LEAVES, read_clause, read_query, write_clause, write_query
from mediaflow.search.query import (
    AllOf,
    AnyOf,
    Character,
    Clause,
    Condition,
    Dialogue,
    Filters,
    FreeText,
    Label,
    Not,
    Onscreen,
    Query,
    Region,
    SimilarToClip,
    SimilarToPicture,
    SimilarToRange,
    SimilarToShot,
    SimilarToVector,
    SortBy,
    SpaceJoin,
    Talent,
    TimeJoin,
    Visual,
    Weighted,
    Where,
)

texts, numbers = st.text(max_size=9), st.integers(0, 10**9)
shares = st.floats(0, 1, allow_nan=False)
maybe = st.none() | texts
regions = st.none() | st.builds(Region, shares, shares, shares, shares, st.sampled_from(["overlaps", "inside"]))
values = texts | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.booleans()
conditions = st.builds(Condition, texts, values, st.sampled_from(["equals", "least", "most", "contains"]))
wheres = st.builds(Where, texts, st.none() | texts | shares, st.lists(conditions, max_size=2).map(tuple), regions)
leaf = st.one_of(
    st.builds(FreeText, texts, maybe, maybe),
    st.builds(Dialogue, texts, maybe, maybe, maybe, maybe),
    st.builds(Visual, texts, st.booleans()),
    st.builds(SimilarToPicture, st.binary(max_size=9), texts, st.booleans()),
    st.builds(SimilarToShot, texts, numbers, st.booleans()),
    st.builds(SimilarToClip, st.binary(max_size=9), texts),
    st.builds(SimilarToRange, texts, numbers, numbers),
    st.builds(SimilarToVector, st.lists(shares, max_size=3).map(tuple), texts),
    st.builds(Onscreen, texts, regions, shares),
    st.builds(Label, texts, shares, maybe),
    st.builds(Character, texts, st.sampled_from([None, "speaks", "in cast"])),
    st.builds(Talent, texts, st.sampled_from([None, "speaks", "in cast"])),
    wheres,
    st.builds(SpaceJoin, st.builds(Onscreen, texts), st.builds(Onscreen, texts), st.just("above")),
)


def around(inner: st.SearchStrategy[Clause]) -> st.SearchStrategy[Clause]:
    several = st.lists(inner, max_size=3).map(tuple)
    relation = st.sampled_from(["overlap", "within", "before", "after", "during"])
    return st.one_of(
        st.builds(AllOf, several),
        st.builds(AnyOf, several),
        st.builds(Not, inner),
        st.builds(Weighted, inner, shares),
        st.builds(TimeJoin, inner, inner, relation, numbers, st.sampled_from(["union", "intersection"])),
    )


clauses = st.recursive(leaf, around, max_leaves=8)
names = st.lists(texts, max_size=2).map(tuple)
filters = st.builds(
    Filters,
    titles=names,
    seasons=st.lists(numbers, max_size=2).map(tuple),
    years=st.lists(st.tuples(st.none() | numbers, st.none() | numbers), max_size=2).map(tuple),
    languages=names,
    rows=st.lists(wheres, max_size=2).map(tuple),
)
queries = st.builds(
    Query,
    st.lists(clauses, min_size=1, max_size=3).map(tuple),
    filters,
    st.sampled_from([None, "title", "series"]),
    st.sampled_from(["score", "time"]) | st.builds(SortBy, texts, texts, st.booleans()),
    st.integers(1, 500),
)


@given(queries)
def test_what_is_written_is_read_again(query: Query) -> None:
    assert read_query(json.loads(json.dumps(write_query(query)))) == query


def test_a_question_reads_like_a_question() -> None:
    body = {
        "clauses": [
            {
                "all": [
                    {"dialogue": {"text": '"i never left"', "character": "ana"}},
                    {"visual": {"text": "night", "everything": True}},
                    {"not": {"onscreen": {"text": "taxi", "region": {"x": 0, "y": 0.5, "w": 1, "h": 0.5}}}},
                ]
            }
        ],
        "filters": {"series": ["Night Shift"], "years": [[1990, None]]},
        "limit": 5,
    }
    never_left = Dialogue('"i never left"', character="ana")
    taxi = Onscreen("taxi", Region(0, 0.5, 1, 0.5))
    assert read_query(body) == Query(
        (AllOf((never_left, Visual("night", everything=True), Not(taxi))),),
        Filters(series=("Night Shift",), years=((1990, None),)),
        limit=5,
    )
    assert write_clause(taxi) == {
        "onscreen": {"text": "taxi", "region": {"x": 0.0, "y": 0.5, "w": 1.0, "h": 0.5}},
    }


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], "The query must be a JSON object, not list"),
        ({}, "A query has 'clauses'"),
        ({"clauses": []}, "at least one clause"),
        ({"clauses": ["hello"]}, r"Clauses\[0\] must be a JSON object, not str"),
        ({"clauses": [{}]}, r"clauses\[0\] has nothing"),
        ({"clauses": [{"dialogue": {"text": "a"}, "visual": {"text": "b"}}]}, "has 'dialogue', 'visual'"),
        ({"clauses": [{"dialog": {"text": "a"}}]}, "There is no clause 'dialog'.*there are text, dialogue"),
        ({"clauses": [{"dialogue": {}}]}, r"clauses\[0\]\.dialogue\.text: Field required"),
        ({"clauses": [{"dialogue": {"text": "a", "lang": "en"}}]}, "no field 'lang' in .*there are text, language"),
        ({"clauses": [{"all": {"text": {"text": "a"}}}]}, r"clauses\[0\]\.all is a list"),
        ({"clauses": [{"not": {"visual": {"text": 5}}}]}, r"not\.visual\.text: Input should be a valid string"),
        ({"clauses": [{"time_join": {"left": {"text": {"text": "a"}}}}]}, "has no 'right'"),
        ({"clauses": [{"weighted": {"clause": {"text": {"text": "a"}}, "wait": 1}}]}, "no field 'wait'"),
        ({"clauses": [{"similar": {"picture": {"data": "?"}}}]}, "picture.data is not base64"),
        ({"clauses": [{"similar": {"film": {}}}]}, "There is no clause 'film'"),
        ({"clauses": [{"onscreen": {"text": "a", "region": {"x": 0}}}]}, r"region\.y: Field required"),
        ({"clauses": [{"text": {"text": "a"}}], "filters": {"year": [1]}}, "no field 'year' in filters"),
        ({"clauses": [{"text": {"text": "a"}}], "sort": "best"}, "the query.sort: Input should be 'score' or 'time'"),
        ({"clauses": [{"text": {"text": "a"}}], "page": 2}, "no field 'page'"),
        ({"clauses": [{"text": {"text": "a"}}], "sort": {"algorithm": "a"}}, "sort.field: Field required"),
        ({"clauses": [{"where": {"algorithm": "a", "field": "b"}}]}, r"where\.value: Field required"),
        ({"clauses": [{"where": {"algorithm": "a", "value": 1, "comparison": "most"}}]}, "no 'field' beside it"),
        ({"clauses": [{"where": {"algorithm": "a", "value": True}}]}, "where.value is a text or a number, not bool"),
        (
            {"clauses": [{"where": {"algorithm": "a", "conditions": [{"field": "b", "value": []}]}}]},
            r"where\.conditions\[0\]\.value is a text, a number or a truth value, not list",
        ),
        ({"clauses": [{"where": {"algorithm": "a", "conditions": 5}}]}, "where.conditions: Input should be"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(body: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_query(body)


def test_questions_have_an_end() -> None:
    deep: dict[str, Any] = {"text": {"text": "a"}}
    for _ in range(MOST_DEEP):
        deep = {"not": deep}
    with pytest.raises(UsageError, match=f"at most {MOST_DEEP} deep"):
        read_clause(deep)
    with pytest.raises(UsageError, match=f"at most {MOST_LEAVES} clauses"):
        read_clause({"any": [{"text": {"text": "a"}}] * (MOST_LEAVES + 1)})


def test_a_field_beside_a_value_is_a_condition() -> None:
    short = {"algorithm": "faces", "field": "age", "value": "30", "comparison": "least"}
    more = {"conditions": [{"field": "seen", "value": True}]}
    old, seen = Condition("age", "30", "least"), Condition("seen", True)
    assert read_clause({"where": short}) == Where("faces", conditions=(old,))
    assert read_clause({"where": short | more}) == Where("faces", conditions=(old, seen))
    query = read_query({"clauses": [{"text": {"text": "a"}}], "filters": {"rows": [short]}})
    assert query.filters.rows == (Where("faces", conditions=(old,)),)


def test_a_truth_value_is_not_the_number_one() -> None:
    one, true = (
        read_clause({"where": {"algorithm": "a", "conditions": [{"field": "b", "value": value}]}})
        for value in (1, True)
    )
    assert one != true and len({one, true}) == 2
    whole = read_clause({"where": {"algorithm": "a", "conditions": [{"field": "b", "value": 1.0}]}})
    assert json.dumps(write_clause(whole)) == json.dumps(write_clause(one))
