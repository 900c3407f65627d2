"""How much one GraphQL request may ask for, said before anything of it is executed; and documents known already."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from cachetools import LRUCache
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    Node,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    TypeInfo,
    VariableNode,
    parse,
)
from graphql.validation import ASTValidationRule, validate

MOST_CHARACTERS, MOST_TOKENS, MOST_COMMENTS = 50_000, 4_000, 200
# A client that asks for the schema goes thirteen deep.
MOST_DEEP = 15
MOST_COST = 1_000
# What a field costs beside the entries of its page, and how many these are where nothing is said.
COSTS = {"search": 20, "explain": 100, "titles": 10, "annotations": 20, "algorithms": 10, "status": 1}
# Those of an answer are worked out once more, from all of its hits.
BESIDE = {"facets": 20, "timeline": 20, "characters": 20}
_PAGES = {"search": 20, "titles": 50, "annotations": 100, "facets": 20, "timeline": 50, "characters": 20}
_SIZES = ("first", "most", "bins")
_REMEMBERED = 500


class Documents:
    """Parses and validates documents, each of the last ones once."""

    def __init__(self) -> None:
        self._parsed: LRUCache[str, DocumentNode] = LRUCache(_REMEMBERED)
        self._valid: LRUCache[tuple[int, int], tuple[GraphQLSchema, DocumentNode]] = LRUCache(_REMEMBERED)

    def parse(self, context: Any, data: Mapping[str, Any]) -> DocumentNode:
        """Return the document of a request; `GraphQLError` where it is none, or asks for too much."""
        source = str(data["query"])
        document = self._parsed.get(source)
        if document is None:
            document = parse(
                source,
                max_lexical_tokens=MOST_TOKENS,
                max_comments=MOST_COMMENTS,
                max_source_length=MOST_CHARACTERS,
            )
            self._parsed[source] = document
        variables = data.get("variables")
        check(document, variables if isinstance(variables, Mapping) else {})
        return document

    def validate(
        self,
        schema: GraphQLSchema,
        document_ast: DocumentNode,
        rules: Collection[type[ASTValidationRule]] | None = None,
        max_errors: int | None = None,
        type_info: TypeInfo | None = None,
    ) -> list[GraphQLError]:
        """Return what is wrong with a document; nothing where it was found to be valid by that schema before."""
        key = id(schema), id(document_ast)
        # While both are remembered, nothing else has their places in memory.
        if key in self._valid:
            return []
        errors = validate(schema, document_ast, rules, max_errors, type_info)
        if not errors:
            self._valid[key] = schema, document_ast
        return errors


def check(document: DocumentNode, variables: Mapping[str, Any]) -> None:
    """Raise `GraphQLError` where a document is nested too deeply, or asks for too many entries and searches."""
    deepest = _Depths(document).deepest()
    if deepest > MOST_DEEP:
        raise GraphQLError(f"Fields stand within each other at most {MOST_DEEP} deep, and these are {deepest} deep.")
    given = {**_defaults(document), **variables}
    # Fields of one name in one place are answered once, so that each that is written costs once, spread or not.
    fragments = _fragments(document)
    cost = sum(
        _cost(field, given) + sum(_cost(one, given) for one in _within(field, fragments, set()))
        for field in roots(document)
    )
    if cost > MOST_COST:
        raise GraphQLError(
            f"The request costs {cost}, and may cost {MOST_COST}: 1 for each entry of a list that it asks for, "
            + ", ".join(f"{worth} for each '{name}'" for name, worth in (COSTS | BESIDE).items())
            + ". Ask for less at once."
        )


class _Depths:
    """How deep the fields of a document are nested; each fragment is looked at once, however often it is spread."""

    def __init__(self, document: DocumentNode) -> None:
        self._document = document
        self._fragments = _fragments(document)
        self._known: dict[str, int] = {}

    def deepest(self) -> int:
        return max((self._depth(one) for one in self._document.definitions), default=0)

    def _depth(self, node: Node) -> int:
        inner: SelectionSetNode | None = getattr(node, "selection_set", None)
        return max((self._of(one) for one in inner.selections), default=0) if inner else 0

    def _of(self, node: SelectionNode) -> int:
        if not isinstance(node, FragmentSpreadNode):
            return self._depth(node) + isinstance(node, FieldNode)
        name = node.name.value
        if name not in self._known:
            # A fragment that spreads itself is refused by the validation.
            self._known[name] = 0
            self._known[name] = self._depth(self._fragments[name]) if name in self._fragments else 0
        return self._known[name]


def roots(document: DocumentNode) -> Iterator[FieldNode]:
    """Yield the fields that may stand at the root: those of operations, and of fragments of the root's type."""
    for one in document.definitions:
        if not isinstance(one, FragmentDefinitionNode) or one.type_condition.name.value == "Query":
            yield from _flat(one)


def _fragments(document: DocumentNode) -> dict[str, FragmentDefinitionNode]:
    return {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}


def _within(node: Node, fragments: Mapping[str, FragmentDefinitionNode], spread: set[str]) -> Iterator[FieldNode]:
    """Yield the fields of an answer that cost something: those of each fragment once, as they are answered once."""
    inner: SelectionSetNode | None = getattr(node, "selection_set", None)
    for one in inner.selections if inner else ():
        if isinstance(one, FieldNode):
            if one.name.value in BESIDE:
                yield one
        elif not isinstance(one, FragmentSpreadNode):
            yield from _within(one, fragments, spread)
        elif one.name.value in fragments and one.name.value not in spread:
            spread.add(one.name.value)
            yield from _within(fragments[one.name.value], fragments, spread)


def _flat(node: Node) -> Iterator[FieldNode]:
    inner: SelectionSetNode | None = getattr(node, "selection_set", None)
    for one in inner.selections if inner else ():
        if isinstance(one, FieldNode):
            yield one
        elif isinstance(one, InlineFragmentNode):
            yield from _flat(one)


def _defaults(document: DocumentNode) -> dict[str, int]:
    """Return the whole numbers that variables have where they are not given."""
    found: dict[str, int] = {}
    for one in document.definitions:
        for variable in one.variable_definitions if isinstance(one, OperationDefinitionNode) else ():
            if isinstance(variable.default_value, IntValueNode):
                name = variable.variable.name.value
                found[name] = max(found.get(name, 0), int(variable.default_value.value))
    return found


def _cost(field: FieldNode, given: Mapping[str, Any]) -> int:
    name = field.name.value
    entries: Any = _PAGES.get(name, 0)
    facets = 1
    for argument in field.arguments:
        if argument.name.value in _SIZES and name in _PAGES:
            if isinstance(argument.value, IntValueNode):
                entries = int(argument.value.value)
            elif isinstance(argument.value, VariableNode):
                entries = given.get(argument.value.name.value, entries)
        elif argument.name.value == "of":
            facets = _length(argument.value, given)
    own = (COSTS | BESIDE).get(name, 0)
    return own + (max(0, entries) * facets if isinstance(entries, int) else 0)


def _length(value: Node, given: Mapping[str, Any]) -> int:
    if isinstance(value, ListValueNode):
        return len(value.values)
    one = given.get(value.name.value) if isinstance(value, VariableNode) else None
    return len(one) if isinstance(one, list) else 1
