"""Finds algorithms: in this folder, in folders named by a setting, and in installed packages. A broken one is one."""

from __future__ import annotations

import hashlib
import importlib
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from mediaflow.algorithms.contract import FEATURES, IMPORTED, Algorithm, Parameters, Shape
from mediaflow.algorithms.loading import module_of
from mediaflow.algorithms.source import fingerprints
from mediaflow.errors import MediaflowError

ENTRY_POINTS = "mediaflow.algorithms"
BUILT_IN = ("visual", "dialogue", "palette", "onscreen_text")
# Names of mediaflow's own stages and tables, and words that the control plane cannot use as a name.
RESERVED = frozenset(
    {*FEATURES, "media", "subtitles", "thumbnails", "titles", "people", "snapshot", "release", "dagster"}
    | {"context", "conf", "config", "meta", "dict", "arg_dict", "input_arg_dict", "output_arg_dict"}
    | {"int", "str", "float", "bool", "input", "output", "type", *keyword.kwlist}
)
# A vector has so many numbers at most.
MOST_NUMBERS = 8_192
# An algorithm's model stands beside it under its name and this.
MODEL_SUFFIX = "_model"


_DECLARED: dict[str, type] = {
    "version": str,
    "owner": str,
    "description": str,
    "inputs": tuple,
    "shape": Shape,
    "fields": Mapping,
}


@dataclass(frozen=True)
class Registered:
    """One algorithm that was found.

    `broken` says in a sentence why it cannot run, or is empty; `functions` holds hashes of its source by name.
    """

    name: str
    owner: str
    source: str
    algorithm: Algorithm | None = None
    parameters: Parameters = field(default_factory=Parameters)
    broken: str = ""
    functions: Mapping[str, str] = field(default_factory=dict)


def find(
    folders: tuple[Path, ...] = (),
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    built_in: Sequence[str] = BUILT_IN,
) -> list[Registered]:
    """Return all algorithms, built-in ones first, then by folder, file and package; importing nothing else.

    Parameters
    ----------
    folders : tuple of Path
        Folders of the setting `algorithm_folders`; each `*.py` that does not begin with `_` is looked at.
    parameters : Mapping, optional
        Parameters by algorithm, from `[algorithms.NAME]`.
    built_in : sequence of str
        Those of `BUILT_IN` that are wanted, as the setting of that name has them.
    """
    found: dict[str, Registered] = {}
    given = parameters or {}
    for one in [*_built_in(built_in), *_in_folders(folders), *_installed()]:
        _add(found, _checked(one, given.get(one.name, {})))
    for name in sorted(given.keys() - found.keys()):
        source = f"[algorithms.{name}]"
        what, remedy = f"There is no algorithm {name!r}", "correct the name or take it out"
        if name in BUILT_IN:
            what, remedy = f"{name!r} is not in the setting 'built_in'", "add it there or take them out"
        reason = f"{what}, but {source} sets its parameters: {remedy}."
        _add(found, Registered(_slug(name), "team:unknown", source, broken=reason))
    return _without_circles(found)


def _add(found: dict[str, Registered], one: Registered) -> None:
    """Add an algorithm under its name, or under another as broken where that is taken."""
    if one.name in found or _reserved(one.name):
        other = found[one.name].source if one.name in found else "mediaflow itself"
        name = f"{one.name}_{hashlib.sha256(one.source.encode()).hexdigest()[:6]}"
        reason = f"The name {one.name!r} in {one.source} is taken by {other}: rename one of them."
        one = Registered(name, one.owner, one.source, broken=one.broken or reason)
    found[one.name] = one


def _built_in(wanted: Sequence[str]) -> Iterator[Registered]:
    for name in BUILT_IN:
        if name in wanted:
            source = f"mediaflow.algorithms.{name}"
            yield from _from_module(importlib.import_module(source), source)
    for name in dict.fromkeys(wanted):
        if name not in BUILT_IN:
            there = ", ".join(BUILT_IN)
            reason = f"The setting 'built_in' names {name!r}, and there are {there}: correct the name or take it out."
            yield Registered(_slug(name), "team:unknown", "built_in", broken=reason)


