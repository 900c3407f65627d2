"""The ledger: facts about artifacts, append-only, in a Lance table; the newest fact about an artifact counts."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mediaflow.errors import SystemFault
from mediaflow.storage import layout
from mediaflow.storage.objects import ObjectStore
from mediaflow.storage.tables import create

if TYPE_CHECKING:
    import polars as pl
    import pyarrow as pa

DONE, FAILED, QUARANTINED, STOPPED, RETRY = "done", "failed", "quarantined", "stopped", "retry"
# Which titles a run is at; kept under the name of a stage that there is not.
CLAIMED, RELEASED, CLAIMS = "claimed", "released", "claims:"
# The files of an attempt are not there any more, or will not be for long.
COLLECTED = "collected"
COLUMNS = ("title_id", "stage", "revision", "generation", "state", "attempt", "error", "reason", "recipe", "facts")
# Which artifact of a stage.
_ARTIFACT = ["title_id", "revision"]
# The recipes are as large as all the rest, and few of them are ever asked for.
_KEPT = [*(name for name in COLUMNS if name != "recipe"), "at_ms"]


@dataclass(frozen=True)
class Fact:
    """One fact: an artifact exists, failed, is quarantined or is to be tried again; or a stage has stopped.

    One that says `collected` is about an attempt: whatever else was or will be said of it, its files are gone.

    Attributes
    ----------
    title_id : str
        Empty for a fact about a stage as a whole (`stopped`), whose revision is then the generation.
    stage, revision, generation, state : str
        Which artifact, and what is known of it.
    attempt : str
        Names the files of a finished artifact.
    error, reason : str
        Kind of the error, and the sentence that people read.
    recipe : dict
        What the revision was made from (code, parameters, model, inputs), to say later why it went stale.
    facts : dict
        Counts, seconds, notes: what the stage says of its result.
    """

    title_id: str
    stage: str
    revision: str
    generation: str
    state: str
    attempt: str = ""
    error: str = ""
    reason: str = ""
    recipe: dict[str, Any] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)


class Ledger:
    """Reads and appends facts; safe for any number of processes, as appends never conflict.

    Parameters
    ----------
    store : ObjectStore
        Where the ledger is.
    """

    def __init__(self, store: ObjectStore) -> None:
        self._uri = store.uri(layout.LEDGER)
        self._seen: Look | None = None

    def append(self, facts: list[Fact]) -> None:
        """Write facts, all or none, as one fragment."""
        if not facts:
            return
        import lance
        import pyarrow as pa

        now = time.time_ns() // 1_000_000
        rows = [_row(fact) | {"at_ms": now} for fact in facts]
        table = pa.Table.from_pylist(rows, schema=_schema())
        try:
            if not self._exists():
                create(self._uri, _schema())
            lance.write_dataset(table, self._uri, mode="append")
        except OSError as error:
            raise SystemFault(f"The ledger could not be written: {error}.", uri=self._uri) from error

    def forget(self, title_id: str) -> None:
        """Take all facts about a title out of the ledger's files, not only out of what it says.

        Claims of runs that name it go with them: they are advice. Facts that are appended meanwhile stay. Whoever
        reads an earlier version looks again.
        """
        if not self._exists():
            return
        from datetime import timedelta

        dataset = self._open()
        quoted = title_id.replace("'", "''")
        about = f"title_id = '{quoted}' OR (stage = '{CLAIMS}' AND contains(facts, '\"{quoted}\"'))"
        # A deletion of nothing would be the newest version, and says what it was to delete.
        if dataset.count_rows(filter=about):
            dataset.delete(about)
        # Fragments keep their order, and with it which fact is the newest.
        self._open().optimize.compact_files(materialize_deletions_threshold=0.0)
        self._open().cleanup_old_versions(older_than=timedelta(0))
        self._seen = None

    def version(self) -> int:
        """Return a number that grows with each append; 0 while there is no ledger."""
        return int(self._open().version) if self._exists() else 0

    def told(self) -> int:
        """Return how many facts there are about artifacts; a claim is none."""
        import polars as pl

        return self.facts().filter(pl.col("stage") != CLAIMS).height

    def look(self) -> Look:
        """Return what the ledger says now; what was read once is kept, and only what was appended since is read."""
        if not self._exists():
            return Look(None, [], _no_facts())
        dataset, seen = self._open(), self._seen
        if seen is None or seen.dataset.version != dataset.version:
            seen = self._seen = _read(dataset, seen)
        return seen

    def facts(self) -> pl.DataFrame:
        """Return all facts of now; see `Look.facts`."""
        return self.look().facts

    def has_done(self, stage: str, generation: str) -> bool:
        """Say whether a stage ever finished a title in this generation."""
        import polars as pl

        known = (pl.col("stage") == stage) & (pl.col("generation") == generation) & (pl.col("state") == DONE)
        return not self.facts().filter(known).is_empty()

    def _exists(self) -> bool:
        if self._seen is not None:
            return True
        import lance

        try:
            lance.dataset(self._uri)
        except ValueError:
            return False
        return True

    def _open(self) -> Any:
        import lance

        return lance.dataset(self._uri)


@dataclass(frozen=True)
class Look:
    """The ledger as it was at one moment, whatever is appended meanwhile.

    Attributes
    ----------
    dataset : lance.LanceDataset
        The version that was read.
    fragments : list of int
        Ids of the fragments that the facts lie in.
    facts : polars.DataFrame
        All facts in the order in which they were written: `COLUMNS` without the recipe, and `at_ms` (Int64).
    """

    dataset: Any
    fragments: list[int]
    facts: pl.DataFrame
    _newest: dict[str, pl.DataFrame] = field(default_factory=dict)

    def recipes(self, numbers: pl.Series) -> list[dict[str, Any]]:
        """Return what some facts' revisions were made from; facts are named by their number in `facts`, from 0."""
        if numbers.is_empty():
            return []
        found = self.dataset.take(numbers.to_list(), columns=["recipe"])
        return [json.loads(recipe) for recipe in found["recipe"].to_pylist()]

    def newest(self, stage: str) -> pl.DataFrame:
        """Return the newest fact about each artifact of a stage, and `attempts`: failures since the last new start.

        Without `stage`, `generation` and `error`; worked out once.
        """
        import polars as pl

        if stage not in self._newest:
            own = self.facts.lazy().filter(pl.col("stage") == stage).drop("stage", "generation", "error").collect()
            own = _without_collected(own)
            newest = own.unique(_ARTIFACT, keep="last", maintain_order=True)
            newest = newest.join(_attempts(own), on=_ARTIFACT, how="left", maintain_order="left")
            self._newest[stage] = newest.with_columns(pl.col("attempts").fill_null(0))
        return self._newest[stage]

    def made(self, title_id: str, stage: str, revision: str) -> tuple[str, dict[str, Any]] | None:
        """Return the attempt and the facts of an artifact, or None where it is not there."""
        import polars as pl

        own = (pl.col("title_id") == title_id) & (pl.col("revision") == revision) & (pl.col("state") == DONE)
        found = self.newest(stage).filter(own)
        return (found["attempt"][0], json.loads(found["facts"][0])) if len(found) else None

    def done(self, of: pl.DataFrame) -> pl.DataFrame:
        """Return which fact finished each (title_id, stage) of `of` last, in its `generation` if one ever did.

        Returns
        -------
        polars.DataFrame
            title_id, stage, `number` of the fact, and `own`: whether it is of that generation.
        """
        import polars as pl

        key = ["title_id", "stage"]
        done = self.facts.lazy().with_row_index("number").filter(pl.col("state") == DONE)
        wanted = of.lazy().select(*key, pl.col("generation").alias("wanted"))
        asked = done.select(*key, "generation", "number").join(wanted, on=key)
        same = pl.col("number").filter(pl.col("generation") == pl.col("wanted")).max()
        found = asked.group_by(key).agg(same.alias("same"), pl.col("number").max())
        number, own = pl.coalesce("same", "number").alias("number"), pl.col("same").is_not_null().alias("own")
        return found.select(*key, number, own).collect()


