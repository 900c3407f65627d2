"""Remembers the source of an algorithm's functions beside its version, to warn where one changed without the other.

What is compared is the meaning of the text: comments, docstrings, spaces and positions do not count. Besides the
methods of the algorithm's class that is whatever they name in the same file; other files are not looked at.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mediaflow.algorithms.contract import Algorithm
from mediaflow.errors import NotFound
from mediaflow.storage import layout
from mediaflow.storage.objects import ObjectStore

if TYPE_CHECKING:
    from mediaflow.algorithms.registry import Registered

# Attributes of the contract are in the revision, or they are for people.
_DECLARED = frozenset(Algorithm.__annotations__)
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class ChangedSource:
    """An algorithm whose source is not what it was when this version of it was first used.

    Attributes
    ----------
    algorithm, version, source : str
        Its name, its declared version, and the file or module that it is in.
    functions : tuple of str
        What changed, came or went, such as `Brightness.run`.
    """

    algorithm: str
    version: str
    source: str
    functions: tuple[str, ...]

    @property
    def warning(self) -> str:
        """One sentence that says what changed and what to do."""
        return (
            f"The source of {', '.join(self.functions)} of the algorithm {self.algorithm!r} has changed, and its "
            f"version is still {self.version!r}: change 'version' in {self.source} to compute all titles anew, or "
            "take the change back."
        )


def fingerprints(kind: type[Algorithm]) -> dict[str, str]:
    """Return by name the hash of each function, and of each constant that they name, of an algorithm's class.

    Empty where the source is not there to be read.
    """
    found: dict[str, str] = {}
    for one in kind.__mro__:
        if one is not Algorithm and issubclass(one, Algorithm):
            file = getattr(sys.modules.get(one.__module__), "__file__", None)
            try:
                found |= _of_class(Path(file), one.__name__) if file else {}
            except (OSError, ValueError, SyntaxError, RecursionError):
                return {}
    return found


def remember(store: ObjectStore, one: Registered) -> None:
    """Keep the source of a version, unless some source of it is kept already."""
    if one.algorithm is None or not one.functions:
        return
    key = _key(one.name, one.algorithm.version)
    if not store.exists(key):
        body = {"version": one.algorithm.version, "python": _PYTHON, "functions": dict(one.functions)}
        store.put_if_absent(key, json.dumps(body, sort_keys=True).encode())


def changed(store: ObjectStore, found: Iterable[Registered]) -> list[ChangedSource]:
    """Return those algorithms whose source is not the one that is kept for their version."""
    return [said for one in found if one.algorithm is not None and (said := _compared(store, one)) is not None]


def _compared(store: ObjectStore, one: Registered) -> ChangedSource | None:
    assert one.algorithm is not None
    version = one.algorithm.version
    try:
        kept: dict[str, str] = json.loads(store.get(_key(one.name, version)))["functions"]
    except NotFound:
        return None
    differing = sorted(name for name in {*kept, *one.functions} if kept.get(name) != one.functions.get(name))
    return ChangedSource(one.name, version, one.source, tuple(differing)) if differing and one.functions else None


def _key(name: str, version: str) -> str:
    # Another Python may spell the same tree differently: what it finds is kept apart.
    return layout.source(name, hashlib.sha256(f"{_PYTHON}\n{version}".encode()).hexdigest()[:32])


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
