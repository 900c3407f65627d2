"""What a library computes: it looks at its folder, runs stages over titles, and gives failures a new start."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from mediaflow import report
from mediaflow.errors import UsageError
from mediaflow.library.opened import Opened
from mediaflow.planning.ledger import FAILED, QUARANTINED, RETRY, Fact
from mediaflow.planning.plan import Retries
from mediaflow.planning.stage import StageGraph
from mediaflow.snapshots.served import served

if TYPE_CHECKING:
    import polars as pl

    from mediaflow.catalog.look import Looked
    from mediaflow.models.progress import Progress
    from mediaflow.models.record import ModelRecord
    from mediaflow.planning.batches import Sizes
    from mediaflow.stages.work import Workshop


_FILMS_PER_WORKER = 4


class Computing(Opened):
    """Looks at the folder and computes."""

    def scan(self, *, allow_loss: bool = False, now_ms: int | None = None) -> Looked:
        """Look at the library folder and write what changed into the catalogue; see `mediaflow.catalog.look`."""
        from mediaflow.catalog.look import look

        looked = look(self.root, self.catalog, self.cache, self.settings, allow_loss=allow_loss, now_ms=now_ms)
        self._catalog = looked.change.catalog
        return looked

    def ensure_model(self, algorithm: str, progress: Progress | None = None) -> ModelRecord:
        """Bring the model of an algorithm into the store and return it; `AlgorithmError` where that cannot be."""
        return self.declared().ensure(algorithm, progress)

    def model_attempts(self, algorithm: str) -> tuple[int, int]:
        """Return how often the model could not be had since it last was, and when that was last tried (ms)."""
        return self.declared().attempts(algorithm)

    def kept(self, name: str) -> StageGraph | None:
        """Return the served stages that a batch keeps up to date; None where they are not served any more."""
        from mediaflow.planning.kept import identity

        found = served(self.releases, self.graph()).graphs
        return next((graph for graph in found if identity(graph) == name), None)

    def claimed(self) -> set[str]:
        """Return the titles that runs say they are at."""
        from mediaflow.planning.claims import claimed

        return claimed(self.ledger, time.time_ns() // 1_000_000)

    def sizes(self) -> Sizes:
        """Return how large batches are: by the settings, and by what titles took so far."""
        from mediaflow.planning.batches import Sizes
        from mediaflow.planning.pace import costs

        most, workers = self.settings.batch_titles, self.decode_workers
        titles = {"light": most, "gpu": most, "decode": min(most, _FILMS_PER_WORKER * workers)}
        return Sizes(titles, self.settings.batch_s, costs(self.ledger.look(), self.graph()), {"decode": workers})

    def workshop(self, graph: StageGraph | None = None) -> Workshop:
        """Return what runs stages over titles: those that are wanted, or those of `graph`."""
        from mediaflow.stages.work import Workshop

        retries = Retries(tuple(self.settings.retry_delays_s))
        return Workshop(
            self.store,
            self.root,
            graph or self.graph(),
            self.ledger,
            self.algorithms,
            self.models,
            self.pool,
            self.decode_workers,
            retries,
        )

    def artifact(self, stage: str, title_id: str, revision: str, attempt: str, part: str) -> pl.DataFrame:
        """Return one part of an artifact."""
        from mediaflow.storage import artifacts

        return artifacts.read(self.store, stage, title_id, revision, attempt, part)

    def retry(self, what: str | None = None, *, everything: bool = False) -> int:
        """Give what failed, was quarantined or has stopped a new start; return how many artifacts that is.

        Parameters
        ----------
        what : str, optional
            A title's id or name, or the name of an algorithm.
        everything : bool
            All of them.
        """
        graph = self.graph()
        found = self._plan(graph)
        open_ = [row for row in found.frame.iter_rows(named=True) if row["state"] in (FAILED, QUARANTINED)]
        stopped = [(name, graph.generations[name], bool(graph[name].broken)) for name in found.stopped]
        for kept in found.kept:
            own = [row for row in kept.frame.iter_rows(named=True) if row["stage"] in kept.own]
            open_ += [row for row in own if row["state"] in (FAILED, QUARANTINED)]
            halted = [name for name in kept.own if name in kept.stopped and not kept.graph[name].broken]
            stopped += [(name, kept.graph.generations[name], False) for name in halted]
        if not everything:
            if what is None:
                raise UsageError("Say what to try again: a title, an algorithm, or --all.")
            names = {one.name for one in self.algorithms}
            title = None if what in names else report.find_title(self.titles(), what, names).title_id
            open_ = [row for row in open_ if row["title_id"] == title or row["stage"] == what]
            stopped = [one for one in stopped if one[0] == what]
        facts = [Fact(row["title_id"], row["stage"], row["revision"], row["generation"], RETRY) for row in open_]
        for name, generation, broken in stopped:
            # What cannot run at all was not stopped by the ledger: its file is read anew anyway, its model waited for.
            own_fact = [Fact("", name, generation, generation, RETRY)]
            facts += self.declared().again(name) if broken else own_fact
        self.ledger.append(facts)
        return len(facts)
