"""Scalars of the GraphQL schema: values of any field, whole numbers of 64 bits, the fields of a row, and vectors."""

from __future__ import annotations

from typing import Any

from ariadne import ScalarType
from graphql import GraphQLError

_MOST = 2**64

value = ScalarType("Value")
whole = ScalarType("Whole")
fields = ScalarType("Fields")
vector = ScalarType("Vector")
SCALARS = (value, whole, fields, vector)


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


@vector.value_parser
def read_vector(given: Any) -> list[float]:
    """Return a list of numbers as it is.

    As a list of GraphQL's own it would be looked at number by number, at many times the cost.
    """
    if not isinstance(given, list) or not {int, float}.issuperset(map(type, given)):
        raise GraphQLError("A vector is a list of numbers.")
    return given
