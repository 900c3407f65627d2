"""The plan: desired revisions joined with the ledger; the one place that decides what to compute, and says why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from mediaflow.planning.kept import ServedStages, identity, needed
from mediaflow.planning.ledger import COLLECTED, DONE, FAILED, QUARANTINED, RETRY, STOPPED, Ledger, Look
from mediaflow.planning.stage import Stage, StageGraph

if TYPE_CHECKING:
    import polars as pl

FRESH, STALE, BLOCKED = "fresh", "stale", "blocked"
_FIRST_TIME = "never built"
# What imported rows are called where they are one of the things that a revision is made from.
GIVEN = "import"
# What is computed first: titles that changed, then what new titles are served with, then all that fills up.
CHANGED, NEW, FILL = RANKS = (0, 1, 2)
# What a title may be published without: a later try needs other bytes, another input, or another algorithm.
SETTLED = (FRESH, QUARANTINED, BLOCKED, STOPPED)


class TitleLike(Protocol):
    """What the plan needs to know of a title."""

    @property
    def title_id(self) -> str: ...
    @property
    def title_no(self) -> int: ...
    @property
    def roots(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class Retries:
    """How a failure that is not the title's own fault is tried again.

    Parameters
    ----------
    delays_s : tuple of float
        How long to wait after the first, second … failure; after the last one more failure means quarantine.
    """

    delays_s: tuple[float, ...] = (5.0, 60.0)

    @property
    def tries(self) -> int:
        """How many failures mean quarantine."""
        return len(self.delays_s) + 1


@dataclass(frozen=True)
class Kept:
    """Generations that are served and not wanted any more, and what keeps them up to date.

    Attributes
    ----------
    id : str
        Names them in the request of a run.
    graph : StageGraph
        The stages as they are served, with all that they read.
    own : tuple of str
        Those of them that are not as wanted and needed still; the others stand here as inputs.
    frame : polars.DataFrame
        As in a plan, of all stages of `graph`; `stopped` is also what cannot be computed any more.
    stopped : dict[str, str]
        As in a plan.
    """

    id: str
    graph: StageGraph
    own: tuple[str, ...]
    frame: pl.DataFrame
    stopped: dict[str, str]

    def stale(self) -> pl.DataFrame:
        """Return what is to be computed of the stages that are kept."""
        import polars as pl

        return self.frame.filter(pl.col("stage").is_in(self.own) & pl.col("state").is_in([STALE, FAILED]))


@dataclass(frozen=True)
class Plan:
    """Every (title, stage) with its desired revision and state.

    Attributes
    ----------
    frame : polars.DataFrame
        title_id, title_no (Int32), stage, revision, generation, state (`fresh`, `stale`, `failed`, `quarantined`,
        `blocked`, `stopped`), reason (why it is stale, or the sentence of the error), attempt (names the files
        of a fresh artifact), attempts (failures so far), facts (JSON), due_ms (when a failed one may be tried again),
        rank (Int8: how soon what is stale or failed is computed, one of `RANKS`).
    stopped : dict[str, str]
        Stages that are stopped as a whole, with the sentence.
    covered : frozenset of str
        Stages of which there is all that there will be: finished or given up of every title.
    kept : tuple of Kept
        What is served in another generation than the wanted one, until that covers the titles.
    look : Look, optional
        The ledger that it was made from.
    """

    frame: pl.DataFrame
    stopped: dict[str, str]
    covered: frozenset[str] = frozenset()
    kept: tuple[Kept, ...] = ()
    look: Look | None = field(default=None, repr=False)

    def stale(self) -> pl.DataFrame:
        """Return what is to be computed: the rows that are stale or failed and not yet given up."""
        import polars as pl

        return self.frame.filter(pl.col("state").is_in([STALE, FAILED]))

    def to_do(self) -> pl.DataFrame:
        """Return all that is to be computed, what is kept up to date included."""
        import polars as pl

        return pl.concat([self.stale(), *(kept.stale() for kept in self.kept)])

    def named(self) -> pl.DataFrame:
        """Return title_id, stage, revision, attempt of all artifacts that are to be there, on both sides."""
        import polars as pl

        frames = [self.frame, *(kept.frame for kept in self.kept)]
        columns = ("title_id", "stage", "revision", "attempt")
        return pl.concat([one.filter(pl.col("state") == FRESH).select(columns) for one in frames]).unique()

    def reasons(self) -> dict[str, int]:
        """Return how many artifacts are stale for which reason, most frequent first; `retry` where one failed."""
        import polars as pl

        reason = pl.when(pl.col("state") == FAILED).then(pl.lit("retry")).otherwise("reason").alias("reason")
        counts = self.stale().group_by(reason).len().sort(pl.col("len"), "reason", descending=[True, False])
        return dict(counts.iter_rows())


def plan(
    graph: StageGraph,
    titles: Sequence[TitleLike],
    ledger: Ledger,
    retries: Retries | None = None,
    served: ServedStages | None = None,
) -> Plan:
    """Work out every desired revision and join it with the ledger.

    Parameters
    ----------
    graph : StageGraph
        The stages.
    titles : sequence of TitleLike
        The titles that are present.
    ledger : Ledger
        What exists.
    retries : Retries, optional
        When a failure may be tried again.
    served : ServedStages, optional
        What is served now.

    Returns
    -------
    Plan
        One row a title and stage, stages in the graph's order.
    """
    look, served = ledger.look(), served or ServedStages()
    frame, stopped = _side(graph, titles, look, retries or Retries())
    covered = _covered(graph, frame)
    frame = _reasons(graph, frame, look, served)
    waited_for = {name for name in served.generations if name in graph and name not in covered}
    waited_for = {name for name in waited_for if served.generations[name] != graph.generations[name]}
    kept = [_keep(one, graph, served, waited_for, titles, look, retries or Retries()) for one in served.graphs]
    return Plan(frame, stopped, covered, tuple(one for one in kept if one), look)


def _side(
    graph: StageGraph, titles: Sequence[TitleLike], look: Look, retries: Retries
) -> tuple[pl.DataFrame, dict[str, str]]:
    stopped = _stopped(graph, look)
    frame = _known(graph, desired_revisions(graph, titles), look)
    return _due(_block(graph, frame, stopped), retries), stopped


def _keep(
    kept: StageGraph,
    graph: StageGraph,
    served: ServedStages,
    waited_for: set[str],
    titles: Sequence[TitleLike],
    look: Look,
    retries: Retries,
) -> Kept | None:
    """Plan what keeps the served generations up to date whose next ones are waited for; None where there is none."""
    own = [name for name in waited_for if name in kept and kept.generations[name] == served.generations[name]]
    all_of = needed(kept, own)
    other = {name for name in kept.names if name not in graph or kept.generations[name] != graph.generations[name]}
    if not own:
        return None
    frame, stopped = _side(kept, titles, look, retries)
    names = tuple(name for name in kept.names if name in all_of & other)
    return Kept(identity(kept), kept, names, _reasons(kept, frame, look), stopped)


def _covered(graph: StageGraph, frame: pl.DataFrame) -> frozenset[str]:
    """Return the stages that cover the titles.

    What has stopped half way covers nothing, nor does what waits for it; a title that was given up is covered.
    """
    import polars as pl

    states = dict(frame.group_by("stage").agg(pl.col("state").unique()).iter_rows())
    halted: set[str] = set()
    found = set()
    for stage in graph:
        here = set(states.get(stage.name, ()))
        if STOPPED in here:
            halted |= {stage.name} | graph.below(stage.name)
        if FRESH in here and here <= set(SETTLED) and stage.name not in halted:
            found.add(stage.name)
    return frozenset(found)


def desired_revisions(graph: StageGraph, titles: Sequence[TitleLike]) -> pl.DataFrame:
    """Return title_id, title_no, stage, revision, generation, one row a title and stage, without running anything."""
    import polars as pl

    ids = [title.title_id for title in titles]
    numbers = pl.Series("title_no", [title.title_no for title in titles], dtype=pl.Int32)
    columns: dict[str, list[str]] = {}
    frames = []
    for stage in graph:
        if stage.root:
            inputs = [[title.roots[stage.name] for title in titles]]
        else:
            inputs = [columns[name] for name in stage.inputs]
        rows = zip(ids, zip(*inputs, strict=True), strict=True)
        columns[stage.name] = [stage.revision(title_id, row) for title_id, row in rows]
        frames.append(
            pl.DataFrame(
                {"title_id": ids, "title_no": numbers, "revision": columns[stage.name]},
                schema_overrides={"title_id": pl.String, "revision": pl.String},
            ).select(
                "title_id",
                "title_no",
                pl.lit(stage.name).alias("stage"),
                "revision",
                pl.lit(graph.generations[stage.name]).alias("generation"),
            )
        )
    return pl.concat(frames)


def recipe_of(stage: Stage, title_id: str, inputs: Mapping[str, str]) -> dict[str, Any]:
    """Return what a revision is made from, as the ledger keeps it; a root's one input is its own bytes."""
    given = stage.given_of(title_id)
    return {
        "code": stage.code_version,
        "parameters": dict(stage.parameters),
        "model": stage.model,
        "inputs": dict(inputs),
        **({} if given is None else {GIVEN: given.revision}),
    }


