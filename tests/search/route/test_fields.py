"""Own fields of algorithms: every condition finds what its definition says, over rows of all types; hits show them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaflow.errors import UsageError
from mediaflow.search.gateway import Gateway
from mediaflow.search.query import AllOf, Comparison, Condition, Dialogue, Filters, Query, SortBy, Visual, Where
from mediaflow.search.results import Hit
from mediaflow.search.route.fields import NoSuchField, WrongValue, compares, own_fields, type_of
from mediaflow.storage.objects import FolderStore
from tests.search.world import BOX, LABEL, TEXT, World, cue, shot

FILMS = ("one", "two", "three")
KINDS: dict[str, pl.DataType] = {
    "tiny": pl.Int8(),
    "large": pl.UInt64(),
    "half": pl.Float16(),
    "single": pl.Float32(),
    "double": pl.Float64(),
    "seen": pl.Boolean(),
    "who": pl.String(),
    "tags": pl.List(pl.String),
    "codes": pl.List(pl.Int16),
    "shares": pl.Array(pl.Float32, 2),
    "flags": pl.List(pl.Boolean),
    "place": pl.Struct({"floor": pl.Int32, "rooms": pl.List(pl.String)}),
    "paths": pl.List(pl.List(pl.Int8)),
}
NUMBERS = (0.1, 0.5, 2.0, -3.0, math.nan, math.inf)
WHO = ("Ann", "ann", "BO", "O'Neil", "ß", "")
# Whole numbers beyond what a floating-point number tells apart.
LARGE = (0, 5, 2**53 + 1, 2**53 + 2, 2**64 - 1)
_DTYPES = {"half": np.float16, "single": np.float32, "double": np.float64, "shares": np.float32}


def _row(draw: np.random.Generator, at: int) -> dict[str, Any]:
    def one(values: Sequence[Any]) -> Any:
        at = int(draw.integers(len(values) + 1))
        return None if at == len(values) else values[at]

    def some(values: Sequence[Any]) -> Any:
        return one([[one(values) for _ in range(int(draw.integers(3)))]])

    start = int(draw.integers(60))
    return {
        "title_id": FILMS[int(draw.integers(len(FILMS)))],
        # No two rows have one range.
        "start_ms": 100 * at + start,
        "end_ms": 100 * at + start + int(draw.integers(30)),
        "label": str(draw.choice(["car", "dog"])),
        "confidence": float(draw.choice([0.25, 0.5, 1.0])),
        "tiny": one([-3, 0, 2, 127]),
        "large": one(LARGE),
        **{name: one(NUMBERS) for name in ("half", "single", "double")},
        "seen": one([True, False]),
        "who": one(WHO),
        "tags": some(WHO),
        "codes": some([1, 2, 300]),
        "shares": one([[0.1, 2.0], [0.5, -3.0]]),
        "flags": some([True, False]),
        "place": one([{"floor": 1, "rooms": ["a"]}]),
        "paths": some([[1], []]),
    }


# Two in one place, and one in another.
DICE = [
    {"title_id": film, "start_ms": 0, "end_ms": 5, "label": "die", "confidence": 1.0, "eyes": eyes}
    for film, eyes in (("one", 1), ("one", 6), ("two", 3))
]
_DRAW = np.random.default_rng(8)
ROWS = [_row(_DRAW, at) for at in range(80)]


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    """Films with rows that have fields of all types."""
    world = World(FolderStore(tmp_path_factory.mktemp("store")))
    for film in FILMS:
        world.title(film)
    world.algorithm("things", "label", {**LABEL, **KINDS}, ROWS, tuple(KINDS))
    world.dialogue(*(cue(film, 0, 9_000, "sail") for film in FILMS), cue("one", 20_000, 20_500, "anchor"))
    world.visual(shot("one", 0, 9_000, "red"))
    sign = {"title_id": "one", "start_ms": 0, "end_ms": 9, "text": "exit", "confidence": 0.5, "x": 0.5, "y": 0.5}
    world.algorithm(
        "signs",
        "boxed_text",
        {**TEXT, **BOX, "font": pl.String},
        [sign | {"w": 0.25, "h": 0.25, "font": "Serif"}],
        # As manifests tell it: with the columns that all rows of the shape have.
        (*TEXT, *BOX, "font"),
    )
    world.algorithm("dice", "label", {**LABEL, "eyes": pl.Int8}, DICE, ("eyes",))
    return world.gateway()


def fits(row: dict[str, Any], condition: Condition) -> bool:
    """Say by the definition whether a row fulfils a condition."""
    name, value, how = condition.field, condition.value, condition.comparison
    had = [row[name]] if how != "contains" else (row[name] or [])
    return any(_compared(name, one, value, how) for one in had if one is not None)


def _compared(name: str, one: Any, value: Any, how: Comparison) -> bool:
    if isinstance(one, str):
        return one.lower() == str(value).lower()
    if isinstance(one, bool):
        return one == value
    if name in _DTYPES:
        with np.errstate(over="ignore"):
            one, value = _DTYPES[name](one), _DTYPES[name](value)
        if np.isnan(one):
            return False
    return bool({"equals": one == value, "contains": one == value, "least": one >= value, "most": one <= value}[how])


def of(names: Sequence[str], values: Sequence[Any], *how: Comparison) -> st.SearchStrategy[Condition]:
    return st.builds(Condition, st.sampled_from(names), st.sampled_from(values), st.sampled_from(how))


ORDERED: tuple[Comparison, ...] = ("equals", "least", "most")
conditions = st.one_of(
    of(["tiny"], [-128, -3, 0, 1, 127], *ORDERED),
    of(["large"], LARGE, *ORDERED),
    of(["half", "single", "double"], [0.1, 0.5, 0, 1.5, -3.0, 1e30], *ORDERED),
    of(["seen"], [True, False], "equals"),
    of(["who"], WHO, "equals"),
    of(["tags"], WHO, "contains"),
    of(["codes"], [1, 300, -7], "contains"),
    of(["shares"], [0.1, -3, 7.5], "contains"),
    of(["flags"], [True, False], "contains"),
)
several = st.lists(conditions, max_size=3).map(tuple)
wheres = st.builds(Where, st.just("things"), st.sampled_from([None, "car", "DOG"]), several)


def meant(clause: Where) -> list[dict[str, Any]]:
    value = str(clause.value).lower()
    rows = [row for row in ROWS if clause.value is None or row["label"] == value]
    return [row for row in rows if all(fits(row, one) for one in clause.conditions)]


def key(row: dict[str, Any]) -> tuple[str, int, int]:
    # A hit has at least an instant.
    return row["title_id"], row["start_ms"], max(row["end_ms"], row["start_ms"] + 1)


def found(hits: Sequence[Hit]) -> list[tuple[str, int, int]]:
    return [(hit.title_id, hit.start_ms, hit.end_ms) for hit in hits]


def text(condition: Condition) -> Condition:
    """Return a condition whose value is written as a text."""
    written = str(condition.value) if not isinstance(condition.value, float) else repr(condition.value)
    return Condition(condition.field, written, condition.comparison)


@given(wheres)
def test_conditions_find_what_their_definition_says(gateway: Gateway, clause: Where) -> None:
    expected = sorted(map(key, meant(clause)))
    assert sorted(found(gateway.search(Query((clause,), limit=1000)).hits)) == expected
    written = Where(clause.algorithm, clause.value, tuple(map(text, clause.conditions)))
    assert sorted(found(gateway.search(Query((written,), limit=1000)).hits)) == expected


@given(wheres)
def test_they_filter_titles(gateway: Gateway, clause: Where) -> None:
    hits = gateway.search(Query((Dialogue("sail"),), Filters(rows=(clause,)))).hits
    assert {hit.title_id for hit in hits} == {row["title_id"] for row in meant(clause)}


@given(wheres)
def test_they_hold_within_other_clauses(gateway: Gateway, clause: Where) -> None:
    hits = gateway.search(Query((AllOf((Dialogue("sail"), clause)),), limit=1000)).hits
    wanted = {key(row)[:2] for row in meant(clause)}
    assert {(hit.title_id, hit.start_ms) for hit in hits} == wanted


SORTED = ("tiny", "large", "half", "single", "double", "seen", "who")


@given(wheres, st.sampled_from(SORTED), st.booleans(), st.sampled_from([7, 1000]))
def test_hits_come_in_the_order_of_a_field_on_all_pages(
    gateway: Gateway, clause: Where, field: str, descending: bool, limit: int
) -> None:
    query = Query((clause,), sort=SortBy("things", field, descending), limit=limit)
    hits: list[Hit] = []
    offset: int | None = 0
    while offset is not None:
        page = gateway.search(query, offset)
        hits += page.hits
        offset = page.next_offset
    rows = sorted(meant(clause), key=lambda row: (sorted(FILMS).index(row["title_id"]), row["start_ms"]))
    has = [row for row in rows if row[field] is not None and row[field] == row[field]]
    empty = [row for row in rows if row not in has]
    # A reversed sort of Python keeps equal ones in their order too.
    has.sort(key=lambda row: row[field].lower() if field == "who" else row[field], reverse=descending)
    assert found(hits) == [key(row) for row in (*has, *empty)]


def test_of_several_rows_the_first_in_the_order_counts(gateway: Gateway) -> None:
    for descending in (False, True):
        hits = gateway.search(Query((Where("dice"),), sort=SortBy("dice", "eyes", descending))).hits
        assert [(hit.title_id, len(hit.sources)) for hit in hits] == [("one", 2), ("two", 1)]


def test_hits_without_a_row_of_the_algorithm_come_last(gateway: Gateway) -> None:
    clauses = (Where("things", conditions=(Condition("tiny", 127),)), Dialogue("anchor"))
    hits = gateway.search(Query(clauses, sort=SortBy("things", "tiny"))).hits
    have = [any(source.algorithm == "things" for source in hit.sources) for hit in hits]
    assert have == sorted(have, reverse=True) and set(have) == {True, False}


def test_of_what_ranks_each_page_has_the_best_in_that_order(gateway: Gateway) -> None:
    query = Query((AllOf((Where("things", "car"), Visual("red"))),), sort=SortBy("things", "tiny"), limit=500)
    values = [source.fields["tiny"] for hit in gateway.search(query) for source in hit.sources if source.fields]
    numbers = [value for value in values if value is not None]
    assert len(numbers) > 3 and numbers == sorted(numbers) and values == numbers + [None] * (len(values) - len(numbers))


def test_hits_show_the_fields_of_their_rows(gateway: Gateway) -> None:
    hits = gateway.search(Query((Where("things"),), limit=1000)).hits
    rows = {key(row): row for row in ROWS}
    assert len(hits) == len(ROWS)
    for hit in hits:
        (source,) = hit.sources
        fields, row = dict(source.fields or {}), rows[hit.title_id, hit.start_ms, hit.end_ms]
        assert fields.keys() == KINDS.keys()
        for name in KINDS.keys() - _DTYPES.keys():
            assert fields[name] == row[name], name
        for name in ("half", "single", "double"):
            finite = row[name] is not None and math.isfinite(row[name])
            assert fields[name] == (float(_DTYPES[name](row[name])) if finite else None)
    body = next(hit.as_json()["sources"][0]["fields"] for hit in hits if hit.sources[0].fields["large"] == 2**64 - 1)  # type: ignore[index]
    assert body["large"] == str(2**64 - 1), "beyond what other readers of JSON have of numbers"
    frame = gateway.search(Query((Where("things"),), limit=2)).to_polars()
    assert '"who":' in frame["sources"][0][0]["fields"]


def test_the_columns_of_a_shape_are_no_fields_of_the_author(gateway: Gateway) -> None:
    (sign,) = gateway.search(Query((Where("signs"),))).hits
    assert sign.sources[0].fields == {"font": "Serif"}
    (seen,) = gateway.search(Query((Visual("red"),))).hits
    assert seen.sources[0].fields is None and "fields" not in seen.sources[0].as_json()
    part = gateway.reader.manifest.algorithms["signs"]
    assert own_fields(part).keys() == {"font"}
    told = replace(part, fields={"start_ms": "Int64", "text": "String", "x": "Float32", "font": "String"})
    assert own_fields(told) == {"font": pl.String()}


@pytest.mark.parametrize("kind", [*KINDS.values(), pl.List(pl.Struct({"a b": pl.Array(pl.Int8, (2, 3))}))], ids=str)
def test_types_are_read_as_they_are_written(kind: pl.DataType) -> None:
    assert type_of(str(kind)) == kind


@pytest.mark.parametrize(
    "said",
    ["", "Int9", "List", "List(Int8", "Struct(Int8)", "DataFrame", "List(" * 50, "Array(Int8)", "__import__('os')"],
)
def test_what_is_no_type_of_a_field_is_unknown(said: str) -> None:
    assert type_of(said) == pl.Unknown() and compares(type_of(said)) == ()


WRONG = [
    (Condition("shoe", 1), NoSuchField, "'things' has no field 'shoe'; its fields are codes, double"),
    (Condition("tiny", 128), WrongValue, "of type Int8, and 128 is none"),
    (Condition("tiny", 1.5), WrongValue, "of type Int8, and 1.5 is none"),
    (Condition("tiny", "1.0"), WrongValue, "of type Int8, and '1.0' is none"),
    (Condition("tiny", True), WrongValue, "of type Int8, and True is none"),
    (Condition("large", -1), WrongValue, "of type UInt64, and -1 is none"),
    (Condition("single", "nan"), WrongValue, "and 'nan' is none"),
    (Condition("single", 10**400), WrongValue, "of type Float32"),
    (Condition("seen", 1), WrongValue, "of type Boolean, and 1 is none"),
    (Condition("seen", "maybe"), WrongValue, "of type Boolean, and 'maybe' is none"),
    (Condition("who", 5), WrongValue, "of type String, and 5 is none"),
    (Condition("who", "a", "least"), WrongValue, "cannot be compared by 'least'; it can be compared by equals"),
    (Condition("tags", "a"), WrongValue, "cannot be compared by 'equals'; it can be compared by contains"),
    (Condition("tiny", 1, "contains"), WrongValue, "it can be compared by equals, least, most"),
    (Condition("place", 1), WrongValue, "it can be shown, not compared"),
    (Condition("paths", 1, "contains"), WrongValue, "it can be shown, not compared"),
]


@pytest.mark.parametrize(
    ("condition", "kind", "said"), WRONG, ids=[f"{one.field} {one.value!r} {one.comparison}"[:30] for one, *_ in WRONG]
)
def test_what_cannot_be_asked_is_a_typed_error(
    gateway: Gateway, condition: Condition, kind: type[UsageError], said: str
) -> None:
    where = Where("things", conditions=(condition,))
    for query in (Query((where,)), Query((Dialogue("sail"),), Filters(rows=(where,)))):
        with pytest.raises(kind, match=said) as caught:
            gateway.search(query)
        assert caught.value.fields["algorithm"] == "things" and caught.value.fields["field"] == condition.field
    if kind is NoSuchField:
        assert caught.value.fields["there"] == sorted(KINDS)


@pytest.mark.parametrize(
    ("sort", "kind", "said"),
    [
        (SortBy("things", "shoe"), NoSuchField, "'things' has no field 'shoe'"),
        (SortBy("things", "place"), WrongValue, "which has no order"),
        (SortBy("things", "tags"), WrongValue, "which has no order"),
        (SortBy("smell", "age"), UsageError, "nothing of 'smell'"),
    ],
)
def test_an_order_that_is_none_is_a_typed_error(
    gateway: Gateway, sort: SortBy, kind: type[UsageError], said: str
) -> None:
    with pytest.raises(kind, match=said):
        gateway.search(Query((Dialogue("nobody says this"),), sort=sort))


def test_a_filter_takes_nothing_that_ranks(gateway: Gateway) -> None:
    with pytest.raises(UsageError, match="more or less like that"):
        gateway.search(Query((Dialogue("sail"),), Filters(rows=(Where("visual", "red"),))))