def _read(dataset: Any, seen: Look | None) -> Look:
    """Read what was appended; all of it where the ledger was rewritten meanwhile."""
    import polars as pl

    fragments = dataset.get_fragments()
    ids = [fragment.fragment_id for fragment in fragments]
    known = seen if seen is not None and ids[: len(seen.fragments)] == seen.fragments else None
    new = fragments[len(known.fragments) :] if known else fragments
    frames = [known.facts] if known else []
    # Batch by batch, so that a large ledger is not in memory twice.
    for batch in dataset.scanner(columns=_KEPT, fragments=new).to_batches() if new else ():
        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)
        frames.append(frame)
    return Look(dataset, ids, pl.concat(frames) if frames else _no_facts())


def _no_facts() -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(schema=dict.fromkeys(_KEPT, pl.String) | {"at_ms": pl.Int64})


def _without_collected(facts: pl.DataFrame) -> pl.DataFrame:
    """Let what was finished and then collected stand as collected, at the place where it was finished."""
    import polars as pl

    said = pl.col("state") == COLLECTED
    gone = facts.filter(said)["attempt"]
    if gone.is_empty():
        return facts
    lost = (pl.col("state") == DONE) & pl.col("attempt").is_in(gone.unique().implode())
    state = pl.when(lost).then(pl.lit(COLLECTED)).otherwise("state").alias("state")
    return facts.filter(~said).with_columns(state)


def _attempts(facts: pl.DataFrame) -> pl.DataFrame:
    """Return title_id, revision and `attempts` of the artifacts of a stage that ever failed."""
    import polars as pl

    failure = pl.col("state").is_in([FAILED, QUARANTINED])
    history = facts.with_row_index("number").join(facts.filter(failure), on=_ARTIFACT, how="semi").sort("number")
    since = pl.col("state").is_in([DONE, RETRY, COLLECTED]).cum_sum().over(_ARTIFACT)
    return (
        history.with_columns(since.alias("era"))
        .group_by(_ARTIFACT)
        .agg((failure & (pl.col("era") == pl.col("era").max())).sum().alias("attempts"))
    )


def _row(fact: Fact) -> dict[str, Any]:
    row = {name: getattr(fact, name) for name in COLUMNS}
    return row | {name: json.dumps(row[name], ensure_ascii=False, sort_keys=True) for name in ("recipe", "facts")}


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema([(name, pa.string()) for name in COLUMNS] + [("at_ms", pa.int64())])
