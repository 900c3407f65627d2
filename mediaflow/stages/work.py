"""Runs stages over a batch of titles: looks first, computes what is missing, writes artifact, then ledger row."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediaflow.algorithms import versions
from mediaflow.algorithms.contract import IMPORTED
from mediaflow.algorithms.registry import Registered
from mediaflow.catalog.records import TitleRecord
from mediaflow.errors import AlgorithmError, SystemFault, TitleError
from mediaflow.models.registry import ModelRegistry
from mediaflow.planning.claims import Claim
from mediaflow.planning.ledger import DONE, FAILED, QUARANTINED, STOPPED, Fact, Ledger
from mediaflow.planning.plan import BLOCKED, FRESH, STALE, Retries, plan, recipe_of
from mediaflow.planning.stage import Stage, StageGraph
from mediaflow.stages import sources
from mediaflow.stages.annotate import Annotator, Blamed, sentence
from mediaflow.stages.sources import ChangedMeanwhile, Made
from mediaflow.storage import artifacts
from mediaflow.storage.objects import ObjectStore

if TYPE_CHECKING:
    from mediaflow.media.pool import DecodePool

COMPUTED, ALREADY_FRESH, CHANGED = "computed", "already fresh", "changed meanwhile"


@dataclass(frozen=True)
class Outcome:
    """What came of one stage for one title.

    Attributes
    ----------
    title_id, stage, revision : str
        Which artifact.
    state : str
        `computed`, `already fresh`, `failed`, `quarantined`, `stopped`, `blocked` (an input is missing) or
        `changed meanwhile`.
    why : str
        Why it was computed.
    reason : str
        The sentence of the error, if any.
    inputs : dict[str, str]
        Revisions of its inputs.
    facts : dict
        Counts, seconds and notes.
    attempt : str
        Names the files of the artifact.
    model : str or None
        Identity of the model that it is made with.
    """

    title_id: str
    stage: str
    revision: str
    state: str
    why: str = ""
    reason: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    attempt: str = ""
    model: str | None = None

    @property
    def ok(self) -> bool:
        """Whether the artifact is there."""
        return self.state in (COMPUTED, ALREADY_FRESH)


@dataclass
class _Row:
    revision: str
    state: str
    reason: str
    attempt: str
    attempts: int
    facts: dict[str, Any]


class Workshop:
    """Runs stages.

    Parameters
    ----------
    store, root : ObjectStore, Path
        Where artifacts go, and the library that titles come from.
    graph, ledger : StageGraph, Ledger
        What is to be, and what is.
    algorithms : sequence of Registered
        The algorithms that were found.
    models : ModelRegistry
        Gives the encoder of a model.
    pool : callable
        Gives the decode pool, made when it is first needed.
    workers : int
        How many films are decoded at once.
    retries : Retries
        How often a failure is tried again.
    """

    def __init__(
        self,
        store: ObjectStore,
        root: Path,
        graph: StageGraph,
        ledger: Ledger,
        algorithms: Sequence[Registered],
        models: ModelRegistry,
        pool: Callable[[], DecodePool],
        workers: int = 1,
        retries: Retries | None = None,
    ) -> None:
        self._store = store
        self._root = root
        self._graph = graph
        self._ledger = ledger
        self._algorithms = {one.name: one for one in algorithms}
        self._annotator = Annotator(store, algorithms, models)
        self._pool = pool
        self._workers = workers
        self._retries = retries or Retries()
        self._rows: dict[tuple[str, str], _Row] = {}
        self._claim = Claim(ledger, [])

    def run(
        self, titles: Sequence[TitleRecord], stages: Sequence[str], *, force: bool = False, record: bool = False
    ) -> Iterator[Outcome]:
        """Run the stages over the titles, a stage at a time, and yield each outcome as soon as it is in the ledger.

        Parameters
        ----------
        titles : sequence of TitleRecord
            The batch.
        stages : sequence of str
            Which stages; run in the graph's order.
        force : bool
            Compute also what is fresh.
        record : bool
            Compute nothing: only say what the ledger says.

        Raises
        ------
        SystemFault
            The world around is broken; what was finished until then is in the ledger.
        """
        self._claim = Claim(self._ledger, [title.title_id for title in titles])
        try:
            yield from self._run(titles, stages, force, record)
        finally:
            self._claim.release()

    def _run(
        self, titles: Sequence[TitleRecord], stages: Sequence[str], force: bool, record: bool
    ) -> Iterator[Outcome]:
        found = plan(self._graph, titles, self._ledger, self._retries)
        for row in found.frame.iter_rows(named=True):
            self._rows[row["title_id"], row["stage"]] = _Row(
                row["revision"],
                row["state"],
                row["reason"],
                row["attempt"],
                row["attempts"],
                json.loads(row["facts"]),
            )
        for stage in self._graph:
            if stage.name not in stages:
                continue
            waiting = []
            for title in titles:
                said = self._look(stage, title, found.stopped, force, record)
                if said is None:
                    waiting.append(title)
                else:
                    yield said
            yield from self._compute(stage, waiting)

    def _look(
        self, stage: Stage, title: TitleRecord, stopped: Mapping[str, str], force: bool, record: bool
    ) -> Outcome | None:
        """Return the outcome that needs no computing, if there is one."""
        row = self._rows[title.title_id, stage.name]
        if row.state == FRESH and not force:
            return self._outcome(stage, title, ALREADY_FRESH, facts=row.facts)
        if stage.name in stopped:
            return self._outcome(stage, title, STOPPED, reason=stopped[stage.name])
        missing = [name for name in stage.inputs if self._rows[title.title_id, name].state != FRESH]
        if record:
            return self._outcome(stage, title, row.state, reason=row.reason)
        if missing:
            return self._outcome(stage, title, BLOCKED, reason=f"{missing[0]} is missing: it has to be made first")
        return None

    def _compute(self, stage: Stage, titles: list[TitleRecord]) -> Iterator[Outcome]:
        if not titles:
            return
        self._claim.hold()
        if stage.name == "frames":
            yield from self._decode(stage, titles)
        elif stage.name in ("media", "subtitles", "catalogue"):
            yield from self._sources(stage, titles)
        else:
            yield from self._annotate(stage, titles)

    def _sources(self, stage: Stage, titles: list[TitleRecord]) -> Iterator[Outcome]:
        facts, outcomes = [], []
        try:
            for title in titles:
                start = time.monotonic()
                made = self._tried(stage, title)
                fact, outcome = self._settle(stage, title, made, time.monotonic() - start)
                facts += fact
                outcomes.append(outcome)
        finally:
            self._ledger.append(facts)
        yield from outcomes

    def _decode(self, stage: Stage, titles: list[TitleRecord]) -> Iterator[Outcome]:
        """Decode several films at once, each in a worker process; a film is in the ledger as soon as it is done."""

        def timed(title: TitleRecord) -> tuple[Made | Exception, float]:
            start = time.monotonic()
            return self._tried(stage, title), time.monotonic() - start

        with ThreadPoolExecutor(self._workers, thread_name_prefix="decode") as threads:
            running = {threads.submit(timed, title): title for title in titles}
            try:
                for done in as_completed(running):
                    made, seconds = done.result()
                    facts, outcome = self._settle(stage, running[done], made, seconds)
                    self._ledger.append(facts)
                    self._claim.hold()
                    yield outcome
            finally:
                threads.shutdown(cancel_futures=True)

    def _annotate(self, stage: Stage, titles: list[TitleRecord]) -> Iterator[Outcome]:
        inputs = {
            title.title_id: {
                name: (row.revision, row.attempt, row.facts.get("rows", {}))
                for name in stage.inputs
                for row in [self._rows[title.title_id, name]]
            }
            for title in titles
        }
        for title in titles:
            if given := stage.given_of(title.title_id):
                inputs[title.title_id][IMPORTED] = (*given, {})
        record = {title.title_id: title for title in titles}
        unproven = not self._ledger.has_done(stage.name, self._graph.generations[stage.name])
        try:
            for part in self._annotator.run(stage, inputs, unproven):
                facts, outcomes = [], []
                try:
                    for title_id, made, seconds in part:
                        fact, outcome = self._settle(stage, record[title_id], made, seconds)
                        facts += fact
                        outcomes.append(outcome)
                        del record[title_id]
                finally:
                    self._ledger.append(facts)
                self._claim.hold()
                if any(outcome.ok for outcome in outcomes):
                    versions.remember(self._store, self._algorithms[stage.name])
                yield from outcomes
        except AlgorithmError as error:
            generation = self._graph.generations[stage.name]
            self._ledger.append([Fact("", stage.name, generation, generation, STOPPED, reason=error.message)])
            for title in record.values():
                yield self._outcome(stage, title, STOPPED, reason=error.message)

    def _tried(self, stage: Stage, title: TitleRecord) -> Made | Exception:
        try:
            if stage.name == "media":
                return sources.media(self._pool(), self._root, title)
            if stage.name == "frames":
                return sources.frames(self._pool(), self._root, title, stage.parameters)
            return sources.subtitles(self._root, title) if stage.name == "subtitles" else sources.catalogue(title)
        except (SystemFault, MemoryError):
            raise
        except Exception as error:  # noqa: BLE001 - one bad title is one bad title
            return error

    def _settle(
        self, stage: Stage, title: TitleRecord, made: Made | Exception, seconds: float
    ) -> tuple[list[Fact], Outcome]:
        """Write the artifact and return its fact, or the fact of the failure; the ledger row comes after the files."""
        row = self._rows[title.title_id, stage.name]
        if isinstance(made, ChangedMeanwhile):
            return [], self._outcome(stage, title, CHANGED, reason=made.message)
        fact = Fact(title.title_id, stage.name, row.revision, self._graph.generations[stage.name], DONE)
        if isinstance(made, Exception):
            return self._failed(stage, title, made, fact)
        why = {FRESH: "by force", STALE: row.reason}.get(row.state, "retry")
        facts = {
            **made.facts,
            "rows": {part: len(frame) for part, frame in made.parts.items()},
            "seconds": round(seconds, 3),
            "why": why,
        }
        if made.notes:
            facts["notes"] = made.notes
        attempt = artifacts.write(self._store, stage.name, title.title_id, row.revision, made.parts)
        row.state, row.attempt, row.facts = FRESH, attempt, facts
        outcome = self._outcome(stage, title, COMPUTED, why=why, facts=facts)
        inputs = {stage.name: title.roots[stage.name]} if stage.root else outcome.inputs
        recipe = recipe_of(stage, title.title_id, inputs)
        return [replace(fact, attempt=attempt, facts=facts, recipe=recipe)], outcome

    def _failed(self, stage: Stage, title: TitleRecord, error: Exception, fact: Fact) -> tuple[list[Fact], Outcome]:
        row = self._rows[title.title_id, stage.name]
        cause = error.cause if isinstance(error, Blamed) else error
        own = isinstance(cause, TitleError)
        message = sentence(cause)
        last = own or row.attempts + 1 >= self._retries.tries
        row.state = QUARANTINED if last else FAILED
        row.reason, row.attempts = message, row.attempts + 1
        failed = replace(fact, state=row.state, error=type(cause).__name__, reason=message)
        return [failed], self._outcome(stage, title, row.state, reason=message)

    def _outcome(self, stage: Stage, title: TitleRecord, state: str, **more: Any) -> Outcome:
        row = self._rows[title.title_id, stage.name]
        inputs = {name: self._rows[title.title_id, name].revision for name in stage.inputs}
        more |= {"inputs": inputs, "attempt": row.attempt, "model": stage.model}
        return Outcome(title.title_id, stage.name, row.revision, state, **more)
