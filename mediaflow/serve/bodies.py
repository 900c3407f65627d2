"""From what typed protocols can say to the JSON form of queries, of which they cannot say all as it is."""

from __future__ import annotations

from typing import Any

from mediaflow.errors import UsageError

_SEVERAL = ("all", "any")


def as_wire(body: Any) -> Any:
    """Return a body of GraphQL or gRPC in the form that `mediaflow.search.process.wire` reads.

    What is null counts as left out. A range of years is an object of `first` and `last` there, and a pair here; a
    message that only holds the `clauses` of `all` or `any` is that list.
    """
    if isinstance(body, dict):
        return {name: _member(name, value) for name, value in body.items() if value is not None}
    if isinstance(body, list):
        return [as_wire(one) for one in body] if body and isinstance(body[0], dict | list) else body
    return body


def as_query(body: Any) -> dict[str, Any]:
    """Return the body of a query likewise; there the order of a field has a name of its own."""
    read: dict[str, Any] = as_wire(body)
    by = read.pop("sort_by", None)
    if by is None:
        return read
    if "own" in by:
        raise UsageError("The field to sort by is given as 'own', or as 'algorithm' and 'field': not as both.")
    if "sort" in read:
        raise UsageError("The order is that of 'sort', or of an algorithm's field: not both.")
    return read | {"sort": by}


def _member(name: str, value: Any) -> Any:
    if name == "years" and isinstance(value, list):
        return [(one.get("first"), one.get("last")) for one in value]
    if name in _SEVERAL and isinstance(value, dict):
        value = value.get("clauses", [])
    return as_wire(value)
