"""The stages as they are served: written into the manifest, and put together again while the next generation fills.

A generation that is served and not wanted any more is *kept*: until the wanted one covers the catalogue, new and
changed titles are computed in both. That takes the parameters and the model of then, and the code of then: where the
declared code is another one now, a kept stage is there to say which artifacts still count, and is computed no more.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mediaflow.planning.revisions import digest
from mediaflow.planning.stage import OWN_COLUMNS, Stage, StageGraph, TableSpec


def describe(graph: StageGraph, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return what some stages, and all that they read, are: by generation, as JSON values whose keys have no order.

    Parameters
    ----------
    graph : StageGraph
        The stages.
    names : iterable of str
        Which of them.
    """
    wanted = set(names)
    for name in list(wanted):
        wanted |= graph.above(name)
    return {graph.generations[stage.name]: _described(graph, stage) for stage in graph if stage.name in wanted}


@dataclass(frozen=True)
class ServedStages:
    """What is served, as far as the plan needs to know it.

    Attributes
    ----------
    generations : Mapping[str, str]
        The generation served of each stage that has tables.
    graphs : tuple of StageGraph
        The stages of the generations that are kept, each graph whole: with all that they read.
    """

    generations: Mapping[str, str] = field(default_factory=dict)
    graphs: tuple[StageGraph, ...] = ()


def served_stages(
    graph: StageGraph, generations: Mapping[str, str], described: Mapping[str, Mapping[str, Any]]
) -> ServedStages:
    """Put the served stages together again.

    Parameters
    ----------
    graph : StageGraph
        The stages as they are wanted now.
    generations, described
        As in the manifest of what is served: by stage its generation, and what `describe` said of each.

    Returns
    -------
    ServedStages
        A generation that the manifest does not describe (an earlier version wrote it) is in no graph.
    """
    lines: list[dict[str, str]] = []
    for name, generation in generations.items():
        if name not in graph or graph.generations[name] == generation:
            continue
        own = _line(described, generation)
        if own is None or own.get(name) != generation:
            continue
        # Most of the time all that is kept is of one time and fits into one graph.
        fitting = next((line for line in lines if all(line.get(key, own[key]) == own[key] for key in own)), None)
        if fitting is None:
            lines.append(own)
        else:
            fitting.update(own)
    graphs = [StageGraph([_stage(graph, described[line[name]], line[name]) for name in line]) for line in lines]
    whole = [one for one, line in zip(graphs, lines, strict=True) if dict(one.generations) == line]
    return ServedStages(dict(generations), tuple(whole))


def identity(graph: StageGraph) -> str:
    """Return what names a kept graph in the request of a run."""
    return digest(sorted(graph.generations.items()))


def needed(graph: StageGraph, names: Collection[str]) -> set[str]:
    """Return these stages and all that they read."""
    return set(names).union(*(graph.above(name) for name in names))


def _described(graph: StageGraph, stage: Stage) -> dict[str, Any]:
    tables = {
        name: {
            "part": spec.part,
            "text": spec.text,
            "columns": [[column, _said(kind)] for column, kind in spec.columns.items()],
        }
        for name, spec in stage.tables.items()
    }
    return {
        "name": stage.name,
        "code_version": stage.code_version,
        "parameters": dict(stage.parameters),
        "model": stage.model,
        "inputs": [[name, graph.generations[name]] for name in stage.inputs],
        "lane": stage.lane,
        "essential": stage.essential,
        "owner": stage.owner,
        "tables": tables,
    }


def _line(described: Mapping[str, Mapping[str, Any]], generation: str) -> dict[str, str] | None:
    """Return by name the generations that one was made with; None where one of them is not described."""
    found: dict[str, str] = {}
    ahead = [generation]
    while ahead:
        one = described.get(ahead.pop())
        if one is None:
            return None
        for name, of in one["inputs"]:
            if name not in found:
                found[name] = of
                ahead.append(of)
    return found | {str(described[generation]["name"]): generation}


def _stage(graph: StageGraph, said: Mapping[str, Any], generation: str) -> Stage:
    name = str(said["name"])
    if name in graph and graph.generations[name] == generation:
        return graph[name]
    tables = {
        table: TableSpec(spec["part"], {column: _meant(kind) for column, kind in spec["columns"]}, spec["text"])
        for table, spec in said["tables"].items()
    }
    stage = Stage(
        name,
        said["code_version"],
        tuple(given for given, _ in said["inputs"]),
        said["parameters"],
        said["model"],
        said["lane"],
        tables,
        said["owner"],
        essential=said["essential"],
        given=graph[name].given if name in graph else None,
    )
    return replace(stage, broken=_gone(graph, stage))


def _gone(graph: StageGraph, stage: Stage) -> str:
    """Say why a kept stage cannot be computed any more, or return nothing."""
    if stage.name in graph and graph[stage.name].code_version == stage.code_version:
        now = graph[stage.name]
        same = now.inputs == stage.inputs and now.parameters.keys() == stage.parameters.keys()
        if same and now.parameters.get(OWN_COLUMNS) == stage.parameters.get(OWN_COLUMNS):
            return ""
    return (
        f"Version {stage.code_version!r} of {stage.name}, which is served, is there no more: titles that come or "
        "change are published without it until the new one covers the library."
    )


def _said(kind: Any) -> Any:
    """Return a Polars data type as JSON: its name, or what it is made of."""
    import polars as pl

    if isinstance(kind, pl.List):
        return {"list": _said(kind.inner)}
    if isinstance(kind, pl.Array):
        return {"array": [_said(kind.inner), kind.size]}
    if isinstance(kind, pl.Struct):
        return {"struct": [[one.name, _said(one.dtype)] for one in kind.fields]}
    return str(kind)


def _meant(said: Any) -> Any:
    """Return the Polars data type of which `_said` gave the JSON."""
    import polars as pl

    if isinstance(said, str):
        return getattr(pl, said)
    (what,) = said
    if what == "list":
        return pl.List(_meant(said[what]))
    if what == "array":
        inner, size = said[what]
        return pl.Array(_meant(inner), size)
    return pl.Struct({name: _meant(kind) for name, kind in said[what]})
