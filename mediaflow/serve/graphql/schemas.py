"""The schemas of snapshots: one for all snapshots whose algorithms have the same fields, and the one of a request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ariadne.graphql import graphql
from cachetools import LRUCache
from graphql import DocumentNode, GraphQLError, GraphQLSchema, StringValueNode, VariableNode

from mediaflow.errors import MediaflowError
from mediaflow.serve.graphql.gone import gone
from mediaflow.serve.graphql.limits import Documents, roots
from mediaflow.serve.graphql.own import Own, bind, own_of
from mediaflow.serve.graphql.schema import STATIC, format_error, make_schema
from mediaflow.serve.media.links import Links
from mediaflow.serve.service import Service
from mediaflow.serve.work import Work
from mediaflow.snapshots.manifest import AlgorithmPart

# As many snapshots as an engine holds, and some.
_MOST = 16


@dataclass(frozen=True)
class OfSnapshot:
    """A schema, and what of it belongs to the algorithms of a snapshot."""

    schema: GraphQLSchema
    own: Own


class Schemas:
    """Answers GraphQL requests, each by the schema of the snapshot that it is answered from.

    Parameters
    ----------
    work : Work
        Where fields call the service.
    charge : callable
        Gets what each document costs before anything of it is executed; raises where that is too much.
    links : Links, optional
        Gives hits their pictures.
    """

    def __init__(self, work: Work, charge: Callable[[int], None], links: Links | None = None) -> None:
        self._work = work
        self._links = links
        self._documents = Documents(charge)
        self._made: LRUCache[Any, OfSnapshot] = LRUCache(_MOST)

    def of(self, parts: Mapping[str, AlgorithmPart]) -> OfSnapshot:
        """Return the schema of a snapshot with such algorithms."""
        told = (
            (name, part.shape, part.owner, part.version, part.description, *sorted(part.fields.items()))
            for name, part in sorted(parts.items())
        )
        key = tuple(told)
        if key not in self._made:
            own = own_of(parts, STATIC)
            schema = make_schema(self._work, own.text, self._links)
            bind(schema, own)
            self._made[key] = OfSnapshot(schema, own)
        return self._made[key]

    async def answer(self, data: Any, context: dict[str, Any], **named: Any) -> tuple[bool, dict[str, Any]]:
        """Return whether a request could be answered, and the answer.

        Parameters
        ----------
        data : Any
            The body of the request.
        context : dict
            Of the request; its `service` is from here on that of one snapshot.
        **named
            For Ariadne's `graphql`.
        """
        document = self._document(data, context)
        variables = data.get("variables") if isinstance(data, Mapping) else None
        variables = variables if isinstance(variables, Mapping) else {}
        service: Service = context["service"]
        try:
            cursor = _cursor(document, variables)
            pinned = await self._work.do(service.pinned, cursor) if service.may_wait else service.pinned(cursor)
            context["service"], parts = pinned
        except MediaflowError as error:
            return False, {"data": None, "errors": [format_error(GraphQLError(error.message, original_error=error))]}
        made = self.of(parts)
        context["own"] = made.own
        answered, result = await graphql(
            made.schema,
            data,
            context_value=context,
            query_document=document,
            query_parser=self._documents.parse,
            query_validator=self._documents.validate,
            error_formatter=format_error,
            **named,
        )
        if document is not None and "errors" in result and result.get("data") is None:
            errors = gone(made.schema, made.own, document, variables)
            if errors:
                return False, result | {"errors": [format_error(error) for error in errors]}
        return answered, result

    def _document(self, data: Any, context: Any) -> DocumentNode | None:
        """Return the document of a request; None where there is none, or it asks for too much."""
        if not (isinstance(data, Mapping) and isinstance(data.get("query"), str)):
            return None
        try:
            return self._documents.parse(context, data)
        except (GraphQLError, RecursionError):
            return None


def _cursor(document: DocumentNode | None, variables: Mapping[str, Any]) -> str | None:
    """Return the first cursor that a document gives to a field."""
    for one in roots(document) if document else ():
        for argument in one.arguments:
            value = argument.value
            if argument.name.value != "after":
                continue
            given = variables.get(value.name.value) if isinstance(value, VariableNode) else None
            given = value.value if isinstance(value, StringValueNode) else given
            if isinstance(given, str) and given:
                return given
    return None
