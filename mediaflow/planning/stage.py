"""Stages: what is computed for a title, from what, and under which declared versions; once for plan and graph."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from mediaflow.errors import UsageError
from mediaflow.planning.revisions import digest, revision

LANES = ("light", "decode", "gpu")
# Among a stage's parameters: the columns that an algorithm declares beside those of its shape.
OWN_COLUMNS = "columns of its own"


@dataclass(frozen=True)
class TableSpec:
    """A table that a stage fills: the part of its artifact that holds the rows, and their columns.

    `columns` maps names to Polars data types; `text` names the column that is searched as text, if any.
    """

    part: str
    columns: Mapping[str, Any]
    text: str | None = None


class Given(NamedTuple):
    """Rows of a title that were imported: the hash of what they say, and the attempt that names their file."""

    revision: str
    attempt: str


# A title that no imported file has rows of.
NOT_GIVEN = Given("", "")


@dataclass(frozen=True)
class Stage:
    """One stage; a root has no input stages and starts from the title's own bytes.

    Attributes
    ----------
    name, code_version : str
        As declared.
    parameters : Mapping[str, Any]
        JSON values.
    model : str or None
        Identity of the model, where the stage has one.
    inputs : tuple of str
        Names of the stages that it reads, in a fixed order.
    lane : str
        Which kind of work it is: `light`, `decode` or `gpu`. Runs of a lane are bounded together.
    tables : Mapping[str, TableSpec]
        By the first part of the table's name; the generation is the second.
    essential : bool
        Whether a title without it is not published at all.
    broken : str
        Why it cannot run at all (a sentence), or empty.
    given : Mapping[str, Given] or None
        Of a stage that imported rows are an input of, beside the stages that it reads: by title, what was imported.
    """

    name: str
    code_version: str
    inputs: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    model: str | None = None
    lane: str = "light"
    tables: Mapping[str, TableSpec] = field(default_factory=dict)
    owner: str = "team:mediaflow"
    description: str = ""
    kinds: tuple[str, ...] = ()
    essential: bool = False
    broken: str = ""
    given: Mapping[str, Given] | None = field(default=None, compare=False, repr=False)

    @property
    def root(self) -> bool:
        """Whether it reads the title's own bytes and no other stage."""
        return not self.inputs

    @cached_property
    def recipe(self) -> str:
        """Hash of the stage apart from its inputs."""
        return digest([self.name, self.code_version, dict(self.parameters), self.model])

    def given_of(self, title_id: str) -> Given | None:
        """Return the imported rows of a title; None for a stage that reads none."""
        return None if self.given is None else self.given.get(title_id, NOT_GIVEN)

    def revision(self, title_id: str, inputs: Sequence[str]) -> str:
        """Return the revision of a title's artifact; `inputs` are those of the stages that it reads, or its bytes."""
        given = self.given_of(title_id)
        return revision(self.recipe, inputs if given is None else [*inputs, given.revision])


class StageGraph:
    """All stages in an order in which each comes after its inputs.

    Parameters
    ----------
    stages : list of Stage
        In any order.

    Raises
    ------
    UsageError
        Where two stages have one name, an input does not exist, or the inputs run in a circle.
    """

    def __init__(self, stages: list[Stage]) -> None:
        self._stages = _in_order(stages)

    def __iter__(self) -> Iterator[Stage]:
        return iter(self._stages.values())

    def __getitem__(self, name: str) -> Stage:
        return self._stages[name]

    def __contains__(self, name: str) -> bool:
        return name in self._stages

    @property
    def names(self) -> list[str]:
        """Names of all stages, inputs first."""
        return list(self._stages)

    @cached_property
    def generations(self) -> dict[str, str]:
        """By stage: the hash of its recipe and of the generations of all that it reads."""
        found: dict[str, str] = {}
        for stage in self:
            found[stage.name] = digest([stage.recipe, [found[name] for name in stage.inputs]])
        return found

    def above(self, name: str) -> set[str]:
        """Return the names of all stages that `name` reads, directly or not."""
        found = set(self[name].inputs)
        return found.union(*(self.above(given) for given in found))

    def below(self, name: str) -> set[str]:
        """Return the names of all stages that read `name`, directly or not."""
        found = {name}
        for stage in self:
            if found & set(stage.inputs):
                found.add(stage.name)
        return found - {name}


def _in_order(stages: list[Stage]) -> dict[str, Stage]:
    waiting = {stage.name: stage for stage in stages}
    if len(waiting) != len(stages):
        names = [stage.name for stage in stages]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise UsageError(f"More than one stage is called {', '.join(twice)}: rename one of them.", names=twice)
    ordered: dict[str, Stage] = {}
    while waiting:
        ready = [stage for stage in waiting.values() if all(name in ordered for name in stage.inputs)]
        if not ready:
            stuck = sorted(waiting)
            raise UsageError(f"These stages wait for each other or for one that is not there: {stuck}.", names=stuck)
        for stage in ready:
            ordered[stage.name] = waiting.pop(stage.name)
    return ordered
