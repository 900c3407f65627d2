"""A library: the one object through which the command line, Dagster and programs use mediaflow."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mediaflow import report
from mediaflow import settings as settings_module
from mediaflow.catalog.records import TitleRecord
from mediaflow.catalog.titles import Catalog
from mediaflow.errors import SystemFault, UsageError
from mediaflow.planning.ledger import FAILED, QUARANTINED, RETRY, Fact, Ledger
from mediaflow.planning.plan import Plan, Retries, plan
from mediaflow.planning.stage import StageGraph
from mediaflow.settings import Settings
from mediaflow.snapshots.reader import Releases, SnapshotReader
from mediaflow.snapshots.release import Release
from mediaflow.storage.objects import FolderStore

if TYPE_CHECKING:
    import polars as pl

    from mediaflow.algorithms.registry import Registered
    from mediaflow.algorithms.source import ChangedSource
    from mediaflow.catalog.look import Looked
    from mediaflow.media.pool import DecodePool
    from mediaflow.models.registry import ModelRegistry
    from mediaflow.planning.why import Why
    from mediaflow.publishing.gates.judge import Gates
    from mediaflow.publishing.publisher import Present, Publication, Publisher
    from mediaflow.publishing.refusals import Refusal
    from mediaflow.search.gateway import Gateway
    from mediaflow.search.query import Query
    from mediaflow.search.results import Hit, Results
    from mediaflow.stages.models import DeclaredModels
    from mediaflow.stages.work import Workshop


class Library:
    """A library folder, its workspace, and all that can be done with them. Use it in a `with` statement.

    Parameters
    ----------
    settings : Settings
        Where everything is.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.home = settings.home.absolute()
        self.store = FolderStore(self.home / "store")
        self.ledger = Ledger(self.store)
        self.releases = Releases(self.store)
        self._catalog: Catalog | None = None
        self._gateway: Gateway | None = None
        self._pool: DecodePool | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes that this library has started."""
        with self._lock:
            if self._pool is not None:
                self._pool.close()
                self._pool = None

    # What there is

    @property
    def root(self) -> Path:
        """The library folder; `UsageError` where none is set."""
        if self.settings.library is None:
            raise UsageError(
                'No library is set: write library = "/path/to/films" into mediaflow.toml, '
                "or set MEDIAFLOW_LIBRARY; 'make demo' makes a small one."
            )
        return self.settings.library.absolute()

    @cached_property
    def cache(self) -> Path:
        """A folder for what can be made again at any time."""
        folder = self.home / "cache"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SystemFault(
                f"The cache {folder} could not be made ({error.strerror}): check the folder and its permissions.",
                path=str(folder),
            ) from error
        return folder

    @cached_property
    def algorithms(self) -> list[Registered]:
        """The algorithms that were found, broken ones included."""
        from mediaflow.algorithms.registry import find

        return find(tuple(self.settings.algorithm_folders), self.settings.algorithms)

    @cached_property
    def models(self) -> ModelRegistry:
        """The models, by name and identity."""
        from mediaflow.models.registry import ModelRegistry

        return ModelRegistry(self.store, self.cache / "models")

    @property
    def catalog(self) -> Catalog:
        """The catalogue as it is now."""
        self._catalog = Catalog.load(self.store) if self._catalog is None else self._catalog.refresh()
        return self._catalog

    def pool(self) -> DecodePool:
        """Return the decode workers, started at first use."""
        from mediaflow.media.pool import DecodePool

        with self._lock:
            if self._pool is None:
                self._pool = DecodePool(self.decode_workers)
            return self._pool

    @property
    def decode_workers(self) -> int:
        """How many films are decoded at once."""
        return self.settings.decode_workers or os.cpu_count() or 1

    def titles(self) -> list[TitleRecord]:
        """Return the titles of the library, by number."""
        return self.catalog.present()

    def model_names(self) -> dict[str, str]:
        """Return the declared model of each algorithm that has one."""
        found = {one.name: one.algorithm.model for one in self.algorithms if one.algorithm is not None}
        return {name: getattr(self.settings, setting) for name, setting in found.items() if setting}

    def graph(self) -> StageGraph:
        """Return the stages with the models and parameters of now."""
        from mediaflow.stages.graph import build

        return build(self.algorithms, self._declared().known())

    def plan(self) -> Plan:
        """Return what every artifact should be, what is stale, and why."""
        return self._plan(self.graph())

    # What can be done

    def scan(self, *, allow_loss: bool = False, now_ms: int | None = None) -> Looked:
        """Look at the library folder and write what changed into the catalogue; see `mediaflow.catalog.look`."""
        from mediaflow.catalog.look import look

        looked = look(self.root, self.catalog, self.cache, self.settings, allow_loss=allow_loss, now_ms=now_ms)
        self._catalog = looked.change.catalog
        return looked

    def last_look(self) -> dict[str, Any]:
        """Return what the last look at the library folder told people: guard, ignored, problems, settling."""
        from mediaflow.catalog.look import last_look

        return last_look(self.cache)

    def ensure_model(self, algorithm: str) -> str:
        """Bring the model of an algorithm into the store and return its identity; `AlgorithmError` where it cannot."""
        return self._declared().ensure(algorithm)

    def model_attempts(self, algorithm: str) -> tuple[int, int]:
        """Return how often the model could not be had since it last was, and when that was last tried (ms)."""
        return self._declared().attempts(algorithm)

    def workshop(self) -> Workshop:
        """Return what runs stages over titles."""
        from mediaflow.stages.work import Workshop

        retries = Retries(tuple(self.settings.retry_delays_s))
        return Workshop(
            self.store,
            self.root,
            self.graph(),
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
        rows = [row for row in found.frame.iter_rows(named=True) if row["state"] in (FAILED, QUARANTINED)]
        stopped = list(found.stopped)
        if not everything:
            if what is None:
                raise UsageError("Say what to try again: a title, an algorithm, or --all.")
            names = {one.name for one in self.algorithms}
            title = None if what in names else report.find_title(self.titles(), what).title_id
            rows = [row for row in rows if row["title_id"] == title or row["stage"] == what]
            stopped = [name for name in stopped if name == what]
        facts = [Fact(row["title_id"], row["stage"], row["revision"], row["generation"], RETRY) for row in rows]
        for name in stopped:
            generation = graph.generations[name]
            # What cannot run at all was not stopped by the ledger: its file is read anew anyway, its model waited for.
            own = [Fact("", name, generation, generation, RETRY)]
            facts += self._declared().again(name) if graph[name].broken else own
        self.ledger.append(facts)
        return len(facts)

    def publish_due(self, plan: Plan) -> bool:
        """Say whether a publish would change what is served, and is not what the gates have just refused."""
        return self._publisher(self.graph()).due(plan, self._present())

    def publish(self, override: Mapping[str, str] | None = None) -> Publication:
        """Publish what is whole, if that changes what is served and passes the gates.

        Parameters
        ----------
        override : Mapping[str, str], optional
            By gate: why it may fail this once; `UsageError` for a gate that does not exist.
        """
        from mediaflow.publishing.gates.judge import check_override

        check_override(override or {})
        graph = self.graph()
        return self._publisher(graph).publish(lambda: (self._plan(graph), self._present()), override)

    def refusal(self, plan: Plan) -> Refusal | None:
        """Return what the gates refused last, None where what is served is what is whole."""
        return self._publisher(self.graph()).refusal(plan, self._present())

    def rollback(self, snapshot: str | None, reason: str) -> Release:
        """Serve an earlier snapshot and hold it; see `mediaflow.publishing.rollback`."""
        from mediaflow.publishing.rollback import rollback

        return rollback(self.store, snapshot, reason)

    def resume(self) -> Release:
        """Let publishes go on from what is served; `NotHeld` where they do already."""
        from mediaflow.publishing.rollback import resume

        return resume(self.store)

    # What can be asked

    def current(self) -> SnapshotReader:
        """Open a reader at the current release; `NothingPublished` where there is none."""
        return self.releases.current()

    def search(self, query: Query) -> Results:
        """Answer a query from the snapshot that is current when it comes in."""
        from mediaflow.search.gateway import Gateway

        number = self.releases.tip()
        with self._lock:
            if self._gateway is None or self._gateway.reader.release != number:
                self._gateway = Gateway(self.releases.current(), self.models, _Pictures(self))
            gateway = self._gateway
        return gateway.search(query)

    def at(self, snapshot: str) -> Gateway:
        """Open a snapshot by its id, to be searched with its own encoders; `UnknownSnapshot` where there is none."""
        from mediaflow.search.gateway import Gateway

        return Gateway(self.releases.at(snapshot), self.models, _Pictures(self))

    def diff(self, before: str | None = None, after: str | None = None) -> dict[str, Any]:
        """Compare two snapshots; see `mediaflow.snapshots.diff`, and for `answers` `mediaflow.publishing.answers`.

        Parameters
        ----------
        before, after : str, optional
            Ids of snapshots or numbers of releases; without `after` the current one, without both that and the one
            that was served before it.
        """
        from mediaflow.publishing.answers import moved
        from mediaflow.publishing.gates.questions import read
        from mediaflow.snapshots.diff import diff
        from mediaflow.snapshots.history import previous, which

        if before is None:
            ids = previous(self.releases)
        else:
            ids = which(self.releases, before), which(self.releases, after) if after else self.current().id
        one, other = map(self.at, ids)
        golden = read(self.settings.golden) if self.settings.golden else []
        return diff(one.reader, other.reader) | {"answers": moved(one, other, golden)}

    def thumbnails(self, hits: Sequence[Hit]) -> list[Path | None]:
        """Write a small picture of each hit into the cache, from the snapshot that it came from; return the files."""
        from mediaflow.search.thumbnails import write_thumbnails

        found: list[Path | None] = [None] * len(hits)
        for snapshot in {hit.snapshot for hit in hits}:
            held = self._gateway.reader if self._gateway is not None else None
            reader = held if held is not None and held.id == snapshot else self.releases.at(snapshot)
            at = [number for number, hit in enumerate(hits) if hit.snapshot == snapshot]
            folder = self.cache / "thumbnails" / snapshot
            for number, file in zip(at, write_thumbnails(reader, [hits[n] for n in at], folder), strict=True):
                found[number] = file
        return found

    def status(self) -> dict[str, Any]:
        """Return the state of the library; see `mediaflow.report.status`."""
        owners = {one.name: one.owner for one in self.algorithms}
        reader = self._served()
        release = self.releases.entry(reader.release) if reader else None
        plan = self.plan()
        return report.status(plan, owners, reader, self.last_look(), release, self.refusal(plan))

    def show(self, title: str) -> dict[str, Any]:
        """Return one title in full, by id or name; `UsageError` where there is none."""
        record = report.find_title(self.titles(), title)
        return report.show(record, self.plan(), self._served())

    def why(self, title: str, artifact: str | None = None) -> Why:
        """Return why a title's artifact, or all of its that are not fresh, are what they are; by id or name."""
        from mediaflow.planning.why import why

        record = report.find_title(self.titles(), title)
        return why(self.graph(), record, self.ledger, artifact, Retries(tuple(self.settings.retry_delays_s)))

    def changed_sources(self) -> list[ChangedSource]:
        """Return the algorithms whose source changed and whose declared version did not."""
        from mediaflow.algorithms.source import changed

        return changed(self.store, self.algorithms)

    def _plan(self, graph: StageGraph) -> Plan:
        return plan(graph, self.titles(), self.ledger, Retries(tuple(self.settings.retry_delays_s)))

    def _served(self) -> SnapshotReader | None:
        return self.releases.current() if self.releases.tip() else None

    def _declared(self) -> DeclaredModels:
        from mediaflow.stages.models import DeclaredModels

        return DeclaredModels(self.model_names(), self.models, self.ledger)

    def _publisher(self, graph: StageGraph) -> Publisher:
        from mediaflow.publishing.publisher import Publisher

        models = {name: model for name, model in self._declared().known().items() if not isinstance(model, str)}
        names = self.model_names()
        encoders = {model.identity: names[algorithm] for algorithm, model in models.items()}
        shapes = {one.name: one.algorithm.shape.value if one.algorithm else "" for one in self.algorithms}
        return Publisher(self.store, graph, encoders, shapes, self._gates())

    def _gates(self) -> Gates:
        from mediaflow.publishing.gates.gate import Limits
        from mediaflow.publishing.gates.judge import Gates
        from mediaflow.publishing.gates.texts import RememberedTexts

        said = {name: getattr(self.settings, f"gate_{name}") for name in vars(Limits()) if name != "golden"}
        encoders = RememberedTexts(self.models, self.cache / "texts")
        return Gates(self.store, Limits(**said, golden=self.settings.golden), encoders, _Pictures(self))

    def _present(self) -> list[Present]:
        from mediaflow.publishing.publisher import Present

        return [Present(one.title_id, one.title_no, one.roots) for one in self.titles()]


class _Pictures:
    """Decodes pictures of users in the sandbox; no worker is started before the first picture comes."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def picture(self, data: bytes) -> Any:
        return self._library.pool().picture(data)


def open_library(**overrides: Any) -> Library:
    """Open the library that the settings name.

    Parameters
    ----------
    **overrides
        Settings that win over `mediaflow.toml` and the environment.

    Raises
    ------
    UsageError
        A setting is wrong.
    """
    return Library(settings_module.load(**overrides))
