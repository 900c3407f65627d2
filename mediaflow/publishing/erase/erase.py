"""Erasing a title: in an order in which a run that was killed can be run again, the numbers staying taken.

1. The wish is written down (`erasures/<number>.json`), so that whoever comes later knows what is to go.
2. The title gets its tombstone, and a publish takes it out of what is served.
3. What is served is written into new files, as deleted rows are still in their fragments.
4. Every snapshot that may hold it is retired, with the pins on it, and the collector deletes them.
5. Artifacts, what was imported, the ledger's rows, evaluations that name it, the catalogue's entries and the cache go.

What other tools have noted of it they clear themselves, as they find the wish; the last of them takes it away.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mediaflow.catalog.records import TitleRecord
from mediaflow.catalog.titles import Catalog, bury
from mediaflow.errors import NotFound, UsageError
from mediaflow.imports.given import Imports
from mediaflow.planning.ledger import Ledger
from mediaflow.publishing.collector.tally import Collected
from mediaflow.publishing.erase.afresh import Busy, release_afresh
from mediaflow.publishing.erase.cache import forget
from mediaflow.publishing.erase.holding import Holding
from mediaflow.publishing.publisher import Publication
from mediaflow.quality import stored
from mediaflow.snapshots.leases import leases
from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.reader import Releases
from mediaflow.storage import layout, steps
from mediaflow.storage.objects import ObjectStore

# A write that was begun so long ago is of a process that was killed.
_STALE_MS = 60_000


@dataclass(frozen=True)
class Erasure:
    """A title that is to be erased: its number, its id, and the paths of its files in the library."""

    title_no: int
    title_id: str
    paths: tuple[str, ...]

    @classmethod
    def of(cls, record: TitleRecord) -> Erasure:
        """Return the erasure of a title of the catalogue."""
        files = (record.path, *(file.path for file in (*record.media, *record.subtitles)))
        return cls(record.title_no, record.title_id, tuple(dict.fromkeys(files)))

    @classmethod
    def from_json(cls, data: bytes) -> Erasure:
        """Read one from JSON bytes."""
        body = json.loads(data)
        return cls(body["title_no"], body["title_id"], tuple(body["paths"]))


def erasures(store: ObjectStore) -> list[Erasure]:
    """Return the titles that are to be erased and are not gone everywhere yet."""
    return [Erasure.from_json(store.get(info.key)) for info in store.list(layout.ERASURES)]


def finished(store: ObjectStore, erasure: Erasure) -> None:
    """Take the wish away: nobody has anything of the title any more."""
    store.delete(layout.erasure(erasure.title_no))


def holders(store: ObjectStore, erasure: Erasure) -> tuple[list[str], list[str]]:
    """Return the ids of the snapshots that may hold a title, and those of the pins on them."""
    holding = Holding(store, erasure.title_no)
    found = [manifest.id for manifest in _manifests(store) if holding.snapshot(manifest)]
    pins = [pin.id for pin in leases(store, layout.PINS) if pin.snapshots & set(found)]
    return found, pins


class Eraser:
    """Takes one title out of everything.

    Parameters
    ----------
    store, ledger, catalog : ObjectStore, Ledger, Catalog
        Where it stands.
    cache : Path
        This machine's cache.
    publish : callable
        Publishes what is whole.
    collect : callable
        Collects, with the ids of snapshots that go whoever needs them.
    """

    def __init__(
        self,
        store: ObjectStore,
        ledger: Ledger,
        catalog: Callable[[], Catalog],
        cache: Path,
        publish: Callable[[], Publication],
        collect: Callable[[frozenset[str]], Collected],
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._catalog = catalog
        self._cache = cache
        self._publish = publish
        self._collect = collect

    def erase(self, erasure: Erasure) -> Collected:
        """Erase a title; return what the collector has freed.

        Raises
        ------
        UsageError
            It is still served, and nothing can be published now.
        Busy
            Somebody publishes or collects.
        """
        self._store.put(layout.erasure(erasure.title_no), json.dumps(asdict(erasure)).encode())
        steps.reached("erase: after wish")
        bury(self._catalog(), erasure.title_no)
        self._withdraw(erasure)
        release_afresh(self._store, Holding(self._store, erasure.title_no))
        snapshots, pins = holders(self._store, erasure)
        for pin in pins:
            self._store.delete(layout.pin(pin))
        steps.reached("erase: before collecting")
        freed = self._collect(frozenset(snapshots))
        if freed.outcome not in ("collected", "nothing released"):
            raise Busy("A publish or a collector is at work: run 'mediaflow erase' again when it is done.")
        steps.reached("erase: before artifacts")
        for info in list(self._store.list(layout.ARTIFACTS)):
            if info.key.removeprefix(layout.ARTIFACTS).split("/")[1] == erasure.title_id:
                self._store.delete(info.key)
        Imports.of(self._store).forget(erasure.title_id)
        self._ledger.forget(erasure.title_id)
        stored.forget(self._store, erasure.title_id)
        steps.reached("erase: before catalogue")
        self._catalog().erase(erasure.title_no)
        forget(self._cache, erasure.title_id, erasure.paths)
        self._store.unfinished(_STALE_MS, delete=True)
        return freed

    def _withdraw(self, erasure: Erasure) -> None:
        """Publish without the title if it is served."""
        if not self._served(erasure):
            return
        publication = self._publish()
        if self._served(erasure):
            raise UsageError(
                f"{erasure.title_id} is still served, and the publish without it came to '{publication.outcome}': "
                "see 'mediaflow status', put that right, and run 'mediaflow erase' again.",
                title_id=erasure.title_id,
            )

    def _served(self, erasure: Erasure) -> bool:
        releases = Releases(self._store)
        if not releases.tip():
            return False
        filtered = releases.current().table("titles").count_rows(filter=f"title_no = {erasure.title_no}")
        return bool(filtered)


def _manifests(store: ObjectStore) -> list[Manifest]:
    found = []
    for info in store.list(layout.SNAPSHOTS):
        try:
            found.append(Manifest.from_json(store.get(info.key)))
        except NotFound:
            continue
    return found


def to_json(erasure: Erasure, snapshots: list[str], pins: list[str], freed: Collected | None) -> Mapping[str, Any]:
    """Return what an erasure is about and what it came to, as JSON values."""
    said = {"title_id": erasure.title_id, "title_no": erasure.title_no, "snapshots": snapshots, "pins": pins}
    return said | {"freed": freed.to_json() if freed else None}
