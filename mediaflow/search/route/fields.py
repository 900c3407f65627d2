"""The typed fields of algorithms: what their types are, as a manifest says them, and conditions on them for a table.

Numbers are compared as numbers of the field's own type (0.1 equals 0.1 in a field of Float32), texts without regard to
upper and lower case. A row whose field is empty, or no number (NaN), fits no condition.
"""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from mediaflow.algorithms.contract import Shape
from mediaflow.errors import UsageError
from mediaflow.search.literals import column, text_literal
from mediaflow.search.query import Comparison, Condition, Value

if TYPE_CHECKING:
    import polars as pl

    from mediaflow.snapshots.manifest import AlgorithmPart

_SIGNS: Mapping[Comparison, str] = {"equals": "=", "least": ">=", "most": "<="}
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
# Between the texts of a list, where they are joined to be compared without regard to case; no text has it.
_BETWEEN = "\x1f"
_MOST_DEEP = 16


class NoSuchField(UsageError):
    """The algorithm has no field of that name in the snapshot that answers; `there` lists those that it has."""


class NoSuchAlgorithm(UsageError):
    """The snapshot that answers has nothing of an algorithm of that name; `there` lists those that it has."""


class WrongValue(UsageError):
    """A field cannot be compared so, or not with such a value."""


def type_of(said: str) -> pl.DataType:
    """Return the Polars type that a manifest says, such as `List(Float32)`; `pl.Unknown` where it is none of a field's.

    Parameters
    ----------
    said : str
        What `str` gives of a type.
    """
    import polars as pl

    try:
        return _read(ast.parse(said, mode="eval").body, 0)
    except (AttributeError, SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return pl.Unknown()


def own_fields(part: AlgorithmPart) -> dict[str, pl.DataType]:
    """Return the author's own fields with their types, by name: without the columns that every row of the shape has."""
    return {name: _type(said) for name, said in sorted(part.fields.items()) if name not in _of_shape(part.shape)}


def field_type(algorithm: str, part: AlgorithmPart, field: str) -> pl.DataType:
    """Return the type of a field of an algorithm, its own or one of its shape's; `NoSuchField` where it has none."""
    if field not in part.fields:
        raise no_such_field(algorithm, field, sorted(part.fields))
    return _type(part.fields[field])


def no_such_field(algorithm: str, field: str, there: list[str]) -> NoSuchField:
    """Return the error for a field that an algorithm has not, beside those that it has."""
    own = f"its fields are {', '.join(there)}" if there else "it has none of its own"
    return NoSuchField(
        f"{algorithm!r} has no field {field!r}; {own}.", algorithm=algorithm, field=field, there=list(there)
    )


def no_such_algorithm(algorithm: str, there: list[str]) -> NoSuchAlgorithm:
    """Return the error for an algorithm that a snapshot has not, beside those that it has."""
    can = f"it can be asked for {', '.join(there)}" if there else "nothing in it can be searched yet"
    return NoSuchAlgorithm(
        f"The published snapshot has nothing of {algorithm!r}; {can}. 'mediaflow status' says what is still to be"
        " computed, 'make refresh' computes it.",
        algorithm=algorithm,
        there=list(there),
    )


def compares(kind: pl.DataType) -> tuple[Comparison, ...]:
    """Return how a field of a type can be compared; nothing for structs, and for lists of lists or structs."""
    import polars as pl

    if isinstance(kind, pl.List | pl.Array):
        return ("contains",) if compares(inner_type(kind)) not in ((), ("contains",)) else ()
    if kind.is_integer() or kind.is_float():
        return ("equals", "least", "most")
    return ("equals",) if kind == pl.Boolean or kind == pl.String else ()


def check_sortable(algorithm: str, part: AlgorithmPart, field: str) -> None:
    """Raise `NoSuchField` or `WrongValue` where hits cannot be sorted by a field: lists and structs have no order."""
    kind = field_type(algorithm, part, field)
    if "equals" not in compares(kind):
        raise WrongValue(
            f"The field {field!r} of {algorithm!r} is of type {kind}, which has no order: sort by a number, a text or a"
            " truth value.",
            algorithm=algorithm,
            field=field,
            type=str(kind),
        )


def condition_on(algorithm: str, part: AlgorithmPart, wanted: Condition) -> str:
    """Return a condition on a field as one of its table.

    Raises
    ------
    NoSuchField
        The algorithm has no such field.
    WrongValue
        Its field cannot be compared so, or not with such a value.
    """
    import polars as pl

    kind = field_type(algorithm, part, wanted.field)
    possible = compares(kind)
    if wanted.comparison not in possible:
        can = f"it can be compared by {', '.join(possible)}" if possible else "it can be shown, not compared"
        raise _wrong(algorithm, wanted, kind, f"cannot be compared by {wanted.comparison!r}; {can}")
    single = inner_type(kind) if isinstance(kind, pl.List | pl.Array) else kind
    try:
        value = _value(wanted.value, single)
    except (KeyError, ValueError, OverflowError, TypeError) as error:
        said = f"and {wanted.value!r} is none; give a value of that type"
        raise _wrong(algorithm, wanted, kind, said) from error
    name = column(wanted.field)
    if single is not kind:
        return _contains(name, value, single)
    if isinstance(value, str):
        return f"lower({name}) = lower({text_literal(value)})"
    compared = f"{name} {_SIGNS[wanted.comparison]} {_literal(value, single)}"
    # A table puts what is no number beyond all numbers.
    return f"{compared} AND NOT isnan(CAST({name} AS DOUBLE))" if single.is_float() else compared


def number(value: Value) -> float:
    """Read a finite number; `ValueError` or `TypeError` where it is none."""
    if isinstance(value, bool):
        raise TypeError("a truth value is no number")
    read = float(value)
    if not math.isfinite(read):
        raise ValueError(f"{value!r} is not finite")
    return read


def _value(value: Value, kind: pl.DataType) -> Value:
    """Return a value as one of a field's type, from one of that type or a text that reads as one."""
    import polars as pl

    text = value.strip() if isinstance(value, str) else None
    if kind == pl.String and text is not None:
        return text
    if kind == pl.Boolean and (text is not None or isinstance(value, bool)):
        return value if text is None else _TRUTH[text.casefold()]
    if kind.is_float():
        return number(value)
    broken = isinstance(value, bool) or (isinstance(value, float) and not value.is_integer())
    if broken or not kind.is_integer() or int(value) not in _whole_numbers(kind):
        raise ValueError(f"{value!r} is no {kind}")
    return int(value)


def _whole_numbers(kind: pl.DataType) -> range:
    """Return the numbers that a type such as `Int8` or `UInt64` has."""
    signed, bits = str(kind).startswith("Int"), int(str(kind).lstrip("UInt"))
    return range(-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else range(2**bits)


def _literal(value: Value, kind: pl.DataType) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    # The types of numbers have the same names in a table.
    return f"arrow_cast({value!r}, '{kind}')"


def _contains(name: str, value: Value, kind: pl.DataType) -> str:
    if not isinstance(value, str):
        return f"array_has({name}, {_literal(value, kind)})"
    if not value:
        return f"array_has({name}, '')"
    between = text_literal(_BETWEEN)
    texts = f"string_to_array(lower(array_to_string({name}, {between})), {between})"
    return f"array_has({texts}, lower({text_literal(value)}))"


def _wrong(algorithm: str, wanted: Condition, kind: pl.DataType, said: str) -> WrongValue:
    comma = "," if said.startswith("and ") else ", which"
    return WrongValue(
        f"The field {wanted.field!r} of {algorithm!r} is of type {kind}{comma} {said}.",
        algorithm=algorithm,
        field=wanted.field,
        type=str(kind),
        value=wanted.value,
    )


def inner_type(kind: pl.List | pl.Array) -> pl.DataType:
    """Return the type of the members of a list."""
    import polars as pl

    inner = kind.inner
    return inner if isinstance(inner, pl.DataType) else inner()


@cache
def _type(said: str) -> pl.DataType:
    return type_of(said)


@cache
def _of_shape(shape: str) -> frozenset[str]:
    from mediaflow.algorithms.shapes import shape_columns

    return frozenset(shape_columns(Shape(shape), 1)) if shape in set(Shape) else frozenset()


def _read(node: ast.expr, depth: int) -> pl.DataType:
    """Return the type that an expression names: a name, or `List`, `Array` or `Struct` of others."""
    import polars as pl

    if depth > _MOST_DEEP:
        raise ValueError("nested too deeply")
    if isinstance(node, ast.Name):
        kind = getattr(pl, node.id)
        if not (isinstance(kind, type) and issubclass(kind, pl.DataType)):
            raise ValueError(f"{node.id} is no type")
        return kind()
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and len(node.args) == 1):
        raise ValueError("no type")
    (inner,) = node.args
    match node.func.id, inner:
        case "List", _:
            return pl.List(_read(inner, depth + 1))
        case "Array", _:
            (shape,) = (ast.literal_eval(one.value) for one in node.keywords if one.arg == "shape")
            return pl.Array(_read(inner, depth + 1), shape)
        case "Struct", ast.Dict():
            names = [ast.literal_eval(name) for name in inner.keys if name is not None]
            return pl.Struct(dict(zip(names, (_read(one, depth + 1) for one in inner.values), strict=True)))
    raise ValueError(f"{node.func.id} is no type of a field")