def _in_folders(folders: tuple[Path, ...]) -> Iterator[Registered]:
    for folder in folders:
        if not folder.is_dir():
            name = _slug(folder.name)
            reason = f"The folder {folder} of the setting 'algorithm_folders' is not there: make it, or take it out."
            yield Registered(name, "team:unknown", str(folder), broken=reason)
            continue
        for file in sorted(folder.glob("[!_]*.py")):
            if not file.is_dir():
                yield from _from_file(file)


def _from_file(file: Path) -> Iterator[Registered]:
    try:
        module = module_of(file)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - somebody else's code: whatever it raises is its own
        yield _unloadable(file, error)
        return
    yield from _from_module(module, file.name)


def _installed() -> Iterator[Registered]:
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        try:
            loaded = point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - as above
            yield Registered(_slug(point.name), _owner_of(point), point.value, broken=_sentence(point.value, error))
            continue
        if isinstance(loaded, ModuleType):
            there = list(_from_module(loaded, point.value))
            nothing = f"{point.value} has no subclass of Algorithm: name the class, as in package.module:Class."
            yield from there or [Registered(_slug(point.name), _owner_of(point), point.value, broken=nothing)]
        else:
            yield _described(loaded, point.value)


def _from_module(module: ModuleType, source: str) -> Iterator[Registered]:
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Algorithm)]
    for kind in kinds:
        if kind is not Algorithm and kind.__module__ == module.__name__:
            yield _described(kind, source)


