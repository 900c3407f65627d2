"""Parts of a Lance filter made from values, so that nothing a user writes is ever read as part of an expression."""

from __future__ import annotations

from collections.abc import Iterable

from mediaflow.errors import UsageError

# Conditions nest in the parser, list members do not: only runs that save many members are written as ranges.
_RUN = 64


def text_literal(value: str) -> str:
    """Return `value` as a string literal; the only character with a meaning in one is the quote, and it is doubled."""
    if "\0" in value:
        raise UsageError("A search text has a NUL character in it; take it out.", value=value)
    return "'" + value.replace("'", "''") + "'"


def column(name: str) -> str:
    """Return a column's name as an identifier. Only names that a table's schema has may be passed."""
    return f"`{name}`"


def at_least(name: str, least: float) -> str:
    """Return the condition on a column of Float32: compared as one, 0.9 is at least 0.9."""
    return f"{name} >= CAST({float(least)!r} AS FLOAT)"


def among(name: str, numbers: Iterable[int]) -> str:
    """Return the condition that the integer column `name` is one of `numbers`; long runs become ranges."""
    runs: list[list[int]] = []
    for number in sorted({int(number) for number in numbers}):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    long = [(first, last) for first, last in runs if last - first >= _RUN]
    parts = [f"({name} >= {first} AND {name} <= {last})" for first, last in long]
    rest = [number for first, last in runs if last - first < _RUN for number in range(first, last + 1)]
    if rest:
        parts.append(f"{name} IN ({', '.join(map(str, rest))})")
    return "(" + " OR ".join(parts) + ")" if parts else "false"


def both(*conditions: str | None) -> str | None:
    """Return the condition that all given ones hold; None where none is given."""
    given = [f"({condition})" for condition in conditions if condition]
    return " AND ".join(given) if given else None
