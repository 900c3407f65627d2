"""Anything that can be asked: requests drawn from what a schema or proto file says of itself, fields to come included.

Values are drawn by the name of what takes them where that is known, so that many questions find something; from all
that there is to name otherwise. All that can be selected of an answer is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_required_argument,
    is_required_input_field,
)
from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]

TITLES = ("harbour", "meadow", "Second", "First", "night-shift-s01e01", "night-shift-s02e01", "shift", "Harbor")
PEOPLE = ("maria", "Maria Rivera", "Bo Ek", "eve", "Ström", "Captain Ström", "Ann Lee")
WORDS = ("hello", "red", "deep", '"no exit"', "out", "the", "way", "hello from", "exit")
ALGORITHMS = ("faces", "signs", "loud", "motion", "dialogue", "visual", "onscreen_text")
BY_NAME: Mapping[str, tuple[Any, ...]] = {
    "text": WORDS,
    "titles": TITLES,
    "title": TITLES,
    "titleId": TITLES,
    "title_id": TITLES,
    "series": ("Night Shift", "night", "x"),
    "genres": ("drama", "Sci-Fi", "Comédie", "x"),
    "characters": PEOPLE,
    "talents": PEOPLE,
    "character": PEOPLE,
    "speaker": (*PEOPLE, "MARIA", "Ström (off)"),
    "name": (*PEOPLE, "face", "Faces"),
    "algorithm": ALGORITHMS,
    "algorithms": ALGORITHMS,
    "field": ("age", "name", "seen", "level", "speaker"),
    "value": ("30", "face", "exit", "Ann", "O'Neil", "true", "-20", "0.5", "red"),
    "kind": ("dialogue", "chapter"),
    "kinds": ("movie", "episode"),
    "language": ("en", "de"),
    "languages": ("en", "de"),
    "group_by": ("title", "series"),
    "sort": ("score", "time"),
    "presence": ("speaks", "in cast"),
    "comparison": ("equals", "least", "most"),
    "relation": ("overlap", "within", "before", "after", "during", "same_frame", "left_of", "above", "overlaps"),
    "extent": ("union", "intersection"),
    "of": ("title", "series", "season", "genre", "year", "kind", "language"),
    "data": ("/wAA", "AAD/", "/wAAAP8A", ""),
    "vector": ((0.5,) * 32, (0.1,) * 31 + (1.0,)),
    "first": (1, 2, 20, 1994, 2009),
    "last": (1999, 2010),
    "limit": (1, 2, 20),
    "seasons": (1, 2),
    "startMs": (0, 100, 5000),
    "start_ms": (0, 100, 5000),
    "endMs": (900, 9000, 2**31 - 1),
    "end_ms": (900, 9000, 2**31 - 1),
    "timeMs": (0, 100, 4500, 8500),
    "time_ms": (0, 100, 4500, 8500),
    "leastConfidence": (0.0, 0.3, 0.9),
    "least_confidence": (0.0, 0.3, 0.9),
    "weight": (0.5, 2.0),
    "bins": (1, 5),
    "x": (0.0, 0.25),
    "y": (0.0, 0.25),
    "w": (0.5, 0.75),
    "h": (0.5, 0.75),
}
_ALL = tuple({value: None for values in BY_NAME.values() for value in values if isinstance(value, str)})
_DEEP = 4
_USUAL = ("clauses", "query", "left", "right", "clause", "name", "text", "title", "vector")
# Cursors are followed from answer to answer; files come with requests of another kind; scores are plug-ins.
_LEFT_OUT = ("after", "cursor", "file", "score")


def a_request(schema: GraphQLSchema, root: str, draw: Draw) -> dict[str, Any]:
    """Draw a request for one field of the root, with all that there is to select of it."""
    assert schema.query_type
    field = schema.query_type.fields[root]
    given = _arguments(field.args, draw, _DEEP)
    declared = ", ".join(f"${name}: {field.args[name].type}" for name in given)
    passed = ", ".join(f"{name}: ${name}" for name in given)
    declared, passed = (f"({one})" if one else "" for one in (declared, passed))
    return {"query": f"query{declared} {{ {root}{passed}{_selection(schema, field, draw, 8)} }}", "variables": given}


def with_cursor(schema: GraphQLSchema, root: str, request: Mapping[str, Any], cursor: str) -> dict[str, Any] | None:
    """Return the request for the next page; None where the field has no pages."""
    assert schema.query_type
    if "after" not in schema.query_type.fields[root].args:
        return None
    query: str = request["query"]
    declared = query.replace("query(", "query($after: String, ").replace("query {", "query($after: String) {")
    asked = f"{{ {root}(" if f"{{ {root}(" in declared else f"{{ {root}"
    passed = declared.replace(asked, f"{{ {root}(after: $after" + (", " if asked.endswith("(") else ")"), 1)
    return {"query": passed, "variables": {**request["variables"], "after": cursor}}


def _arguments(arguments: Mapping[str, GraphQLArgument], draw: Draw, deep: int) -> dict[str, Any]:
    return {
        name: _value(name, one.type, draw, deep)
        for name, one in arguments.items()
        if name not in _LEFT_OUT and (is_required_argument(one) or draw(st.booleans()))
    }


def _selection(schema: GraphQLSchema, field: GraphQLField, draw: Draw, deep: int) -> str:
    kind = get_named_type(field.type)
    if isinstance(kind, GraphQLUnionType | GraphQLInterfaceType):
        # Fields of one name may have other types in other types: each has a name of its own in the answer.
        of_each = (
            f"... on {one.name} {{ {' '.join(_fields(schema, one, draw, deep, f'{one.name}_'))} }}"
            for one in schema.get_possible_types(kind)
        )
        return f" {{ __typename {' '.join(of_each)} }}"
    if not isinstance(kind, GraphQLObjectType):
        return ""
    return f" {{ {' '.join(_fields(schema, kind, draw, deep))} }}"


def _fields(schema: GraphQLSchema, kind: GraphQLObjectType, draw: Draw, deep: int, called: str = "") -> list[str]:
    inner = []
    for name, one in kind.fields.items():
        # What takes arguments may be wrong, and the whole answer with it: it is asked for now and then.
        if (deep or not isinstance(get_named_type(one.type), GraphQLObjectType)) and (
            not one.args or draw(st.integers(0, 3)) == 0
        ):
            given = _arguments(one.args, draw, 1)
            passed = ", ".join(f"{key}: {_literal(value)}" for key, value in given.items())
            named = f"{called}{name}: {name}" if called else name
            inner.append(f"{named}{f'({passed})' if passed else ''}{_selection(schema, one, draw, deep - 1)}")
    return inner


def _literal(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_literal(one)}" for name, one in value.items()) + "}"
    return f"[{', '.join(map(_literal, value))}]" if isinstance(value, list | tuple) else json.dumps(value)


def _value(name: str, kind: GraphQLInputType, draw: Draw, deep: int) -> Any:
    if isinstance(kind, GraphQLNonNull):
        return _value(name, kind.of_type, draw, deep)
    if isinstance(kind, GraphQLList):
        return [_value(name, kind.of_type, draw, deep) for _ in range(draw(st.integers(1, 2)))]
    if isinstance(kind, GraphQLEnumType):
        return draw(st.sampled_from(sorted(kind.values)))
    if isinstance(kind, GraphQLInputObjectType):
        return _object(kind, draw, deep - 1)
    known = BY_NAME.get(name)
    if kind.name == "Vector":
        return list(draw(st.sampled_from(BY_NAME["vector"])))
    if kind.name == "Int":
        return draw(st.sampled_from(known if known and isinstance(known[0], int) else (0, 1, 2, 20, 1000)))
    if kind.name == "Float":
        return draw(st.sampled_from(known if known and isinstance(known[0], float) else (0.0, 0.5, 1.0)))
    if kind.name == "Boolean":
        return draw(st.booleans())
    return draw(st.sampled_from([one for one in known or _ALL if isinstance(one, str)] or _ALL))


def _object(kind: GraphQLInputObjectType, draw: Draw, deep: int) -> dict[str, Any]:
    fields = {
        name: one
        for name, one in kind.fields.items()
        if name not in _LEFT_OUT and (deep > 0 or not isinstance(get_named_type(one.type), GraphQLInputObjectType))
    } or dict(kind.fields)
    if kind.is_one_of:
        # At the end of the depth a clause of one level more is taken, as there must be one.
        shallow = [name for name, one in fields.items() if _shallow(get_named_type(one.type), kind)]
        name = draw(st.sampled_from(sorted(shallow if deep < 2 and shallow else fields)))
        return {name: _value(name, fields[name].type, draw, deep)}
    return {
        name: _value(name, one.type, draw, deep)
        for name, one in fields.items()
        if is_required_input_field(one) or _switch(one.type) or draw(st.booleans())
    }


def _switch(kind: GraphQLInputType) -> bool:
    """Say whether something is on or off: then it is always said which."""
    return getattr(get_named_type(kind), "name", "") == "Boolean"


def _shallow(kind: Any, around: GraphQLInputObjectType) -> bool:
    inner = [get_named_type(one.type) for one in kind.fields.values()] if hasattr(kind, "fields") else []
    return kind is not around and around not in inner and not any(getattr(one, "is_one_of", False) for one in inner)


def a_message(kind: Descriptor, draw: Draw, deep: int = 6) -> Message:
    """Draw a message of a kind."""
    message: Message = ParseDict(_body(kind, draw, deep), GetMessageClass(kind)())
    return message


def _body(kind: Descriptor, draw: Draw, deep: int) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for one in kind.oneofs:
        inner = [field for field in one.fields if field.name not in _LEFT_OUT]
        inner = [field for field in inner if deep > 2 or not _around(field, kind)] or inner
        if len(one.fields) > 1 and deep > 0:
            field = draw(st.sampled_from(inner))
            body[field.name] = _field(field, draw, deep)
    for field in kind.fields:
        alone = field.containing_oneof is None or len(field.containing_oneof.fields) == 1
        if alone and field.name not in _LEFT_OUT and deep > 0:
            # What says what is looked for is there mostly, what narrows it now and then.
            usual = field.cpp_type == FieldDescriptor.CPPTYPE_BOOL or field.name in _USUAL
            if draw(st.integers(0, 3)) < (4 if usual else 1):
                several = field.is_repeated and field.name != "vector"
                count = draw(st.integers(1, 2)) if several else 1
                values = [_field(field, draw, deep) for _ in range(count)]
                body[field.name] = values if several else values[0]
    return body


def _around(field: FieldDescriptor, kind: Descriptor) -> bool:
    """Say whether a message of a kind may stand in a field of it again."""
    inner = field.message_type
    return inner is not None and (inner is kind or any(one.message_type is kind for one in inner.fields))


def _field(field: FieldDescriptor, draw: Draw, deep: int) -> Any:
    if field.message_type is not None:
        return _body(field.message_type, draw, deep - 1)
    known = BY_NAME.get(field.name)
    if field.name == "vector":
        return list(draw(st.sampled_from(BY_NAME["vector"])))
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return draw(st.booleans())
    if field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return draw(st.sampled_from(known if known and isinstance(known[0], float) else (0.0, 0.5, 1.0)))
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        return draw(st.sampled_from([one.name for one in field.enum_type.values]))
    if field.cpp_type != FieldDescriptor.CPPTYPE_STRING:
        return draw(st.sampled_from(known if known and isinstance(known[0], int) else (0, 1, 2, 20, 1000)))
    return draw(st.sampled_from([one for one in known or _ALL if isinstance(one, str)] or _ALL))