def _described(kind: Any, source: str) -> Registered:
    name = getattr(kind, "name", None)
    owner = getattr(kind, "owner", None) or "team:unknown"
    if not (isinstance(kind, type) and issubclass(kind, Algorithm)):
        return Registered(_slug(source), owner, source, broken=f"{source} is no subclass of Algorithm.")
    if not isinstance(name, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", name):
        reason = f"{source}: the name {name!r} must be lower case letters, digits and '_', at most 40 of them."
        return Registered(_slug(kind.__name__), str(owner), source, broken=reason)
    try:
        return Registered(name, str(owner), source, kind())
    except Exception as error:  # noqa: BLE001 - as above
        return Registered(name, str(owner), source, broken=_sentence(source, error))


def _checked(one: Registered, given: Mapping[str, Any]) -> Registered:
    """Return the algorithm with its parameters, or broken with what is wrong in its declaration."""
    if one.algorithm is None:
        return one
    wrong = "; ".join(_wrong(one.algorithm))
    if wrong:
        return Registered(
            one.name, one.owner, one.source, broken=f"{one.source} declares {one.name!r} wrongly: {wrong}."
        )
    try:
        parameters = one.algorithm.Parameters(**given)
        parameters.model_dump(mode="json")
    except ValidationError as error:
        first = error.errors()[0]
        at = ".".join(str(part) for part in first["loc"])
        reason = f"The setting [algorithms.{one.name}] {at} is wrong: {first['msg']}."
        return Registered(one.name, one.owner, one.source, broken=reason)
    except Exception as error:  # noqa: BLE001 - as above
        reason = f"The parameters of {one.source} cannot be made: {type(error).__name__}: {error}."
        return Registered(one.name, one.owner, one.source, broken=reason)
    functions = fingerprints(type(one.algorithm))
    return Registered(one.name, one.owner, one.source, one.algorithm, parameters, functions=functions)


def _wrong(algorithm: Algorithm) -> Iterator[str]:
    from mediaflow.algorithms.shapes import shape_columns

    for attribute, kind in _DECLARED.items():
        if not isinstance(getattr(algorithm, attribute, None), kind):
            yield f"'{attribute}' must be a {kind.__name__}"
            return
    if not all(isinstance(name, str) for name in algorithm.inputs):
        yield "'inputs' must be a tuple of strings"
        return
    if not (isinstance(algorithm.Parameters, type) and issubclass(algorithm.Parameters, Parameters)):
        yield "'Parameters' must be a subclass of mediaflow's Parameters"
    if not algorithm.inputs:
        yield "'inputs' is empty"
    if algorithm.model not in (None, "visual_model"):
        yield f"'model' names no setting: {algorithm.model!r}"
    yield from _wrong_vectors(algorithm)
    for name, kind in algorithm.fields.items():
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in {"title_no", "revision"}:
            yield f"a field cannot be called {name!r}"
        if not _plain(kind):
            yield f"the field {name!r} must be a polars number, Boolean or String, or a List, Array or Struct of those"
        if name == "title" and IMPORTED in algorithm.inputs:
            yield "a field cannot be called 'title', which says in an imported file whose row it is"
        if name in shape_columns(algorithm.shape, 1):
            yield f"the field {name!r} is a column that the shape has already"


def _wrong_vectors(algorithm: Algorithm) -> Iterator[str]:
    from mediaflow.algorithms.shapes import VECTOR_SHAPES

    dim = algorithm.dim
    if algorithm.shape not in VECTOR_SHAPES:
        if dim is not None:
            yield "'dim' is the length of vectors, and its shape has none"
    elif algorithm.model is None and dim is None:
        yield "a vector needs a 'model' that can encode queries, or without one a 'dim', its length"
    elif algorithm.model is not None and dim is not None:
        yield "'dim' is said by the 'model'"
    elif dim is not None and not (isinstance(dim, int) and 1 <= dim <= MOST_NUMBERS):
        yield f"'dim' must be a number from 1 to {MOST_NUMBERS}"


def _plain(kind: Any) -> bool:
    """Say whether a field of this type can be kept in a table and shown as JSON."""
    import polars as pl

    if isinstance(kind, pl.Struct):
        return all(_plain(field.dtype) for field in kind.fields)
    if isinstance(kind, pl.List | pl.Array):
        return _plain(kind.inner)
    integers = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
    return kind in (*integers, pl.Float16, pl.Float32, pl.Float64, pl.Boolean, pl.String)


def _without_circles(found: dict[str, Registered]) -> list[Registered]:
    """Break every algorithm that reads what is not there, or that reads itself by way of others."""
    known = set(FEATURES)
    waiting = {name: one for name, one in found.items() if one.algorithm is not None}
    while ready := [name for name, one in waiting.items() if one.algorithm and set(one.algorithm.inputs) <= known]:
        for name in ready:
            known.add(name)
            del waiting[name]
    inputs = {name: one.algorithm.inputs for name, one in waiting.items() if one.algorithm}
    for name, one in waiting.items():
        strange = [given for given in inputs[name] if given not in FEATURES and given not in found]
        if strange:
            reason = f"{one.source}: {name!r} reads {strange[0]!r}, which is neither a feature nor an algorithm."
        elif name in (read := _reads(inputs, name)):
            way = ", ".join(sorted(read & inputs.keys() - {name})) or name
            reason = f"{one.source}: {name!r} reads itself by way of {way}."
        else:
            lost = next(given for given in inputs[name] if given not in known)
            reason = f"{one.source}: {name!r} reads {lost!r}, which is broken."
        found[name] = Registered(name, one.owner, one.source, broken=reason)
    return list(found.values())


def _reads(inputs: Mapping[str, tuple[str, ...]], name: str) -> set[str]:
    """Return all that `name` reads, directly or not."""
    seen: set[str] = set()
    ahead = list(inputs[name])
    while ahead:
        given = ahead.pop()
        if given not in seen:
            seen.add(given)
            ahead += inputs.get(given, ())
    return seen


def _unloadable(file: Path, error: BaseException) -> Registered:
    """Return the algorithm of a file that does not import, with the name and owner that its text declares."""
    try:
        text = file.read_text(errors="replace")
    except OSError:
        text = ""
    name = re.search(r"""^\s+name\s*(?::[^=]+)?=\s*['"]([a-z][a-z0-9_]*)['"]""", text, re.MULTILINE)
    owner = re.search(r"""^\s+owner\s*(?::[^=]+)?=\s*['"]([^'"]+)['"]""", text, re.MULTILINE)
    said = owner.group(1) if owner else "team:unknown"
    return Registered(name.group(1) if name else _slug(file.stem), said, file.name, broken=_sentence(file.name, error))


def _reserved(name: str) -> bool:
    return name in RESERVED or name.endswith(MODEL_SUFFIX)


def _owner_of(point: EntryPoint) -> str:
    return f"package:{point.dist.name}" if point.dist else "team:unknown"


def _sentence(source: str, error: BaseException) -> str:
    if isinstance(error, MediaflowError):
        return error.message
    return f"{source} cannot be imported: {type(error).__name__}: {error}."


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_") or "algorithm"
