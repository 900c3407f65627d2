"""Tells Dagster what came of each title and stage of a run, and in the end whether the run has failed."""

from __future__ import annotations

import dagster as dg
import polars as pl
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

from assets import events
from mediaflow.library import Library
from mediaflow.media.contact_sheet import markdown
from mediaflow.planning.ledger import DONE, FAILED, QUARANTINED, STOPPED
from mediaflow.planning.plan import BLOCKED, desired_revisions
from mediaflow.snapshots.served import served
from mediaflow.stages.work import Outcome

# The run's page lists so many failed titles; its message names them all.
_MOST_LISTED = 50


def model_asset(algorithm: str) -> str:
    """Return the name of the asset that stands for an algorithm's model."""
    return f"{algorithm}_model"


def both_alive(library: Library, stage: str, titles: list[str]) -> dict[str, dict[str, str]]:
    """Return by title what an event says of the generation that is served while the stage's wanted one fills."""
    graph, present = library.graph(), library.titles()
    found = served(library.releases, graph)
    wanted = graph.generations[stage]
    old = found.generations.get(stage, wanted)
    kept = next((one for one in found.graphs if one.generations.get(stage) == old), None)
    if kept is None or old == wanted:
        return {}
    own = (pl.col("stage") == stage) & (pl.col("generation") == wanted) & (pl.col("state") == DONE)
    done = set(library.ledger.facts().filter(own)["title_id"]) & {title.title_id for title in present}
    said = {
        "generation": wanted,
        "coverage": f"{len(done)} of {len(present)} titles",
        "served generation": old,
    }
    batch = [title for title in present if title.title_id in set(titles)]
    rows = desired_revisions(kept, batch).filter(pl.col("stage") == stage)
    return {title: said | {"served revision": of} for title, of in rows.select("title_id", "revision").iter_rows()}


class Outcomes:
    """Logs an event for each outcome.

    Parameters
    ----------
    context : AssetExecutionContext
        The run's.
    library : Library
        Where artifacts are.
    titles : list of str
        What the run is about.
    planned : bool
        Whether Dagster has planned an event for each title and stage, as it does for runs that people start.
    kept : bool
        Whether the run keeps up to date what is served, while something else is wanted: the assets are what is wanted,
        so that its outcomes are only observed.
    """

    def __init__(
        self,
        context: dg.AssetExecutionContext,
        library: Library,
        titles: list[str],
        *,
        planned: bool,
        kept: bool = False,
    ) -> None:
        self._context = context
        self._library = library
        self._titles = titles
        self._planned = planned
        self._kept = kept
        self._stages = {stage.name: stage for stage in library.graph()}
        self._stage = ""
        self._cursor = 0
        self._alive: dict[str, dict[str, str]] = {}
        self._unsettled: set[str | None] = set()
        self._failed: dict[str, str] = {}

    def add(self, outcome: Outcome) -> None:
        """Log what came of one title and stage; outcomes come a stage at a time."""
        if self._kept:
            self._context.log_event(events.observation(outcome))
            if outcome.state in (FAILED, QUARANTINED, STOPPED):
                self._failed[f"{outcome.title_id}: {outcome.stage} as it is served"] = outcome.reason
            return
        if outcome.stage != self._stage:
            self._begin(outcome.stage)
        if outcome.ok:
            self._log_made(outcome)
        elif outcome.state in (FAILED, QUARANTINED) or (outcome.state == BLOCKED and self._planned):
            self._log_failed(outcome)
        elif outcome.state == STOPPED:
            self._failed[f"algorithm {outcome.stage} has stopped"] = outcome.reason
        else:
            self._context.log.info(f"{outcome.title_id}: {outcome.stage}: {outcome.state}: {outcome.reason}")

    def end(self) -> None:
        """Fail the run if anything in it failed: only so Dagster shows what was planned and not made as failed."""
        if self._failed:
            raise dg.Failure(
                "; ".join(f"{what}: {reason}" for what, reason in self._failed.items()),
                metadata=dict(list(self._failed.items())[:_MOST_LISTED]),
                allow_retries=False,
            )

    def _begin(self, stage: str) -> None:
        self._stage = stage
        events_log = self._context.instance.event_log_storage
        # Inputs are compared with the newest record before a stage's events: the inputs' own events included.
        self._cursor = events_log.get_maximum_record_id() or 0
        check = dg.AssetCheckKey(dg.AssetKey(stage), events.CHECK)
        known = events_log.get_asset_check_partition_info([check], partition_keys=self._titles)
        # In a run that people started, Dagster has planned every title's check, which hides how it stood before.
        open_ended = (AssetCheckExecutionRecordStatus.FAILED, AssetCheckExecutionRecordStatus.PLANNED)
        self._unsettled = {one.partition_key for one in known if one.latest_execution_status in open_ended}
        self._alive = both_alive(self._library, stage, self._titles)

    def _log_made(self, outcome: Outcome) -> None:
        stage = self._stages[outcome.stage]
        # What it was made with, whatever is chosen meanwhile.
        model = (model_asset(stage.name), outcome.model) if outcome.model else None
        picture = self._picture(outcome)
        self._context.log_event(
            events.materialization(
                outcome, events.code_version(stage), self._cursor, model, picture, self._alive.get(outcome.title_id, {})
            )
        )
        if outcome.title_id in self._unsettled:
            self._context.log_event(events.verdict(outcome))

    def _log_failed(self, outcome: Outcome) -> None:
        self._failed[f"{outcome.title_id}: {outcome.stage}"] = outcome.reason
        if not self._planned:
            events.show_failed(self._context, outcome)
        self._context.log_event(events.verdict(outcome))

    def _picture(self, outcome: Outcome) -> str | None:
        if outcome.stage != "frames":
            return None
        return markdown(
            self._library.artifact("frames", outcome.title_id, outcome.revision, outcome.attempt, "thumbnails")
        )