def _known(graph: StageGraph, desired: pl.DataFrame, look: Look) -> pl.DataFrame:
    """Join each stage's desired revisions with what the ledger says of them."""
    import polars as pl

    parts = []
    for stage, part in _by_stage(graph, desired):
        known = look.newest(stage.name).select(
            "title_id", "revision", "state", "attempt", "reason", "attempts", "facts", "at_ms"
        )
        part = part.join(known, on=["title_id", "revision"], how="left", maintain_order="left")
        parts.append(
            part.with_columns(
                pl.col("state").fill_null(STALE).replace({DONE: FRESH, RETRY: STALE, COLLECTED: STALE}),
                pl.col("attempts").fill_null(0),
                pl.col("attempt", "reason").fill_null(""),
                pl.col("facts").fill_null("{}"),
            )
        )
    return pl.concat(parts)


def _by_stage(graph: StageGraph, frame: pl.DataFrame) -> Iterator[tuple[Stage, pl.DataFrame]]:
    """Yield the rows of each stage: a plan has the same titles for each, one stage after the other."""
    titles = len(frame) // max(1, len(graph.names))
    for number, stage in enumerate(graph):
        yield stage, frame.slice(number * titles, titles)


def _stopped(graph: StageGraph, look: Look) -> dict[str, str]:
    import polars as pl

    found: dict[str, str] = {}
    for stage in graph:
        whole = (pl.col("title_id") == "") & (pl.col("revision") == graph.generations[stage.name])
        said = look.newest(stage.name).filter(whole & (pl.col("state") == STOPPED))["reason"]
        found[stage.name] = stage.broken or (said[0] if len(said) else "")
    return {name: reason for name, reason in found.items() if reason}


