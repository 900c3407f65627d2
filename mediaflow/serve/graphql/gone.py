"""What a document names that the snapshot does not have: a typed error that says what there is instead.

The rules of GraphQL refuse such a document with a sentence about types. A client whose question was right yesterday
learns here which field of which algorithm has gone since.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphql import (
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    InlineFragmentNode,
    Node,
    ObjectFieldNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_named_type,
    type_from_ast,
    visit,
)

from mediaflow.search.route.fields import NoSuchField, no_such_algorithm, no_such_field
from mediaflow.serve.graphql.own import Named, Own


def gone(schema: GraphQLSchema, own: Own, document: DocumentNode, variables: Mapping[str, Any]) -> list[GraphQLError]:
    """Return an error for each thing of algorithms that a document, or its variables, name and a schema has not."""
    info = TypeInfo(schema)
    finder = _Finder(schema, own, info)
    visit(document, TypeInfoVisitor(info, finder))
    for one in document.definitions:
        for variable in one.variable_definitions if isinstance(one, OperationDefinitionNode) else ():
            kind = type_from_ast(schema, variable.type)
            if kind is not None and (given := variables.get(variable.variable.name.value)) is not None:
                finder.found += finder.in_value(given, kind, variable)  # type: ignore[arg-type]
    return finder.found


class _Finder(Visitor):
    """Looks at all that a document names."""

    def __init__(self, schema: GraphQLSchema, own: Own, info: TypeInfo) -> None:
        super().__init__()
        self.found: list[GraphQLError] = []
        self._schema = schema
        self._own = own
        self._info = info
        self._inputs = {one.where: one for one in own.algorithms.values()}
        self._rows = {one.row: one for one in own.algorithms.values() if one.row}

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        parent = self._info.get_parent_type()
        if parent is not None and parent.name in self._rows:
            self._check(self._rows[parent.name], node.name.value, node)

    def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
        kind = get_named_type(self._info.get_parent_input_type())
        if isinstance(kind, GraphQLInputObjectType):
            self.found += self._members(kind, [node.name.value], node)

    def enter_enum_value(self, node: EnumValueNode, *_: Any) -> None:
        kind = get_named_type(self._info.get_input_type())
        if isinstance(kind, GraphQLEnumType):
            self.found += self._value(kind, node.value, node)

    def enter_inline_fragment(self, node: InlineFragmentNode, *_: Any) -> None:
        if node.type_condition is not None:
            self._type(node.type_condition.name.value, node)

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
        self._type(node.type_condition.name.value, node)

    def in_value(self, value: Any, kind: GraphQLInputType, node: Node) -> list[GraphQLError]:
        """Look at the value of a variable."""
        if isinstance(kind, GraphQLNonNull):
            return self.in_value(value, kind.of_type, node)
        if isinstance(kind, GraphQLList):
            several = value if isinstance(value, list) else [value]
            return [error for one in several for error in self.in_value(one, kind.of_type, node)]
        if isinstance(kind, GraphQLEnumType):
            return self._value(kind, value, node) if isinstance(value, str) else []
        if not (isinstance(kind, GraphQLInputObjectType) and isinstance(value, Mapping)):
            return []
        inner = [
            error
            for name, one in value.items()
            if name in kind.fields
            for error in self.in_value(one, kind.fields[name].type, node)
        ]
        return self._members(kind, list(value), node) + inner

    def _members(self, kind: GraphQLInputObjectType, names: Sequence[str], node: Node) -> list[GraphQLError]:
        unknown = [name for name in names if name not in kind.fields]
        if kind.name == "ByAlgorithm":
            errors: Iterator[Any] = (no_such_algorithm(name, list(kind.fields)) for name in unknown)
        elif one := self._inputs.get(kind.name):
            errors = (no_such_field(one.algorithm, name, sorted(one.fields.values())) for name in unknown)
        else:
            return []
        return [_located(error, node) for error in errors]

    def _check(self, one: Named, name: str, node: Node) -> None:
        there = {"algorithm", "__typename", *one.fields.values()}
        if name not in there:
            self.found.append(_located(no_such_field(one.algorithm, name, sorted(one.fields.values())), node))

    def _value(self, kind: GraphQLEnumType, value: str, node: Node) -> list[GraphQLError]:
        if kind.name != "SortableField" or value in kind.values:
            return []
        there = sorted(kind.values)
        said = f"There is no field {value} to sort by in the snapshot that answers; there are {', '.join(there)}."
        return [_located(NoSuchField(said, field=value, there=there), node)]

    def _type(self, name: str, node: Node) -> None:
        if name in self._schema.type_map:
            return
        there = sorted(self._rows)
        own = f"the types of rows with own fields are {', '.join(there)}" if there else "no row has own fields"
        said = f"There is no type {name} in the snapshot that answers; {own}."
        self.found.append(_located(NoSuchField(said, type=name, there=there), node))


def _located(error: Exception, node: Node) -> GraphQLError:
    return GraphQLError(str(error), nodes=node, original_error=error)
