"""The source of an algorithm's functions, as hashes that say whether one has changed.

What is compared is the meaning of the text: comments, docstrings, spaces and positions do not count. Besides the
methods of the algorithm's class that is whatever they name in the same file; other files are not looked at.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

from mediaflow.algorithms.contract import Algorithm

# Attributes of the contract are in the revision, or they are for people.
_DECLARED = frozenset(Algorithm.__annotations__)
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def fingerprints(kind: type[Algorithm]) -> dict[str, str]:
    """Return by name the hash of each function, and of each constant that they name, of an algorithm's class.

    Empty where the source is not there to be read.
    """
    found: dict[str, str] = {}
    for one in kind.__mro__:
        if one.__module__ != Algorithm.__module__ and issubclass(one, Algorithm):
            file = getattr(sys.modules.get(one.__module__), "__file__", None)
            try:
                found |= _of_class(Path(file), one.__name__) if file else {}
            except (OSError, ValueError, SyntaxError, RecursionError):
                return {}
    return found


def _of_class(file: Path, name: str) -> dict[str, str]:
    defined: dict[str, list[ast.stmt]] = {}
    for statement in ast.parse(file.read_bytes()).body:
        for each in _names(statement):
            defined.setdefault(each, []).append(statement)
    parts: dict[str, list[ast.stmt]] = {}
    waiting, seen = [name], {name}
    while waiting:
        at = waiting.pop()
        for statement in defined.get(at, ()):
            for part, node in _parts(statement, at, whole=at == name):
                parts.setdefault(part, []).append(node)
            named = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
            waiting += sorted(new := (named & defined.keys()) - seen)
            seen |= new
    return {part: _hash(nodes) for part, nodes in parts.items()}


def _names(statement: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement of a module or class defines."""
    if isinstance(statement, _Function | ast.ClassDef):
        yield statement.name
    elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            yield from (node.id for node in ast.walk(target) if isinstance(node, ast.Name))
    elif isinstance(statement, ast.If | ast.Try | ast.With):
        for inner in ast.iter_child_nodes(statement):
            if isinstance(inner, ast.stmt):
                yield from _names(inner)


def _parts(statement: ast.stmt, name: str, *, whole: bool) -> Iterator[tuple[str, ast.stmt]]:
    """Yield a class as its methods, and its own constants where it is taken whole; anything else as it is."""
    if not isinstance(statement, ast.ClassDef):
        yield name, statement
        return
    for inner in statement.body:
        for each in _names(inner):
            if isinstance(inner, ast.ClassDef):
                yield from _parts(inner, f"{name}.{each}", whole=False)
            elif isinstance(inner, _Function) or (whole and each not in _DECLARED):
                yield f"{name}.{each}", inner


def _hash(nodes: list[ast.stmt]) -> str:
    bare = [ast.unparse(_Bare().visit(copy.deepcopy(node))) for node in nodes]
    return hashlib.sha256("\n".join(bare).encode()).hexdigest()[:32]


class _Bare(ast.NodeTransformer):
    """Takes docstrings away."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, _Function | ast.ClassDef) and ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
        return node
