"""How long work takes, by what the ledger says of finished titles: sizes of batches, and the time that is left."""

from __future__ import annotations

from collections.abc import Mapping

from mediaflow.planning.ledger import DONE, FAILED, Look
from mediaflow.planning.plan import STALE, Plan
from mediaflow.planning.stage import StageGraph

# What was finished last says most of what comes next.
_NEWEST = 200


def seconds_a_title(look: Look, stage: str, generation: str | None = None) -> float | None:
    """Return the mean seconds of the titles finished last, of one generation or of any; None where there is none."""
    import polars as pl

    own = (pl.col("stage") == stage) & (pl.col("state") == DONE)
    if generation is not None:
        own &= pl.col("generation") == generation
    done = look.facts.lazy().filter(own).tail(_NEWEST)
    seconds = pl.col("facts").str.json_path_match("$.seconds").cast(pl.Float64)
    return done.select(seconds.mean()).collect().item()  # type: ignore[no-any-return]


def costs(look: Look, graph: StageGraph) -> dict[str, float]:
    """Return by stage what a title takes, in seconds: in its generation, or else in any; where anything is known."""
    found = {}
    for name, generation in graph.generations.items():
        seconds = seconds_a_title(look, name, generation) or seconds_a_title(look, name)
        if seconds is not None:
            found[name] = seconds
    return found


def seconds_left(look: Look, graph: StageGraph, plan: Plan, at_once: Mapping[str, int]) -> dict[str, float]:
    """Estimate by stage how long it takes until it covers the titles, with all that it waits for.

    The sum over the stage and all that it reads of the titles left, times the mean seconds a title of that
    generation; time in which nothing is computed, such as that between runs, is not in it.

    Parameters
    ----------
    look, graph, plan
        What is known, the stages, and what is stale.
    at_once : Mapping[str, int]
        How many titles are worked on side by side, by lane, where that is more than one.

    Returns
    -------
    dict
        Without stages of which nothing is left, or of which nothing is known.
    """
    import polars as pl

    open_ = plan.frame.filter(pl.col("state").is_in([STALE, FAILED])).group_by("stage").len()
    left: dict[str, int] = dict(open_.iter_rows())
    own: dict[str, float | None] = {}
    for stage in graph:
        if stage.name in left:
            seconds = seconds_a_title(look, stage.name, graph.generations[stage.name])
            own[stage.name] = None if seconds is None else seconds * left[stage.name] / at_once.get(stage.lane, 1)
    found = {}
    for name in own:
        parts = [own[given] for given in {name, *graph.above(name)} & own.keys()]
        known = [part for part in parts if part is not None]
        if len(known) == len(parts):
            found[name] = sum(known)
    return found
