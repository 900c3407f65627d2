"""A library: the one object through which the command line, Dagster and programs use mediaflow."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
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
from mediaflow.publishing.served import ServedMemory
from mediaflow.settings import Settings
from mediaflow.snapshots.pins import Pins
from mediaflow.snapshots.reader import Releases, SnapshotExpired, SnapshotReader
from mediaflow.snapshots.release import Release
from mediaflow.snapshots.served import served
from mediaflow.storage.objects import FolderStore

if TYPE_CHECKING:
    import polars as pl

    from mediaflow.algorithms.registry import Registered
    from mediaflow.algorithms.source import ChangedSource
    from mediaflow.catalog.look import Looked
    from mediaflow.media.pool import DecodePool
    from mediaflow.models.progress import Progress
    from mediaflow.models.record import ModelRecord
    from mediaflow.models.registry import ModelRegistry
    from mediaflow.models.shelf import Shelf
    from mediaflow.planning.batches import Sizes
    from mediaflow.planning.why import Why
    from mediaflow.publishing.collector.tally import Collected
    from mediaflow.publishing.erase.erase import Erasure
    from mediaflow.publishing.gates.judge import Gates
    from mediaflow.publishing.publisher import Present, Publication, Publisher
    from mediaflow.publishing.refusals import Refusal
    from mediaflow.publishing.verify.verify import Verified
    from mediaflow.search.engine import SearchEngine
    from mediaflow.search.gateway import Gateway
    from mediaflow.search.query import Query
    from mediaflow.search.results import Hit, Results
    from mediaflow.snapshots.leases import Lease
    from mediaflow.snapshots.pins import Pin
    from mediaflow.stages.models import DeclaredModels
    from mediaflow.stages.work import Workshop

_FILMS_PER_WORKER = 4


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
        self._pins = Pins(self.store, round(settings.pin_ttl_s * 1000), "it is searched")
        self._gateway: Gateway | None = None
        self._number = 0
        self._pool: DecodePool | None = None
        self._served_memory = ServedMemory()
        self._lock = threading.Lock()

    def __enter__(self) -> Library:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the processes that this library has started, and let go of the snapshots that it has open."""
        self._pins.close()
        with self._lock:
            self._gateway = None
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
        """Return the model of each algorithm that has one, by the name that was chosen or that its setting says."""
        return self.declared().names()

    def declared(self) -> DeclaredModels:
        """Return the models that algorithms are to use: which they are, whether they are there, and why not."""
        from mediaflow.stages.models import DeclaredModels

        return DeclaredModels(self._model_settings(), self.models, self.ledger)

    def shelf(self) -> Shelf:
        """Return the models as people handle them: `add`, `use`, `retire`, lists of them."""
        from mediaflow.models.shelf import Shelf

        return Shelf(self.models, self._model_settings(), self._serving)

    def graph(self) -> StageGraph:
        """Return the stages with the models and parameters of now."""
        from mediaflow.stages.graph import build

        return build(self.algorithms, self.declared().known())

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
            title = None if what in names else report.find_title(self.titles(), what).title_id
            open_ = [row for row in open_ if row["title_id"] == title or row["stage"] == what]
            stopped = [one for one in stopped if one[0] == what]
        facts = [Fact(row["title_id"], row["stage"], row["revision"], row["generation"], RETRY) for row in open_]
        for name, generation, broken in stopped:
            # What cannot run at all was not stopped by the ledger: its file is read anew anyway, its model waited for.
            own_fact = [Fact("", name, generation, generation, RETRY)]
            facts += self.declared().again(name) if broken else own_fact
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

        return rollback(self.store, snapshot, reason, self._prepare_ms)

    def resume(self) -> Release:
        """Let publishes go on from what is served; `NotHeld` where they do already."""
        from mediaflow.publishing.rollback import resume

        return resume(self.store, self._prepare_ms)

    def pin(self, snapshot: str | None, why: str, ttl_ms: int) -> Pin:
        """Keep a snapshot, or the current one, for a time, whatever is published and collected meanwhile."""
        from mediaflow.snapshots.pins import keep, this_person

        return keep(self.store, snapshot, ttl_ms, this_person(), why)

    def unpin(self, wanted: str) -> list[Lease]:
        """Take away the pin of that id, or all that people have put on the snapshot of that id."""
        from mediaflow.snapshots.pins import release

        return release(self.store, wanted)

    def collect(self, dry_run: bool = False, retire: Collection[str] = ()) -> Collected:
        """Delete what no snapshot that is kept, no reader and no plan needs, or only say what that is.

        What is to `retire` goes whoever needs it, unless it is current.
        """
        from mediaflow.publishing.collector.collector import Collector
        from mediaflow.publishing.collector.wanted import Wanted, wanted

        def look() -> Wanted:
            graph = self.graph()
            found = self._plan(graph)
            return wanted([(graph, found.frame), *((kept.graph, kept.frame) for kept in found.kept)])

        return Collector(
            self.store, self.ledger, self.settings.keep_snapshots, look, self.cache, retire, self.models.retired
        ).collect(dry_run)

    def erasure(self, title: str) -> Erasure:
        """Return what erasing a title is about, by id or name; `UsageError` while its files are in the library."""
        from mediaflow.publishing.erase.find import find

        return find(self.store, self.catalog, self.root, title)

    def erase(self, title: str) -> Collected:
        """Take a title out of everything, for good; see `mediaflow.publishing.erase`."""
        from mediaflow.publishing.erase.erase import Eraser

        erasure = self.erasure(title)
        with self._lock:
            self._gateway = None
        eraser = Eraser(
            self.store,
            self.ledger,
            lambda: self.catalog,
            self.cache,
            self.publish,
            lambda snapshots: self.collect(retire=snapshots),
        )
        return eraser.erase(erasure)

    def verify(self, snapshot: str | None = None) -> Verified:
        """Read all that a snapshot names, or all that are kept; see `mediaflow.publishing.verify`."""
        from mediaflow.publishing.verify.verify import verify

        return verify(self.store, snapshot)

    # What can be asked

    def current(self) -> SnapshotReader:
        """Open a reader at the current release, pinned until it is closed; `NothingPublished` where there is none."""
        return self._pins.current()

    def search(self, query: Query) -> Results:
        """Answer a query from the snapshot that is current when it comes in.

        The snapshot stays pinned for the next query; a process that only answers has an `engine`.
        """
        while True:
            gateway = self._newest_gateway()
            try:
                return gateway.search(query)
            except SnapshotExpired:
                # This machine slept, or another thread went on to a newer one: nothing of it was handed out.
                gateway.close()

    def _newest_gateway(self) -> Gateway:
        """Return the gateway to the current snapshot, opened anew where that is another one or was let go."""
        from mediaflow.search.gateway import Gateway

        number = self.releases.tip()
        with self._lock:
            old = self._gateway
            if (
                old is not None
                and not old.reader.expired
                and (number == self._number or self.releases.entry(number).snapshot == old.reader.id)
            ):
                self._number = number
                return old
            reader = self._pins.current()
            self._gateway, self._number = Gateway(reader, self.models, _Pictures(self)), reader.release
            if old is not None:
                old.close()
            return self._gateway

    def at(self, snapshot: str) -> Gateway:
        """Open a snapshot by its id, to be searched with its own encoders.

        It stays pinned until the gateway or the library is closed: use it in a `with` statement.

        Raises
        ------
        UnknownSnapshot, Leaving
            There is no such snapshot, or it is marked to be deleted.
        """
        from mediaflow.search.gateway import Gateway

        return Gateway(self._pins.at(snapshot), self.models, _Pictures(self))

    def engine(self) -> SearchEngine:
        """Return what answers searches in a process that lives long; to be used in a `with` statement."""
        from mediaflow.search.engine import Gateways, SearchEngine

        ttl_ms, linger_ms = round(self.settings.engine_ttl_s * 1000), round(self.settings.pin_ttl_s * 1000)
        return SearchEngine(self.store, Gateways(self.models, _Pictures(self)), ttl_ms, linger_ms)

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
            ids = which(self.releases, before), which(self.releases, after) if after else self.releases.current().id
        golden = read(self.settings.golden) if self.settings.golden else []
        with self.at(ids[0]) as one, self.at(ids[1]) as other, one.reader.reading(), other.reader.reading():
            return diff(one.reader, other.reader) | {"answers": moved(one, other, golden)}

    def thumbnails(self, hits: Sequence[Hit]) -> list[Path | None]:
        """Write a small picture of each hit into the cache, from the snapshot that it came from; return the files."""
        from mediaflow.search.thumbnails import write_thumbnails

        found: list[Path | None] = [None] * len(hits)
        for snapshot in {hit.snapshot for hit in hits}:
            at = [number for number, hit in enumerate(hits) if hit.snapshot == snapshot]
            folder = self.cache / "thumbnails" / snapshot
            with self._pins.at(snapshot) as reader, reader.reading():
                files = write_thumbnails(reader, [hits[n] for n in at], folder)
            for number, file in zip(at, files, strict=True):
                found[number] = file
        return found

    def status(self) -> dict[str, Any]:
        """Return the state of the library; see `mediaflow.report.status`."""
        from mediaflow.planning.pace import seconds_left

        owners = {one.name: one.owner for one in self.algorithms}
        graph = self.graph()
        found = self._plan(graph)
        left = seconds_left(self.ledger.look(), graph, found, {"decode": self.decode_workers})
        with self._served() as reader:
            release = self.releases.told()
            return report.status(found, owners, reader, self.last_look(), release, self.refusal(found), left)

    def show(self, title: str) -> dict[str, Any]:
        """Return one title in full, by id or name; `UsageError` where there is none."""
        record = report.find_title(self.titles(), title)
        with self._served() as reader:
            return report.show(record, self.plan(), reader)

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
        retries = Retries(tuple(self.settings.retry_delays_s))
        return plan(graph, self.titles(), self.ledger, retries, served(self.releases, graph))

    @contextmanager
    def _served(self) -> Iterator[SnapshotReader | None]:
        if not self.releases.tip():
            yield None
            return
        with self._pins.current() as reader, reader.reading():
            yield reader

    def _model_settings(self) -> dict[str, str]:
        found = {one.name: one.algorithm.model for one in self.algorithms if one.algorithm is not None}
        return {name: getattr(self.settings, setting) for name, setting in found.items() if setting}

    def _serving(self) -> dict[str, list[tuple[str, str]]]:
        """Return by model identity which algorithms the current release serves with it, and their generations."""
        newest = self.releases.newest()
        parts = self.releases.manifest(newest.snapshot).algorithms if newest else {}
        found: dict[str, list[tuple[str, str]]] = {}
        for name, part in parts.items():
            if part.model:
                found.setdefault(part.model, []).append((name, part.generation))
        return found

    def _publisher(self, graph: StageGraph) -> Publisher:
        from mediaflow.publishing.publisher import Publisher
        from mediaflow.storage.upkeep import Upkeep

        models = {name: model for name, model in self.declared().known().items() if not isinstance(model, str)}
        names = self.model_names()
        encoders = {model.identity: names[algorithm] for algorithm, model in models.items()}
        shapes = {one.name: one.algorithm.shape.value if one.algorithm else "" for one in self.algorithms}
        upkeep = Upkeep(
            self.settings.compact_fragments,
            self.settings.compact_deleted_share,
            self.settings.index_lag_share,
            self.settings.vector_index_rows,
        )
        return Publisher(
            self.store,
            graph,
            encoders,
            shapes,
            upkeep=upkeep,
            memory=self._served_memory,
            prepare_ms=self._prepare_ms,
            gates=self._gates(),
        )

    @property
    def _prepare_ms(self) -> int:
        return round(self.settings.prepare_s * 1000)

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
