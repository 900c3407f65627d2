"""From what typed protocols can say to the JSON form of queries, of which they cannot say all as it is."""

from __future__ import annotations

from typing import Any

_SEVERAL = ("all", "any")


def as_wire(body: Any) -> Any:
    """Return a body of GraphQL or gRPC in the form that `mediaflow.search.wire` reads.

    What is null counts as left out. A range of years is an object of `first` and `last` there, and a pair here; a
    message that only holds the `clauses` of `all` or `any` is that list.
    """
    if isinstance(body, dict):
        return {name: _member(name, value) for name, value in body.items() if value is not None}
    return [as_wire(one) for one in body] if isinstance(body, list) else body


def _member(name: str, value: Any) -> Any:
    if name == "years" and isinstance(value, list):
        return [(one.get("first"), one.get("last")) for one in value]
    if name in _SEVERAL and isinstance(value, dict):
        value = value.get("clauses", [])
    return as_wire(value)
