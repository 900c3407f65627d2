"""The part of the GraphQL schema that belongs to a snapshot: types of its algorithms and their own fields.

It is written as text, from names that GraphQL can have and descriptions that are quoted, and then bound: what a client
gives becomes a clause `where`, and an own row is read from the fields of a source.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema

from mediaflow.algorithms.contract import Shape
from mediaflow.algorithms.shapes import BOXED_SHAPES
from mediaflow.search.route.fields import compares, inner_type, own_fields, type_of
from mediaflow.serve.graphql.names import free, is_name, members, pascal
from mediaflow.snapshots.manifest import AlgorithmPart

if TYPE_CHECKING:
    import polars as pl

# Members that every algorithm's input and row may have beside its own fields.
_TAKEN = ("value", "region", "algorithm")
_VALUES = {
    Shape.SHOT_VECTOR: "A text that the shots should look like.",
    Shape.FRAME_VECTOR: "A text that what is in the boxes should look like.",
    Shape.TEXT: "Words, and phrases in double quotes.",
    Shape.BOXED_TEXT: "Words, and phrases in double quotes.",
    Shape.LABEL: "The label, in upper or lower case.",
    Shape.RANGE: "The least score.",
}
# Of the types of whole numbers, those of which GraphQL's own can hold every number.
_SMALL = ("Int8", "Int16", "Int32", "UInt8", "UInt16")
_CONDITIONS = {
    "Int": ("IntCondition", "IntsCondition"),
    "Whole": ("WholeCondition", "WholesCondition"),
    "Float": ("FloatCondition", "FloatsCondition"),
    "String": ("TextCondition", "TextsCondition"),
    "Boolean": ("TruthCondition", "TruthsCondition"),
}
_ANY = "Fields"


@dataclass(frozen=True)
class Named:
    """An algorithm in GraphQL.

    Attributes
    ----------
    algorithm, member : str
        Its name, and that of its member of `by`.
    where, row : str
        The types of its condition, and of its rows (empty where it has no fields that GraphQL can name).
    fields : Mapping[str, str]
        The members of both, by the names of its own fields.
    """

    algorithm: str
    member: str
    where: str
    row: str
    fields: Mapping[str, str]


@dataclass
class Own:
    """What a schema has of the algorithms of a snapshot.

    Attributes
    ----------
    algorithms : dict[str, Named]
        By name; without those that GraphQL cannot name.
    sortable : dict[str, tuple[str, str]]
        By value of the enum: an algorithm and its field.
    structs : dict[str, Mapping[str, str]]
        By name of a type: the members by the names of a struct's fields.
    text : str
        The types, in GraphQL's schema language.
    """

    algorithms: dict[str, Named] = field(default_factory=dict)
    sortable: dict[str, tuple[str, str]] = field(default_factory=dict)
    structs: dict[str, Mapping[str, str]] = field(default_factory=dict)
    text: str = ""


def own_of(parts: Mapping[str, AlgorithmPart], taken: Iterable[str]) -> Own:
    """Return what a schema has of algorithms.

    Parameters
    ----------
    parts : Mapping[str, AlgorithmPart]
        By name.
    taken : iterable of str
        Names of types that there are already.
    """
    return _Writing(parts, set(taken)).own


def bind(schema: GraphQLSchema, own: Own) -> None:
    """Let the types of a snapshot read what clients give and what answers hold; after all other names are bound."""
    named = {one.row: one for one in own.algorithms.values() if one.row}
    by_algorithm = {one.algorithm: one for one in named.values()}
    _bind_row(schema, named, by_algorithm)
    for name, inner in own.structs.items():
        _read_from(_object(schema, name), inner)
    if not own.algorithms:
        return
    for one in own.algorithms.values():
        for member, given in _input(schema, one.where).fields.items():
            given.out_name = member
        _reads(schema, one.where, _where(one))
    _reads(schema, "ByAlgorithm", lambda given: next(iter(given.values()), None))
    _reads(schema, "Clause", lambda given: {"where": given["by"]} if "by" in given else given)
    _reads(schema, "Filters", _filters)
    if own.sortable:
        enum = schema.type_map["SortableField"]
        assert isinstance(enum, GraphQLEnumType)
        for name, of in own.sortable.items():
            enum.values[name].value = of
        _reads(schema, "SortBy", _sort_by)


def named(found: dict[str, Any], own: Own) -> dict[str, Any]:
    """Return a list of algorithms with the names that they and their fields have in a schema."""
    for one in found["algorithms"]:
        known = own.algorithms.get(one["name"])
        one["member"] = known.member if known else None
        for of in one["fields"]:
            of["member"] = known.fields.get(of["name"]) if known else None
    return found


class _Writing:
    """The types of a snapshot on their way: which names are taken."""

    def __init__(self, parts: Mapping[str, AlgorithmPart], taken: set[str]) -> None:
        self.own = Own()
        self._taken = taken | {"ByAlgorithm", "SortableField"}
        self._types: list[str] = []
        for name, member in members(parts).items():
            self._algorithm(name, member, parts[name])
        self._whole(parts)
        self.own.text = "\n".join(self._types)

    def _algorithm(self, name: str, member: str, part: AlgorithmPart) -> None:
        kinds = own_fields(part)
        fields = members(kinds, _TAKEN)
        where = self._free(f"{pascal(name)}Where")
        row = self._free(f"{pascal(name)}Row") if fields else ""
        self.own.algorithms[name] = Named(name, member, where, row, fields)
        self._types.append(_typed(f"input {where}", _about(name, part), self._conditions(part, kinds, fields)))
        if row:
            shown = [("algorithm", "String!", "")]
            shown += [(fields[one], self._output(kinds[one], f"{row}{pascal(one)}"), str(kinds[one])) for one in fields]
            self._types.append(_typed(f"type {row} implements OwnRow", _about(name, part), shown))

    def _conditions(
        self, part: AlgorithmPart, kinds: Mapping[str, pl.DataType], fields: Mapping[str, str]
    ) -> Iterator[tuple[str, str, str]]:
        import polars as pl

        shape = Shape(part.shape) if part.shape in set(Shape) else None
        about = _VALUES[shape] if shape else "What it means follows from what the rows are."
        yield "value", "Float" if shape is Shape.RANGE else "String", about
        if shape in BOXED_SHAPES:
            yield "region", "Region", "Where in the picture."
        for name, member in fields.items():
            if how := compares(kinds[name]):
                kind = kinds[name]
                of = self._output(inner_type(kind) if isinstance(kind, pl.List | pl.Array) else kind, "")
                yield member, _CONDITIONS[of][how == ("contains",)], str(kind)

    def _output(self, kind: pl.DataType, name: str) -> str:
        """Return the type in GraphQL of a field; that of a struct is written under a name, if it can be."""
        import polars as pl

        if isinstance(kind, pl.List | pl.Array):
            return f"[{self._output(inner_type(kind), name)}]"
        if isinstance(kind, pl.Struct):
            return self._struct(kind, name)
        if kind.is_integer():
            return "Int" if str(kind) in _SMALL else "Whole"
        return "Float" if kind.is_float() else {pl.String: "String", pl.Boolean: "Boolean"}.get(type(kind), _ANY)

    def _struct(self, kind: pl.Struct, name: str) -> str:
        kinds = {one.name: type_of(str(one.dtype)) for one in kind.fields}
        if not kinds or not all(map(is_name, kinds)):
            return _ANY
        name = self._free(name)
        inner = members(kinds)
        self.own.structs[name] = inner
        shown = [(inner[one], self._output(kinds[one], f"{name}{pascal(one)}"), str(kinds[one])) for one in inner]
        self._types.append(_typed(f"type {name}", "", shown))
        return name

    def _whole(self, parts: Mapping[str, AlgorithmPart]) -> None:
        """Write what holds the types of all algorithms together."""
        named = self.own.algorithms
        if not named:
            return
        by = [(one.member, one.where, _about(name, parts[name])) for name, one in named.items()]
        about = "Rows of one algorithm, with conditions on its own fields; without any, all its rows."
        self._types.append(_typed("input ByAlgorithm @oneOf", about, by))
        self._types.append(_typed("extend input Clause", "", [("by", "ByAlgorithm", about)]))
        about = "What algorithms found in a title, as in a clause; all of these must hold."
        self._types.append(_typed("extend input Filters", "", [("by", "[ByAlgorithm!]", about)]))
        values: list[tuple[str, str, str]] = []
        for name, one in named.items():
            for declared, kind in own_fields(parts[name]).items():
                if declared in one.fields and "equals" in compares(kind):
                    value = free(f"{name}_{declared}".upper(), set(self.own.sortable))
                    self.own.sortable[value] = (name, declared)
                    values.append((value, "", f"{name}.{declared}"))
        if values:
            self._types.append(_typed("enum SortableField", "Own fields that hits can be sorted by.", values))
            about = "The field; instead of `algorithm` and `field`."
            self._types.append(_typed("extend input SortBy", "", [("own", "SortableField", about)]))

    def _free(self, name: str) -> str:
        found = free(name, self._taken)
        self._taken.add(found)
        return found


def _typed(head: str, about: str, inner: Iterable[tuple[str, str, str]]) -> str:
    """Write a type of members: name, type (empty in an enum), description."""
    lines = [f"  {_quoted(said)}\n  {name}{': ' if kind else ''}{kind}" for name, kind, said in inner]
    return f"{'' if head.startswith('extend') else _quoted(about)}\n{head} {{\n" + "\n".join(lines) + "\n}\n"


def _quoted(text: str) -> str:
    # Strings of JSON are strings of GraphQL.
    return json.dumps(text.encode(errors="replace").decode())


def _about(name: str, part: AlgorithmPart) -> str:
    described = f"{part.description.strip()} " if part.description.strip() else ""
    return f"{described}(`{name}`, version {part.version}, of {part.owner})"


def _where(one: Named) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Read what is said of an algorithm as a clause `where`."""
    declared = {member: name for name, member in one.fields.items()}

    def read(given: dict[str, Any]) -> dict[str, Any]:
        conditions = [
            {"field": declared[member], "value": value, "comparison": comparison}
            for member, condition in given.items()
            if member in declared and isinstance(condition, dict)
            for comparison, value in condition.items()
            if value is not None
        ]
        rest = {name: value for name, value in given.items() if name not in declared}
        return {"algorithm": one.algorithm, "conditions": conditions, **rest}

    return read


