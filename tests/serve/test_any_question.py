"""Any question at all: both protocols give what Python gives, its answer or its sentence, and never a fault."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mediaflow.search.engine import SearchEngine
from mediaflow.search.process.wire import write_query
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
from tests.conftest import examples
from tests.serve.conftest import Server
from tests.serve.faces import Face, GraphQL, Grpc, Python, Refused, without_nulls

ODD = ["", " ", "'", '"', "\\", "%", "\x00", "\n", "ß", "☃", "'; --", "NULL", "🎬" * 3]


def mostly(*usual: str) -> st.SearchStrategy[str]:
    """Give one of these, and now and then something odd."""
    odd = st.sampled_from(ODD) | st.text(max_size=5)
    return st.integers(0, 9).flatmap(lambda at: odd if at == 7 else st.sampled_from(usual))


words = mostly("hello", "red", "deep", '"no exit"', "out")
people = mostly("maria", "Bo Ek", "eve")
titles = mostly("harbour", "meadow", "Second", "First")
algorithms = mostly("faces", "signs", "loud", "motion", "dialogue", "visual", "onscreen_text", "titles")
own = mostly("age", "name", "seen", "level", "speaker", "title_no", "text", "vector")
values = st.sampled_from(["30", "-1e400", "nan", "face", "exit", "Ann", "true", "0.5", "9" * 30]) | words
fields = st.sampled_from([("faces", "age"), ("faces", "name"), ("faces", "seen"), ("loud", "level")])
comparisons = st.sampled_from(["equals", "least", "most", "contains"])
shares = st.floats(-1, 2, allow_nan=False)
regions = st.none() | st.builds(Region, shares, shares, shares, shares, st.sampled_from(["overlaps", "inside"]))
typed = values | st.sampled_from([30, 0.5, True, False, -3.5, 10**17, -1])
of_fields = st.builds(
    lambda own, value, some: Where(own[0], conditions=(Condition(own[1], value, some[0]), *some[1])),
    fields,
    typed,
    st.tuples(comparisons, st.lists(st.builds(Condition, own, typed, comparisons), max_size=1)),
)
conditions = st.lists(st.builds(Condition, own, typed, comparisons), max_size=1).map(tuple)
wheres = st.builds(Where, algorithms, st.none() | values, conditions, regions)
presences = st.sampled_from([None, "speaks", "in cast"])
# As many as GraphQL has of whole numbers.
times = st.sampled_from([0, 100, 4500, -1, 2**31 - 1, -(2**31)]) | st.integers(0, 10_000)
boxed = st.one_of(st.builds(Onscreen, words, regions, shares), st.builds(Where, algorithms, values))
leaf: st.SearchStrategy[Clause] = st.one_of(
    st.builds(FreeText, words, st.sampled_from([None, "en", "'"]), st.sampled_from([None, "chapter", "song"])),
    st.builds(Dialogue, words, st.sampled_from([None, "de", "EN"]), st.none(), st.none() | people, st.none() | people),
    st.builds(Visual, words, st.booleans()),
    st.builds(
        SimilarToPicture,
        st.sampled_from([b"\xff\x00\x00", b"\x00\xff\x00", b"\xff\xff\xff", b"", b"four"]),
        words,
        st.booleans(),
    ),
    st.builds(SimilarToShot, titles, times, st.booleans()),
    st.builds(SimilarToClip, st.sampled_from([b"\xff\x00\x00\x00\xff\x00", b"", b"four"]), words),
    st.builds(SimilarToRange, titles, times, times),
    st.builds(SimilarToVector, st.lists(shares, max_size=2).map(lambda some: (*some, *[0.5] * 30)), algorithms),
    st.builds(Label, values, shares, st.none() | algorithms),
    st.builds(Character, people, presences),
    st.builds(Talent, people, presences),
    wheres,
    st.builds(SpaceJoin, boxed, boxed, st.sampled_from(["same_frame", "left_of", "above"])),
    of_fields,
    boxed,
)


def around(inner: st.SearchStrategy[Clause]) -> st.SearchStrategy[Clause]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    relations = st.sampled_from(["overlap", "within", "before", "after", "during"])
    return st.one_of(
        st.builds(AllOf, several),
        st.builds(lambda one, other: AllOf((one, Not(other))), inner, inner),
        st.builds(AnyOf, several),
        st.builds(Not, inner),
        st.builds(Weighted, inner, st.floats(-2, 9, allow_nan=False)),
        st.builds(TimeJoin, inner, inner, relations, times, st.sampled_from(["union", "intersection"])),
    )


def some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.just(()) | st.lists(values, max_size=2).map(tuple)


years = st.sampled_from([None, 1994, 2009, -5, 2**31 - 1])
filters = (
    st.just(Filters())
    | st.builds(Filters, years=some(st.tuples(years, years)))
    | st.builds(
        Filters,
        titles=some(titles),
        series=some(st.sampled_from(["Night Shift", "'"])),
        seasons=some(times),
        genres=some(st.sampled_from(["drama", "x", ""])),
        years=some(st.tuples(years, years)),
        characters=some(people),
        talents=some(people),
        kinds=some(words),
        languages=some(words),
        rows=some(wheres),
    )
)
questions = st.builds(
    Query,
    st.lists(st.recursive(leaf, around, max_leaves=5), min_size=1, max_size=3).map(tuple),
    filters,
    st.sampled_from([None, "title", "series"]),
    st.sampled_from(["score", "time"])
    | st.builds(lambda own, descending: SortBy(*own, descending), fields, st.booleans())
    | st.builds(SortBy, algorithms, own),
    st.sampled_from([1, 2, 20, 500]),
)


@settings(examples(0.7), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(question=questions)
def test_both_protocols_say_what_python_says(question: Query, server: Server, engine: SearchEngine) -> None:
    body = write_query(question)
    expected, *found = (said(face, body) for face in (Python(engine), GraphQL(server), Grpc(server)))
    for one in found:
        assert one == expected
    assert "fault of the server" not in str(found)


def said(face: Face, body: dict[str, Any]) -> Any:
    """Return the answer or the sentence."""
    try:
        answer = without_nulls(face.search(body))
    except Refused as error:
        return str(error)
    return {name: answer[name] for name in ("snapshot", "hits", "notes", "total", "counted")}
