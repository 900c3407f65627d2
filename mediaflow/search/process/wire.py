"""Queries as JSON objects, the form in which all faces of the search take them: read strictly, and written.

A clause is an object of one member, whose name says what it is: `{"dialogue": {"text": "i never left"}}`,
`{"all": [...]}`, `{"not": {...}}`. Fields are those of the classes in `mediaflow.search.query`; a field that is left
out has its default. The bytes of a picture are base64, or come as bytes where a face has them by other means.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, cast, get_args

from pydantic import TypeAdapter, ValidationError

from mediaflow.errors import UsageError
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
    Sort,
    SortBy,
    SpaceJoin,
    Talent,
    TimeJoin,
    Visual,
    Weighted,
    Where,
)

LEAVES: dict[str, type] = {
    "text": FreeText,
    "dialogue": Dialogue,
    "visual": Visual,
    "onscreen": Onscreen,
    "label": Label,
    "character": Character,
    "talent": Talent,
    "where": Where,
}
SIMILAR: dict[str, type] = {
    "picture": SimilarToPicture,
    "clip": SimilarToClip,
    "shot": SimilarToShot,
    "range": SimilarToRange,
    "vector": SimilarToVector,
}
"""What stands in `{"similar": {...}}`."""

_NAMES = {kind: name for name, kind in (LEAVES | SIMILAR).items()}
_COMBINED = ("all", "any", "not", "weighted", "time_join", "space_join")
# Deeper or larger questions are mistakes or attacks.
MOST_DEEP, MOST_LEAVES = 16, 64
# Up to here every whole number is a floating-point number too.
_EXACT = 2**53

Kind = TypeVar("Kind")


def read_query(body: Any) -> Query:
    """Return the query that a JSON object says.

    Raises
    ------
    UsageError
        It is none: the message names the place and what is wrong there.
    """
    given = _object(body, "the query")
    unknown = sorted(given.keys() - {one.name for one in fields(Query)})
    if unknown:
        raise _unknown("the query", unknown, Query)
    clauses = given.get("clauses")
    if not isinstance(clauses, list) or not clauses:
        raise UsageError("A query has 'clauses': a list of at least one clause.")
    reading = _Reading()
    read = tuple(reading.clause(one, f"clauses[{at}]", 1) for at, one in enumerate(clauses))
    rest = {name: value for name, value in given.items() if name not in ("clauses", "filters")}
    filters = reading.plain(Filters, given.get("filters") or {}, "filters")
    also: dict[str, Any] = {"clauses": read}
    if isinstance(rest.get("sort"), Mapping):
        also["sort"] = reading.plain(SortBy, rest.pop("sort"), "sort")
    elif rest.get("sort", "score") not in get_args(Sort):
        said = f"Input should be {' or '.join(map(repr, get_args(Sort)))}, or an object of algorithm and field"
        raise UsageError(f"the query.sort: {said}.", place="the query.sort")
    return _validated(Query, {"clauses": (), "filters": filters, **rest}, "the query", **also)


def read_clause(body: Any) -> Clause:
    """Return the clause that a JSON object says; `UsageError` as for `read_query`."""
    return _Reading().clause(body, "the clause", 1)


def write_query(query: Query) -> dict[str, Any]:
    """Return a query as the JSON object that `read_query` reads; what has its default is left out."""
    body: dict[str, Any] = {"clauses": [write_clause(one) for one in query.clauses]}
    rest = _plain_json(query)
    return body | {name: value for name, value in rest.items() if name != "clauses" and value != {}}


def write_clause(clause: Clause) -> dict[str, Any]:
    """Return a clause as the JSON object that `read_clause` reads."""
    match clause:
        case AllOf():
            return {"all": [write_clause(one) for one in clause.clauses]}
        case AnyOf():
            return {"any": [write_clause(one) for one in clause.clauses]}
        case Not():
            return {"not": write_clause(clause.clause)}
        case Weighted():
            return {"weighted": {"clause": write_clause(clause.clause), "weight": clause.weight}}
        case TimeJoin() | SpaceJoin():
            sides = {"left": write_clause(clause.left), "right": write_clause(clause.right)}
            rest = {name: value for name, value in _plain_json(clause).items() if name not in sides}
            return {"time_join" if isinstance(clause, TimeJoin) else "space_join": sides | rest}
    name = _NAMES[type(clause)]
    return {"similar": {name: _plain_json(clause)}} if name in SIMILAR else {name: _plain_json(clause)}


class _Reading:
    """One query on its way: how many leaves it has until now."""

    def __init__(self) -> None:
        self._leaves = 0

    def clause(self, body: Any, where: str, depth: int) -> Clause:
        given = _object(body, where)
        if len(given) != 1:
            names = ", ".join(map(repr, given)) or "nothing"
            raise UsageError(f"A clause has one member, which says what it is; {where} has {names}.")
        if depth > MOST_DEEP:
            raise UsageError(f"Clauses stand within each other at most {MOST_DEEP} deep; {where} is deeper.")
        ((name, inner),) = given.items()
        here = f"{where}.{name}"
        match name:
            case "all" | "any":
                if not isinstance(inner, list):
                    raise UsageError(f"{here} is a list of clauses.")
                several = tuple(self.clause(one, f"{here}[{at}]", depth + 1) for at, one in enumerate(inner))
                return AllOf(several) if name == "all" else AnyOf(several)
            case "not":
                return Not(self.clause(inner, here, depth + 1))
            case "weighted":
                return self._around(Weighted, inner, here, depth, ("clause",))
            case "time_join":
                return self._around(TimeJoin, inner, here, depth, ("left", "right"))
            case "space_join":
                return self._around(SpaceJoin, inner, here, depth, ("left", "right"))
        return self._leaf(name, inner, where)

    def _leaf(self, name: str, inner: Any, where: str) -> Clause:
        self._leaves += 1
        if self._leaves > MOST_LEAVES:
            raise UsageError(f"A query has at most {MOST_LEAVES} clauses.")
        kinds, here = LEAVES, f"{where}.{name}"
        if name == "similar":
            kinds, given = SIMILAR, _object(inner, here)
            if len(given) != 1:
                raise UsageError(f"{here} has one member: {' or '.join(SIMILAR)}.")
            ((name, inner),) = given.items()
            here = f"{here}.{name}"
        if name not in kinds:
            there = ", ".join(kinds if kinds is SIMILAR else [*LEAVES, "similar", *_COMBINED])
            raise UsageError(f"There is no clause {name!r} ({where}); there are {there}.", clause=name)
        return cast(Clause, self.plain(kinds[name], inner, here))

    def _around(self, kind: type[Kind], inner: Any, here: str, depth: int, sides: tuple[str, ...]) -> Kind:
        """Return a clause that has other clauses in some of its fields."""
        given = dict(_object(inner, here))
        missing = [side for side in sides if side not in given]
        if missing:
            raise UsageError(f"{here} has no {missing[0]!r}: give it a clause.")
        read = {side: self.clause(given.pop(side), f"{here}.{side}", depth + 1) for side in sides}
        unknown = sorted(given.keys() - {one.name for one in fields(cast(Any, kind))})
        if unknown:
            raise _unknown(here, unknown, kind)
        placeholder: dict[str, Any] = dict.fromkeys(sides, FreeText(""))
        return _validated(kind, {**placeholder, **given}, here, **read)

    def plain(self, kind: type[Kind], inner: Any, here: str) -> Kind:
        """Return a value of a class without clauses in it."""
        given = dict(_object(inner, here))
        if kind is Where:
            given = _with_conditions(given, here)
        unknown = sorted(given.keys() - {one.name for one in fields(cast(Any, kind))})
        if unknown:
            raise _unknown(here, unknown, kind)
        if "value" in given:
            given["value"] = _value(given["value"], f"{here}.value", kind is Condition)
        if isinstance(given.get("conditions"), list):
            several = enumerate(given["conditions"])
            given["conditions"] = [self.plain(Condition, one, f"{here}.conditions[{at}]") for at, one in several]
        if isinstance(given.get("data"), str):
            try:
                given["data"] = base64.b64decode(given["data"], validate=True)
            except (binascii.Error, ValueError) as error:
                raise UsageError(f"{here}.data is not base64.") from error
        if given.get("region") is not None:
            given["region"] = self.plain(Region, given["region"], f"{here}.region")
        if kind is Filters and isinstance(given.get("rows"), list):
            given["rows"] = [self.plain(Where, one, f"{here}.rows[{at}]") for at, one in enumerate(given["rows"])]
        return _validated(kind, given, here)


def _with_conditions(given: Mapping[str, Any], here: str) -> dict[str, Any]:
    """Return the fields of a clause `where`; a `field` with its `value` and `comparison` is a condition as well."""
    rest = {name: one for name, one in given.items() if name not in ("field", "comparison")}
    named = {name: given[name] for name in ("field", "comparison") if given.get(name) is not None}
    if "field" not in named:
        if "comparison" in named:
            raise UsageError(f"{here}.comparison says how a field is compared, and there is no 'field' beside it.")
        return rest
    if rest.get("value") is None:
        raise UsageError(f"{here}.value: Field required.", place=f"{here}.value")
    more = rest.get("conditions") or []
    return rest | {"value": None, "conditions": [{**named, "value": rest["value"]}, *more]}


def _value(value: Any, here: str, or_truth: bool) -> Any:
    """Return a value to compare with; a whole number is the same one however a protocol writes it."""
    if value is not None and (not isinstance(value, str | int | float) or (isinstance(value, bool) and not or_truth)):
        what = "a text, a number or a truth value" if or_truth else "a text or a number"
        raise UsageError(f"{here} is {what}, not {type(value).__name__}.", place=here)
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT else value


def _validated(kind: type[Kind], given: Mapping[str, Any], here: str, **also: Any) -> Kind:
    """Return a value with fields of the declared types, and others that are given as they are."""
    try:
        checked = _adapter(cast(type, kind)).validate_python(dict(given))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join([here, *map(str, first["loc"])])
        raise UsageError(f"{place}: {first['msg']}.", place=place) from error
    if not also:
        return cast(Kind, checked)
    values = {one.name: getattr(checked, one.name) for one in fields(cast(Any, kind))}
    return kind(**{**values, **also})


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _object(body: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise UsageError(f"{where[0].upper()}{where[1:]} must be a JSON object, not {type(body).__name__}.")
    return body


def _unknown(where: str, unknown: list[str], kind: type) -> UsageError:
    there = ", ".join(one.name for one in fields(cast(Any, kind)))
    return UsageError(f"There is no field {unknown[0]!r} in {where}; there are {there}.", field=unknown[0])


def _plain_json(value: Any) -> dict[str, Any]:
    """Return the fields of a dataclass that have not their defaults, as JSON values."""
    body = {}
    for one in fields(value):
        given = getattr(value, one.name)
        default = one.default_factory() if one.default_factory is not MISSING else one.default
        if given != default:
            body[one.name] = _json(given)
    return body


def _json(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, tuple):
        # Long ones are vectors.
        return list(value) if value and isinstance(value[0], float) else [_json(one) for one in value]
    return _plain_json(value) if is_dataclass(value) and not isinstance(value, type) else value
