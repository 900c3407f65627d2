"""The plan: desired revisions joined with the ledger; the one place that decides what to compute, and says why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from mediaflow.planning import revisions
from mediaflow.planning.ledger import COLLECTED, DONE, FAILED, QUARANTINED, RETRY, STOPPED, Ledger, Look
from mediaflow.planning.stage import Stage, StageGraph

if TYPE_CHECKING:
    import polars as pl

FRESH, STALE, BLOCKED = "fresh", "stale", "blocked"
_FIRST_TIME = "never built"
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
class Plan:
    """Every (title, stage) with its desired revision and state.

    Attributes
    ----------
    frame : polars.DataFrame
        title_id, title_no (Int32), stage, revision, generation, state (`fresh`, `stale`, `failed`, `quarantined`,
        `blocked`, `stopped`), reason (why it is stale, or the sentence of the error), attempt (names the files
        of a fresh artifact), attempts (failures so far), facts (JSON), due_ms (when a failed one may be tried again).
    stopped : dict[str, str]
        Stages that are stopped as a whole, with the sentence.
    """

    frame: pl.DataFrame
    stopped: dict[str, str]

    def stale(self) -> pl.DataFrame:
        """Return what is to be computed: the rows that are stale or failed and not yet given up."""
        import polars as pl

        return self.frame.filter(pl.col("state").is_in([STALE, FAILED]))

    def reasons(self) -> dict[str, int]:
        """Return how many artifacts are stale for which reason, most frequent first; `retry` where one failed."""
        import polars as pl

        reason = pl.when(pl.col("state") == FAILED).then(pl.lit("retry")).otherwise("reason").alias("reason")
        counts = self.stale().group_by(reason).len().sort(pl.col("len"), "reason", descending=[True, False])
        return dict(counts.iter_rows())


def plan(graph: StageGraph, titles: Sequence[TitleLike], ledger: Ledger, retries: Retries | None = None) -> Plan:
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

    Returns
    -------
    Plan
        One row a title and stage, stages in the graph's order.
    """

    look = ledger.look()
    stopped = _stopped(graph, look)
    frame = _known(graph, desired_revisions(graph, titles), look)
    frame = _block(graph, frame, stopped)
    frame = _due(frame, retries or Retries())
    return Plan(_reasons(graph, frame, look), stopped)


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
        columns[stage.name] = [revisions.revision(stage.recipe, row) for row in zip(*inputs, strict=True)]
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


def recipe_of(stage: Stage, inputs: Mapping[str, str]) -> dict[str, Any]:
    """Return what a revision is made from, as the ledger keeps it; a root's one input is its own bytes."""
    return {
        "code": stage.code_version,
        "parameters": dict(stage.parameters),
        "model": stage.model,
        "inputs": dict(inputs),
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


def _reasons(graph: StageGraph, frame: pl.DataFrame, look: Look) -> pl.DataFrame:
    """Say why each stale row is stale, by comparing it with the newest finished artifact of that title and stage."""
    import polars as pl

    stale = (
        frame.lazy().with_row_index("at").filter(pl.col("state") == STALE).select("at", "title_id", "stage").collect()
    )
    if stale.is_empty():
        return frame
    again = stale.join(look.done(stale), on=["title_id", "stage"], how="inner", maintain_order="left")
    concerned = frame.lazy().filter(pl.col("title_id").is_in(again["title_id"].unique().implode()))
    names = concerned.select("title_id", "stage", "revision").collect().iter_rows()
    current: dict[tuple[str, ...], str] = {(title_id, stage): revision for title_id, stage, revision in names}
    before = zip(again.select("title_id", "stage").iter_rows(), look.recipes(again["number"]), strict=True)
    said = [_why(graph[stage], recipe, title_id, current) for (title_id, stage), recipe in before]
    why = again.select("at", pl.Series("why", said, dtype=pl.String))
    why = stale.select("at").join(why, on="at", how="left").with_columns(pl.col("why").fill_null(_FIRST_TIME))
    joined = frame.with_row_index("at").join(why, on="at", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("why", "reason").alias("reason")).drop("at", "why")


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
    changed = [name for name in stage.inputs if before["inputs"].get(name) != current[title_id, name]]
    return ", ".join(f"input:{name}" for name in changed)
