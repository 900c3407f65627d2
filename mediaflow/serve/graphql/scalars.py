"""Scalars of the GraphQL schema: values of any field, whole numbers of 64 bits, and the fields of a row."""

from __future__ import annotations

from typing import Any

from ariadne import ScalarType
from graphql import GraphQLError

_MOST = 2**64

value = ScalarType("Value")
whole = ScalarType("Whole")
fields = ScalarType("Fields")
SCALARS = (value, whole, fields)


@value.value_parser
def read_value(given: Any) -> Any:
    """Return a text, a number or a truth value as it is."""
    if not isinstance(given, str | int | float):
        raise GraphQLError("A value to compare with is a text, a number or a truth value.")
    return given


@whole.value_parser
def read_whole(given: Any) -> int:
    """Return a whole number, given as one or as a text."""
    try:
        if isinstance(given, bool | float) or not -_MOST < (read := int(given)) < _MOST:
            raise ValueError
    except (TypeError, ValueError) as error:
        raise GraphQLError("A whole number of 64 bits is written as one, or as a text.") from error
    return read