def _filters(given: dict[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in given.items() if name != "by"}
    by = given.get("by")
    return rest if by is None else {**rest, "rows": [*(given.get("rows") or []), *by]}


def _sort_by(given: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(given.get("own"), tuple):
        return {name: value for name, value in given.items() if name != "own"}
    if given.get("algorithm") is not None or given.get("field") is not None:
        return given
    algorithm, name = given["own"]
    return {"algorithm": algorithm, "field": name, "descending": given.get("descending")}


def _bind_row(schema: GraphQLSchema, rows: Mapping[str, Named], by_algorithm: Mapping[str, Named]) -> None:
    for name in ("Source", "Annotation"):
        _object(schema, name).fields["own"].resolve = lambda source, _: (
            source if source["algorithm"] in by_algorithm and source.get("fields") is not None else None
        )
    interface = schema.type_map["OwnRow"]
    assert isinstance(interface, GraphQLInterfaceType)
    interface.resolve_type = lambda source, *_: by_algorithm[source["algorithm"]].row
    for name, one in rows.items():
        _read_from(_object(schema, name), one.fields, "fields")


def _read_from(kind: GraphQLObjectType, names: Mapping[str, str], inside: str | None = None) -> None:
    """Let the members of a type read values by the names that the author gave."""
    for name, member in names.items():
        kind.fields[member].resolve = lambda source, _, name=name: (source[inside] if inside else source).get(name)


def _reads(schema: GraphQLSchema, name: str, read: Callable[[dict[str, Any]], Any]) -> None:
    """Let an input become what a function makes of it; it is called with wrong ones too."""
    _input(schema, name).out_type = read  # type: ignore[method-assign, assignment]


def _input(schema: GraphQLSchema, name: str) -> GraphQLInputObjectType:
    found = schema.type_map[name]
    assert isinstance(found, GraphQLInputObjectType)
    return found


def _object(schema: GraphQLSchema, name: str) -> GraphQLObjectType:
    found = schema.type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return found
