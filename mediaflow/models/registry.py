"""The models that were declared: which one a name means now, and their encoders, loaded from the store."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

from mediaflow.errors import AlgorithmError, NotFound
from mediaflow.models.encoder import Encoder
from mediaflow.models.record import ModelFile, ModelRecord
from mediaflow.models.sources import FileFact, source_of
from mediaflow.storage.layout import MODELS
from mediaflow.storage.log import NumberedLog
from mediaflow.storage.objects import ObjectStore


class ModelRegistry:
    """Models by name and by identity. May be used from several threads at once.

    A name is looked up in the log of models together with the path, size and time of its local files, so that nothing
    is read twice, and weights replaced under the same name are not mistaken for the old ones.

    Parameters
    ----------
    store : ObjectStore
        Keeps the log (`models/log/`) and the files (`models/weights/<identity>/`).
    cache : Path
        Local folder for downloads from the hub and, where the store is elsewhere, from the store.
    """

    def __init__(self, store: ObjectStore, cache: Path) -> None:
        self._store = store
        self._cache = cache
        self._log = NumberedLog(store, MODELS)
        self._read_up_to = 0
        self._by_name: dict[tuple[str, tuple[FileFact, ...]], ModelRecord] = {}
        self._by_identity: dict[str, ModelRecord] = {}
        self._encoders: dict[str, Encoder] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._guard = threading.Lock()

    def find(self, name: str) -> ModelRecord | None:
        """Return what `name` means now, or None where `ensure` must find out first. Cheap: one listing, a few stats.

        Parameters
        ----------
        name : str
            As in the setting: `demo`, a folder, `ARCHITECTURE@FILE` or `ARCHITECTURE/TAG`.
        """
        try:
            facts = source_of(name, self._cache).facts()
        except AlgorithmError:
            return None
        if facts is None:
            return None
        self._catch_up()
        return self._by_name.get((name, facts))

    def ensure(self, name: str) -> ModelRecord:
        """Return what `name` means now, with its files in the store and its record in the log.

        Parameters
        ----------
        name : str
            As in the setting.

        Returns
        -------
        ModelRecord
            Its model; loaded once to be sure that it works, unless that was done before.

        Raises
        ------
        AlgorithmError
            The model cannot be had or does not work; one sentence says why and what to do.
        SystemFault
            The store cannot be written.
        """
        with self._lock(f"name {name}"):
            known = self.find(name)
            if known and all(self._store.exists(file.key) for file in known.files):
                return known
            source = source_of(name, self._cache)
            facts = source.facts()
            material = source.material()
            from mediaflow.models.intake import take_in

            record = take_in(name, material, self._store, self._cache)
            if facts is None or source.facts() != facts:
                raise AlgorithmError(
                    f"The files of the model {name!r} changed while they were read; refresh once they hold still.",
                    model=name,
                )
            self._remember(name, facts, record)
            return record

    def encoder(self, identity: str) -> Encoder:
        """Return the encoder of a model, loaded from the store at its first use in this process.

        Parameters
        ----------
        identity : str
            As in a record, or in the manifest of a snapshot.

        Raises
        ------
        AlgorithmError
            The store does not have this model whole.
        """
        with self._lock(identity):
            encoder = self._encoders.get(identity)
            if encoder is None:
                encoder = self._encoders[identity] = self._load(identity)
            return encoder

    def _remember(self, name: str, facts: tuple[FileFact, ...], record: ModelRecord) -> None:
        body = {"name": name, "source": facts, "record": record.to_body()}
        self._catch_up()
        while self._by_name.get((name, facts)) != record:
            self._log.append(self._read_up_to + 1, body)
            self._catch_up()

    def _catch_up(self) -> None:
        """Read the entries of the log that came since the last time."""
        with self._guard:
            for number in self._log.numbers(self._read_up_to):
                body = self._log.read(number)
                record = ModelRecord.from_body(body["record"])
                facts = tuple((path, size, mtime_ns) for path, size, mtime_ns in body["source"])
                self._by_name[body["name"], facts] = record
                self._by_identity[record.identity] = record
                self._read_up_to = number

    def _load(self, identity: str) -> Encoder:
        self._catch_up()
        record = self._by_identity.get(identity)
        if record is None:
            raise AlgorithmError(
                f"The store has no model of the identity {identity}; refresh the library so that it is copied there.",
                identity=identity,
            )
        from mediaflow.models.openclip import OpenClipEncoder, load_folder

        files = [self._local(record, file) for file in record.files]
        return OpenClipEncoder(load_folder(files[0].parent, record.name), identity, record.dim)

    def _local(self, record: ModelRecord, file: ModelFile) -> Path:
        """Return a whole local copy of a file of the store."""
        path = self._store.path(file.key)
        if path is None:
            path = self._cache / file.key
            if not _is_whole(path, file):
                self._download(file, path)
        if not _is_whole(path, file):
            raise AlgorithmError(
                f"The file {file.key} of the model {record.name!r} is missing or damaged in the store; delete it there "
                "and refresh, so that it is copied again from where the model came from.",
                model=record.name,
                key=file.key,
            )
        return path

    def _download(self, file: ModelFile, path: Path) -> None:
        try:
            data = self._store.get(file.key)
        except NotFound:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as part:
            part.write(data)
        Path(part.name).rename(path)

    def _lock(self, what: str) -> threading.Lock:
        with self._guard:
            return self._locks.setdefault(what, threading.Lock())


def _is_whole(path: Path, file: ModelFile) -> bool:
    from mediaflow.models.intake import sha256_of

    return path.is_file() and path.stat().st_size == file.size and sha256_of(path) == file.sha256
