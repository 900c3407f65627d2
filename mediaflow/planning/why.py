"""Why an artifact is stale: the revision that it has beside the one it should have, field by field, to the root."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from mediaflow.errors import UsageError
from mediaflow.planning.ledger import DONE, Ledger
from mediaflow.planning.plan import FRESH, GIVEN, Retries, TitleLike, plan, recipe_of
from mediaflow.planning.stage import Stage, StageGraph

_INPUT, _BYTES = "input:", "bytes"


@dataclass(frozen=True)
class Compared:
    """One field of a revision: what it was made of, and what it should be made of.

    Attributes
    ----------
    field : str
        `name`, `code version`, `parameter:NAME`, `model`, `bytes` (of a root), `input:ARTIFACT` or `import`.
    has, should : str or None
        JSON values as text, None where there is none.
    differs : bool or None
        None where the ledger does not know what it was made of.
    """

    field: str
    has: str | None
    should: str | None
    differs: bool | None


@dataclass(frozen=True)
class Link:
    """One artifact of a chain.

    Attributes
    ----------
    stage, state, reason : str
        As the plan says.
    has : str or None
        The revision that there is, or None where there is none.
    should : str
        The revision that it should have.
    made_ms : int or None
        When the one that there is was finished (Unix time).
    fields : tuple of Compared
        Empty where the artifact was never built.
    because : tuple of str
        Which of its inputs come next in the chain.
    """

    stage: str
    state: str
    reason: str
    has: str | None
    should: str
    made_ms: int | None
    fields: tuple[Compared, ...]
    because: tuple[str, ...]

    @property
    def root(self) -> bool:
        """Whether a cause lies here, and not in its inputs alone."""
        return not self.because or any(one.differs and not one.field.startswith(_INPUT) for one in self.fields)


@dataclass(frozen=True)
class Why:
    """The chain of one artifact, or of all artifacts of a title that are not fresh; each before what it was made from.

    Attributes
    ----------
    title_id : str
        The title.
    fresh : bool
        Whether the artifact, or all of the title, is as it should be.
    chain : tuple of Link
        From what was asked about down to the roots that differ; empty where a whole title is fresh.
    """

    title_id: str
    fresh: bool
    chain: tuple[Link, ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values."""
        chain = [asdict(link) | {"root": link.root and not self.fresh} for link in self.chain]
        return {"title_id": self.title_id, "fresh": self.fresh, "chain": chain}


def why(
    graph: StageGraph, title: TitleLike, ledger: Ledger, artifact: str | None = None, retries: Retries | None = None
) -> Why:
    """Compare what there is of a title with what there should be, down to the roots that differ.

    Parameters
    ----------
    graph, title, ledger
        What should be, and what is.
    artifact : str, optional
        A stage's name; all that are not fresh where it is not given.
    retries : Retries, optional
        As for the plan.

    Raises
    ------
    UsageError
        There is no such artifact.
    """
    if artifact is not None and artifact not in graph:
        raise UsageError(f"There is no artifact {artifact!r}: a title has {', '.join(graph.names)}.", artifact=artifact)
    chain = _Chain(graph, title, ledger, retries)
    stale = [name for name in graph.names if chain.rows[name]["state"] != FRESH]
    for name in [artifact] if artifact else reversed(stale):
        chain.add(name, chain.newest(name))
    return Why(title.title_id, artifact not in stale if artifact else not stale, tuple(chain.links.values()))


class _Chain:
    """Follows what differs from an artifact to its inputs; an artifact that was reached already is not told twice."""

    def __init__(self, graph: StageGraph, title: TitleLike, ledger: Ledger, retries: Retries | None) -> None:
        import polars as pl

        self._graph = graph
        self._title = title
        found = plan(graph, [title], ledger, retries).frame
        self.rows = {row["stage"]: row for row in found.iter_rows(named=True)}
        self.links: dict[tuple[str, str | None], Link] = {}
        own = (pl.col("title_id") == title.title_id) & (pl.col("state") == DONE)
        look = ledger.look()
        done = look.facts.with_row_index("number").filter(own)
        made = zip(done.iter_rows(named=True), look.recipes(done["number"]), strict=True)
        self._facts = {(fact["stage"], fact["revision"]): fact | {"recipe": recipe} for fact, recipe in made}
        self._newest = {fact["stage"]: fact["revision"] for fact in done.iter_rows(named=True)}

    def newest(self, stage: str) -> str | None:
        """Return the revision that there is of an artifact: the one that should be, or the one finished last."""
        row = self.rows[stage]
        return row["revision"] if row["state"] == FRESH else self._newest.get(stage)

    def add(self, stage: str, has: str | None) -> None:
        """Add an artifact as it was in one revision, and then those of its inputs that explain it."""
        if (stage, has) in self.links:
            return
        row, declared = self.rows[stage], self._graph[stage]
        fact = self._facts.get((stage, has)) if has else None
        before = fact["recipe"] if fact else {}
        because = self._because(declared, has, before.get("inputs", {}))
        self.links[stage, has] = Link(
            stage,
            row["state"],
            row["reason"] if row["state"] != FRESH else "",
            has,
            row["revision"],
            fact["at_ms"] if fact else None,
            _compare(_fields(declared, before), _fields(declared, self._recipe(declared))) if has else (),
            tuple(because),
        )
        for name, revision in because.items():
            self.add(name, revision)

    def _because(self, stage: Stage, has: str | None, inputs: Mapping[str, str]) -> dict[str, str | None]:
        """Return the inputs that are not what they were, or not there yet, each with the revision that there is."""
        row = self.rows[stage.name]
        if row["state"] == FRESH and has == row["revision"]:
            return {}
        found: dict[str, str | None] = {}
        for name in stage.inputs:
            if inputs.get(name, self._should(name)) != self._should(name):
                found[name] = inputs[name]
            elif self.rows[name]["state"] != FRESH:
                found[name] = self.newest(name)
        return found

    def _should(self, stage: str) -> str:
        return str(self.rows[stage]["revision"])

    def _recipe(self, stage: Stage) -> dict[str, Any]:
        inputs = {name: self._should(name) for name in stage.inputs}
        return recipe_of(stage, self._title.title_id, inputs or {stage.name: self._title.roots[stage.name]})


def _fields(stage: Stage, recipe: Mapping[str, Any]) -> dict[str, str | None]:
    """Return what a revision was made of, by field; empty where that is not known."""
    if not recipe:
        return {}
    fields: dict[str, str | None] = {"name": stage.name, "code version": recipe["code"]}
    for name, value in recipe["parameters"].items():
        fields[f"parameter:{name}"] = json.dumps(value, ensure_ascii=False, sort_keys=True)
    fields["model"] = recipe["model"]
    for name, revision in recipe["inputs"].items():
        fields[_BYTES if stage.root else f"{_INPUT}{name}"] = revision
    if GIVEN in recipe:
        fields[GIVEN] = recipe[GIVEN]
    return fields


def _compare(has: Mapping[str, str | None], should: Mapping[str, str | None]) -> tuple[Compared, ...]:
    found = []
    for name in [*should, *(name for name in has if name not in should)]:
        # Facts of earlier versions do not say which bytes a root was made from.
        known = bool(has) and (name != _BYTES or name in has)
        differs = (name in has, has.get(name)) != (name in should, should.get(name)) if known else None
        found.append(Compared(name, has.get(name), should.get(name), differs))
    return tuple(found)