def _block(graph: StageGraph, frame: pl.DataFrame, stopped: Mapping[str, str]) -> pl.DataFrame:
    """Mark what cannot be computed: stages that stopped, and all that waits for something given up."""
    import polars as pl

    if not stopped and frame.filter(pl.col("state") == QUARANTINED).is_empty():
        return frame
    given_up = pl.DataFrame(schema={"title_id": pl.String, "stage": pl.String})
    parts = []
    for stage, part in _by_stage(graph, frame):
        waiting = pl.col("state").is_in([STALE, FAILED])
        if stage.name in stopped:
            text = pl.lit(stopped[stage.name])
            part = part.with_columns(
                pl.when(waiting).then(text).otherwise("reason").alias("reason"),
                pl.when(waiting).then(pl.lit(STOPPED)).otherwise("state").alias("state"),
            )
        lost = given_up.filter(pl.col("stage").is_in(list(stage.inputs)))
        lost = lost.group_by("title_id", maintain_order=True).agg(pl.col("stage").first().alias("lost"))
        part = part.join(lost, on="title_id", how="left", maintain_order="left")
        blocked = pl.col("lost").is_not_null() & waiting
        part = part.with_columns(
            pl.when(blocked).then(pl.format("waits for {}", "lost")).otherwise("reason").alias("reason"),
            pl.when(blocked).then(pl.lit(BLOCKED)).otherwise("state").alias("state"),
        ).drop("lost")
        parts.append(part)
        gone = part.filter(pl.col("state").is_in([QUARANTINED, BLOCKED, STOPPED])).select("title_id", "stage")
        given_up = pl.concat([given_up, gone])
    return pl.concat(parts)


