"""A library folder of titles of one film, and the workshop that runs stages over them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from mediaflow.algorithms.contract import Algorithm
from mediaflow.algorithms.registry import Registered
from mediaflow.catalog.records import TitleRecord
from mediaflow.library import Library
from mediaflow.media.pool import DecodePool
from mediaflow.planning.ledger import CLAIMS
from mediaflow.planning.plan import Plan, Retries, plan
from mediaflow.planning.stage import StageGraph
from mediaflow.settings import Settings
from mediaflow.stages.graph import build
from mediaflow.stages.work import Outcome, Workshop
from mediaflow.storage import artifacts

SOURCES = ("media", "subtitles", "catalogue")
ALL = ("alps", "bees", "cats", "dogs", "eels")
FAR_FUTURE_MS = 4_000_000_000_000
CUE = "1\n00:00:00,100 --> 00:00:00,900\n{}\n\n2\n00:00:01,000 --> 00:00:01,500\nand more\n"


class Room:
    """Titles on disk, their catalogue, and a workshop with algorithms of the test's own."""

    def __init__(self, folder: Path, film: Path, pool: DecodePool) -> None:
        self.folder = folder / "library"
        self.film = film
        self.library = Library(Settings(home=folder / "home", library=self.folder, settle_s=0))
        self.store = self.library.store
        self.pool = pool
        self.algorithms: list[Registered] = []
        self.retries = Retries()

    def title(self, name: str, media: bytes | None = None, cues: str | None = None) -> Path:
        """Put a title into the folder, or change it; return its film."""
        self.folder.mkdir(exist_ok=True)
        path = self.folder / f"{name}.mp4"
        if media is None:
            shutil.copyfile(self.film, path)
        else:
            path.write_bytes(media)
        text = CUE.format(f"hello {name}") if cues is None else cues
        path.with_suffix(".en.srt").write_text(text)
        return path

    def scan(self) -> None:
        self.library.scan(now_ms=FAR_FUTURE_MS)

    def records(self, *names: str) -> list[TitleRecord]:
        """Return some titles, or all."""
        return [record for record in self.library.titles() if not names or record.title_id in names]

    def use(self, *algorithms: Algorithm) -> None:
        """Use algorithms."""
        self.algorithms = [Registered(one.name, one.owner, "here", one, one.Parameters()) for one in algorithms]

    @property
    def graph(self) -> StageGraph:
        return build(self.algorithms, {})

    def workshop(self) -> Workshop:
        return Workshop(
            self.store,
            self.folder,
            self.graph,
            self.library.ledger,
            self.algorithms,
            self.library.models,
            lambda: self.pool,
            retries=self.retries,
        )

    def run(self, *stages: str, titles: Sequence[str] = (), **how: bool) -> dict[str, Outcome]:
        """Run stages over titles; return the outcomes of the last one by title."""
        outcomes = list(self.workshop().run(self.records(*titles), stages, **how))
        return {outcome.title_id: outcome for outcome in outcomes if outcome.stage == stages[-1]}

    def states(self, *stages: str, titles: Sequence[str] = (), **how: bool) -> dict[str, str]:
        return {title: outcome.state for title, outcome in self.run(*stages, titles=titles, **how).items()}

    def plan(self) -> Plan:
        return plan(self.graph, self.library.titles(), self.library.ledger, self.retries)

    def attempts(self, stage: str) -> dict[str, int]:
        """Return the failures so far of each title on a stage."""
        rows = self.plan().frame.filter(pl.col("stage") == stage)
        return dict(rows.select("title_id", "attempts").iter_rows())

    def part(self, outcome: Outcome, part: str = "rows") -> pl.DataFrame:
        """Return what a stage left."""
        return artifacts.read(self.store, outcome.stage, outcome.title_id, outcome.revision, outcome.attempt, part)

    def facts(self) -> list[dict[str, Any]]:
        """Return what the ledger says of artifacts."""
        return self.library.ledger.facts().filter(pl.col("stage") != CLAIMS).to_dicts()
