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
COLUMNS = ("title_id", "stage", "revision", "generation", "state", "attempt", "error", "reason", "recipe", "facts")


@dataclass(frozen=True)
class Fact:
    """One fact: an artifact exists, failed, is quarantined or is to be tried again; or a stage has stopped.

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
        self._seen: tuple[int, pl.DataFrame] | None = None

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

    def version(self) -> int:
        """Return a number that grows with each append; 0 while there is no ledger."""
        return int(self._open().version) if self._exists() else 0

    def facts(self) -> pl.DataFrame:
        """Return all facts in the order in which they were written: `COLUMNS` and `at_ms` (Int64)."""
        import polars as pl

        if not self._exists():
            return pl.DataFrame(schema=dict.fromkeys(COLUMNS, pl.String) | {"at_ms": pl.Int64})
        dataset = self._open()
        if self._seen is None or self._seen[0] != dataset.version:
            frame = pl.from_arrow(dataset.to_table())
            assert isinstance(frame, pl.DataFrame)
            self._seen = (int(dataset.version), frame)
        return self._seen[1]

    def newest(self) -> pl.DataFrame:
        """Return the newest fact about each artifact, with `attempts` (UInt32): failures since the last new start."""
        import polars as pl

        key = ["title_id", "stage", "revision"]
        facts = self.facts()
        state = pl.col("state")
        since = (state.is_in([DONE, RETRY])).cum_sum().over(key)
        failures = (
            facts.with_columns(since.alias("era"))
            .group_by(key, maintain_order=True)
            .agg((state.is_in([FAILED, QUARANTINED]) & (pl.col("era") == pl.col("era").max())).sum().alias("attempts"))
        )
        return facts.unique(key, keep="last", maintain_order=True).join(failures, on=key, how="left")

    def done(self) -> pl.DataFrame:
        """Return the newest finished artifact of each title and stage."""
        import polars as pl

        facts = self.facts().filter(pl.col("state") == DONE)
        return facts.unique(["title_id", "stage"], keep="last", maintain_order=True)

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


def _row(fact: Fact) -> dict[str, Any]:
    row = {name: getattr(fact, name) for name in COLUMNS}
    return row | {name: json.dumps(row[name], ensure_ascii=False, sort_keys=True) for name in ("recipe", "facts")}


def _schema() -> pa.Schema:
    import pyarrow as pa

    return pa.schema([(name, pa.string()) for name in COLUMNS] + [("at_ms", pa.int64())])
