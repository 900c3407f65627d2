"""The models that the store has: which one a name means now, and their encoders, loaded from the store."""

from __future__ import annotations

import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from mediaflow.errors import AlgorithmError, NotFound
from mediaflow.models.choices import Choices
from mediaflow.models.encoder import Encoder
from mediaflow.models.progress import Progress, silent
from mediaflow.models.record import ModelFile, ModelRecord
from mediaflow.models.sources import FileFact, source_of
from mediaflow.storage.layout import MODELS
from mediaflow.storage.log import NumberedLog
from mediaflow.storage.objects import ObjectStore


@dataclass(frozen=True)
class Taken:
    """A model that was taken in: where from, what it turned out to be, and when (None: an older store did not say)."""

    source: str
    record: ModelRecord
    at_ms: int | None


@dataclass(frozen=True)
class Wanted:
    """The model that an algorithm is to use.

    Attributes
    ----------
    algorithm : str
        The algorithm.
    name : str
        A name, a source or an identity.
    chosen : bool
        Whether it was chosen (`mediaflow models use`); otherwise the setting says it.
    at_ms : int
        When it was chosen (wall clock); 0 where the setting says it.
    """

    algorithm: str
    name: str
    chosen: bool
    at_ms: int = 0


class ModelRegistry:
    """Models by name and by identity. May be used from several threads at once.

    A name is looked up in the log of models together with the path, size and time of its local files, so that nothing
    is read twice, and weights replaced under the same name are not mistaken for the old ones. What people decided about
    models (`mediaflow.models.shelf`) is a log of its own.

    Parameters
    ----------
    store : ObjectStore
        Keeps the logs (`models/log/`, `models/choices/`) and the files (`models/weights/<identity>/`).
    cache : Path
        Local folder for downloads from the hub and, where the store is elsewhere, from the store.

    Attributes
    ----------
    choices : Choices
        Names given, models chosen and retired.
    """

    def __init__(self, store: ObjectStore, cache: Path) -> None:
        self._store = store
        self._cache = cache
        self._log = NumberedLog(store, MODELS)
        self.choices = Choices(store)
        self._taken: list[Taken] = []
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
            A name that was given (`mediaflow models add`), or as in the setting: `demo`, a folder, `ARCHITECTURE@FILE`
            or `ARCHITECTURE/TAG`.
        """
        source = self.source(name)
        facts = self._facts(source)
        if facts is None:
            return None
        self._catch_up()
        return self._by_name.get((source, facts))

    def ensure(self, name: str, progress: Progress = silent) -> ModelRecord:
        """Return what `name` means now, with its files in the store and its record in the log.

        Parameters
        ----------
        name : str
            A name that was given, or as in the setting.
        progress : Progress
            Told how far it is.

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
        name = self.source(name)
        with self._lock(f"name {name}"):
            known = self.find(name)
            if known and self.whole(known):
                return known
            source = source_of(name, self._cache)
            facts = source.facts()
            material = source.material(progress)
            from mediaflow.models.intake import take_in

            record = take_in(name, material, self._store, self._cache, progress)
            if facts is None or source.facts() != facts:
                raise AlgorithmError(
                    f"The files of the model {name!r} changed while they were read; refresh once they hold still.",
                    model=name,
                )
            self._remember(name, facts, record)
            return record

    def wanted(self, algorithm: str, setting: str) -> Wanted:
        """Return the model that an algorithm is to use: what was chosen for it, else what its setting says."""
        choice = self.choices.now().chosen.get(algorithm)
        return Wanted(algorithm, choice.model, True, choice.at_ms) if choice else Wanted(algorithm, setting, False)

    def meant(self, wanted: Wanted) -> ModelRecord | str | None:
        """Return the model that is wanted, a sentence why it cannot be used, or None where `bring` must find out."""
        found = self.find(wanted.name)
        if found is None and wanted.chosen:
            found = self._kept(wanted.name)
        if found is not None and found.identity in self.retired():
            return (
                f"The model {wanted.name!r} ({found.identity[:8]}) is retired: choose another one with "
                "'mediaflow models use', or take it back with 'mediaflow models add'."
            )
        return found

    def called(self, wanted: Wanted) -> str:
        """Return what people call the model that is wanted: one that was chosen by its identity has a name, too."""
        record = self.record(wanted.name)
        if record is None:
            return wanted.name
        names = (named.name for named in self.choices.now().names.values() if named.source == record.name)
        return next(names, record.name)

    def bring(self, wanted: Wanted, progress: Progress = silent) -> ModelRecord:
        """Return the model that is wanted, with its files in the store; as `ensure`, and for what is retired.

        A model that was chosen does without the files that it was taken from: the store has it.
        """
        known = self.meant(wanted)
        if isinstance(known, str):
            raise AlgorithmError(known, model=wanted.name)
        if wanted.chosen and self._kept(wanted.name) is not None:
            assert known is not None
            if not self.whole(known):
                raise AlgorithmError(
                    f"The weights of the model {wanted.name!r} ({known.identity[:8]}) are not in the store any more: "
                    "take it in again with 'mediaflow models add', or choose another one with 'mediaflow models use'.",
                    model=wanted.name,
                    identity=known.identity,
                )
            return known
        return self.ensure(wanted.name, progress)

    def taken(self) -> list[Taken]:
        """Return all that was ever taken in, oldest first; a model whose files were touched comes more than once."""
        self._catch_up()
        with self._guard:
            return list(self._taken)

    def record(self, identity: str) -> ModelRecord | None:
        """Return the model of an identity; None where no such model was ever taken in."""
        self._catch_up()
        return self._by_identity.get(identity)

    def retired(self) -> frozenset[str]:
        """Return the identities that are no longer to be used.

        Their files (`mediaflow.models.record.weights_prefix`) may go once no snapshot names them. Ask again right
        before they do: `add` takes a model back.
        """
        return self.choices.now().retired

    def whole(self, record: ModelRecord) -> bool:
        """Say whether the store has all files of a model."""
        return all(self._store.exists(file.key) for file in record.files)

    def source(self, name: str) -> str:
        """Return where the model of a name comes from; what is no name that was given is a source itself."""
        named = self.choices.now().names.get(name)
        return named.source if named else name

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

    def _facts(self, source: str) -> tuple[FileFact, ...] | None:
        try:
            return source_of(source, self._cache).facts()
        except AlgorithmError:
            return None

    def _kept(self, name: str) -> ModelRecord | None:
        """Return the model that the store keeps by itself: of an identity, or of a name whose files are gone."""
        self._catch_up()
        if name in self._by_identity:
            return self._by_identity[name]
        source = self.source(name)
        if self._facts(source) is not None:
            return None
        return next((one.record for one in reversed(self._taken) if one.source == source), None)

    def _remember(self, name: str, facts: tuple[FileFact, ...], record: ModelRecord) -> None:
        now = time.time_ns() // 1_000_000
        body = {"name": name, "source": facts, "record": record.to_body(), "at_ms": now}
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
                self._taken.append(Taken(body["name"], record, body.get("at_ms")))
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
