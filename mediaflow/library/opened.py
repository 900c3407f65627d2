"""What a library is: its folder, its store, its ledger, catalogue, algorithms and models, opened when needed."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediaflow.catalog.records import TitleRecord
from mediaflow.catalog.titles import Catalog
from mediaflow.errors import SystemFault, UsageError
from mediaflow.imports.given import Imports
from mediaflow.planning.ledger import Ledger
from mediaflow.planning.plan import Plan, Retries, plan
from mediaflow.planning.stage import StageGraph
from mediaflow.publishing.served import ServedMemory
from mediaflow.search.stopping import check
from mediaflow.settings import Settings
from mediaflow.snapshots.pins import Pins
from mediaflow.snapshots.reader import Releases, SnapshotReader
from mediaflow.snapshots.served import served
from mediaflow.storage.objects import FolderStore

if TYPE_CHECKING:
    from mediaflow.algorithms.registry import Registered
    from mediaflow.media.pool import Decoded, DecodePool
    from mediaflow.models.registry import ModelRegistry
    from mediaflow.models.shelf import Shelf
    from mediaflow.search.gateway import Gateway
    from mediaflow.stages.models import DeclaredModels


class Opened:
    """A library folder and its workspace: where everything is, and what there is in it.

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
        self._imports = Imports.of(self.store)
        self._pins = Pins(self.store, round(settings.pin_ttl_s * 1000), "it is searched")
        self._gateway: Gateway | None = None
        self._number = 0
        self._pool: DecodePool | None = None
        self._served_memory = ServedMemory()
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the processes that this library has started, and let go of the snapshots that it has open."""
        self._pins.close()
        with self._lock:
            self._gateway = None
            if self._pool is not None:
                self._pool.close()
                self._pool = None

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

        wanted = self.settings
        return find(tuple(wanted.algorithm_folders), wanted.algorithms, wanted.built_in)

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

    @property
    def imports(self) -> Imports:
        """What was imported, as it is now."""
        self._imports = self._imports.refresh()
        return self._imports

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

        return build(self.algorithms, self.declared().known(), self.imports.given())

    def plan(self) -> Plan:
        """Return what every artifact should be, what is stale, and why."""
        return self._plan(self.graph())

    def last_look(self) -> dict[str, Any]:
        """Return what the last look at the library folder told people: guard, ignored, problems, settling."""
        from mediaflow.catalog.look import last_look

        return last_look(self.cache)

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


class Pictures:
    """Decodes pictures and clips of users in the sandbox; no worker is started before the first one comes."""

    def __init__(self, library: Opened) -> None:
        self._library = library

    def picture(self, data: bytes) -> Any:
        return self._library.pool().picture(data)

    def clip(self, data: bytes, name: str) -> Decoded:
        # Where nobody waits for the answer any more, its decoding ends too.
        return self._library.pool().clip(data, name, lambda frames: check())