def _due(frame: pl.DataFrame, retries: Retries) -> pl.DataFrame:
    import polars as pl

    delays = pl.Series([0.0, *retries.delays_s, 0.0])
    index = pl.col("attempts").clip(0, len(retries.delays_s))
    wait_ms = index.map_batches(lambda column: delays.gather(column) * 1000, return_dtype=pl.Float64)
    due = pl.when(pl.col("state") == FAILED).then(pl.col("at_ms") + wait_ms.cast(pl.Int64)).otherwise(0)
    return frame.with_columns(due.alias("due_ms")).drop("at_ms")


def _reasons(graph: StageGraph, frame: pl.DataFrame, look: Look, served: ServedStages | None = None) -> pl.DataFrame:
    """Say why each stale row is stale, and how soon it is computed.

    It is compared with the newest finished artifact of that title and stage, one of the same generation if there is
    any; of what is kept (`served` is None), only with those.
    """
    import polars as pl

    open_ = pl.col("state").is_in([STALE, FAILED])
    stale = frame.lazy().with_row_index("at").filter(open_).select("at", "title_id", "stage", "generation", "state")
    rows = stale.collect()
    if rows.is_empty():
        return frame.with_columns(pl.lit(None, pl.Int8).alias("rank"))
    again = rows.join(look.done(rows), on=["title_id", "stage"], how="inner", maintain_order="left")
    rank = _rank(graph, served).alias("rank")
    ranks = rows.join(again.select("at", "own"), on="at", how="left", maintain_order="left").select("at", rank)
    if served is None:
        again = again.filter("own")
    again = again.filter(pl.col("state") == STALE)
    concerned = frame.lazy().filter(pl.col("title_id").is_in(again["title_id"].unique().implode()))
    names = concerned.select("title_id", "stage", "revision").collect().iter_rows()
    current: dict[tuple[str, ...], str] = {(title_id, stage): revision for title_id, stage, revision in names}
    before = zip(again.select("title_id", "stage").iter_rows(), look.recipes(again["number"]), strict=True)
    said = [_why(graph[stage], recipe, title_id, current) for (title_id, stage), recipe in before]
    why = again.select("at", pl.Series("why", said, dtype=pl.String))
    why = rows.filter(pl.col("state") == STALE).select("at").join(why, on="at", how="left")
    why = why.with_columns(pl.col("why").fill_null(_FIRST_TIME))
    joined = frame.with_row_index("at").join(why, on="at", how="left", maintain_order="left")
    joined = joined.join(ranks, on="at", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("why", "reason").alias("reason")).drop("at", "why")


def _rank(graph: StageGraph, served: ServedStages | None) -> pl.Expr:
    """Return how soon a stale row is computed; `own`: whether that title was ever finished in this generation."""
    import polars as pl

    said = served.generations if served else {}
    with_tables = [stage.name for stage in graph if stage.tables]
    fill = [name for name in with_tables if said and said.get(name) != graph.generations[name]]
    filling = pl.col("stage").is_in(fill)
    other = pl.col("own").is_not_null() & (served is not None)
    rank = pl.when(filling).then(FILL).when("own").then(CHANGED).when(other).then(FILL).otherwise(NEW)
    return rank.cast(pl.Int8)


def _why(stage: Stage, before: dict[str, Any], title_id: str, current: Mapping[tuple[str, ...], str]) -> str:
    if not before:
        return _FIRST_TIME
    if before["code"] != stage.code_version:
        return "code"
    if before["parameters"] != dict(stage.parameters):
        return "parameters"
    if before["model"] != stage.model:
        return "model"
    if stage.root:
        return stage.name
    given = stage.given_of(title_id)
    changed = [GIVEN] if given is not None and before.get(GIVEN) != given.revision else []
    changed += [f"input:{name}" for name in stage.inputs if before["inputs"].get(name) != current[title_id, name]]
    return ", ".join(changed)
