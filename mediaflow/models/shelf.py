"""The models as people handle them: taken in under a name, chosen for an algorithm, retired, listed."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Any

from mediaflow.errors import AlgorithmError, UsageError
from mediaflow.models.choices import ADD, DEFAULT, RETIRE, USE, Decided
from mediaflow.models.items import Item, Serving, Uses, items, line, missing_line, select
from mediaflow.models.progress import Progress, silent
from mediaflow.models.record import ModelRecord
from mediaflow.models.registry import ModelRegistry, Wanted
from mediaflow.models.sources import absolute

_SHORT = 8
_NAME = re.compile(r"(?![0-9a-f]{32}$)[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Shelf:
    """All models of a store, and what people do with them.

    Parameters
    ----------
    registry : ModelRegistry
        The models.
    settings : Mapping[str, str]
        By algorithm that has a model: what its setting names.
    serving : callable
        Gives what the current release serves, by identity.
    """

    def __init__(self, registry: ModelRegistry, settings: Mapping[str, str], serving: Callable[[], Serving]) -> None:
        self._registry = registry
        self._settings = settings
        self._serving = serving

    def add(self, name: str, source: str, algorithm: str | None = None, progress: Progress = silent) -> ModelRecord:
        """Take a model in under a name: loaded once to see that it works, its weights copied into the store.

        Parameters
        ----------
        name : str
            Letters, digits, `.`, `_` and `-`.
        source : str
            As the setting takes it: `demo`, a folder, `ARCHITECTURE@FILE` or `ARCHITECTURE/TAG`.
        algorithm : str, optional
            The algorithm that it is for; `use` then needs not be told.
        progress : Progress
            Told how far it is.

        Returns
        -------
        ModelRecord
            What it turned out to be. A name given before to the same source means what its files are now, and what
            was retired is taken back.

        Raises
        ------
        UsageError
            The name is none or stands for another source, or there is no such algorithm.
        AlgorithmError
            The model cannot be had or does not work.
        """
        if not _NAME.fullmatch(name) or (name == "demo" and source != "demo"):
            raise UsageError(
                f"{name!r} cannot be a model's name: letters, digits, '.', '_' and '-', at most 64 of them, "
                "and neither an identity nor the name of the model that comes with mediaflow.",
                name=name,
            )
        if algorithm is not None:
            self._algorithm(algorithm)
        source = absolute(source)
        self._check_free(self._registry.choices.now(), name, source)
        record = self._registry.ensure(source, progress)

        def decision(decided: Decided) -> dict[str, Any] | None:
            self._check_free(decided, name, source)
            known = decided.names.get(name)
            meant = algorithm or (known.algorithm if known else None)
            if known and not known.retired and known.algorithm == meant and record.identity not in decided.retired:
                return None
            return _entry(ADD, name=name, source=source, algorithm=meant, identity=record.identity)

        self._registry.choices.decide(decision)
        # What was retired may have been collected before it was taken back.
        return self._registry.ensure(source, progress)

    def use(self, wanted: str, algorithm: str | None = None, progress: Progress = silent) -> tuple[Wanted, ModelRecord]:
        """Make a model that of an algorithm from now on, in place of the setting's or of what was chosen before.

        Parameters
        ----------
        wanted : str
            A name, which means what its files are now; or an identity or its unique beginning, which stays what it is.
        algorithm : str, optional
            The algorithm; without it the one that the model was added for, or the only one that has a model.
        progress : Progress
            Told how far it is, where the files are new.

        Returns
        -------
        tuple
            What the algorithm uses, and the model that this is.

        Raises
        ------
        UsageError
            There is no such model or algorithm, or the model is retired.
        AlgorithmError
            Its files were replaced by some that cannot be used.
        """
        item = select(self.items(), wanted)
        algorithm = self._algorithm(algorithm or item.algorithm)
        if item.algorithm not in (None, algorithm):
            raise UsageError(
                f"The model {item.label!r} was added for {item.algorithm}, not for {algorithm}: add it for that one "
                f"under another name (mediaflow models add NAME {item.source} --algorithm {algorithm}).",
                model=item.label,
            )
        model = item.label if wanted in (item.label, item.source) else item.record.identity
        try:
            record = self._registry.bring(Wanted(algorithm, model, True), progress)
        except AlgorithmError as error:
            raise UsageError(error.message, model=model) from error

        def decision(decided: Decided) -> dict[str, Any] | None:
            named = decided.names.get(model)
            if record.identity in decided.retired or (named and named.retired):
                raise _retired(item.label, item.source, record.identity)
            before = decided.chosen.get(algorithm)
            if before and (before.model, before.identity) == (model, record.identity):
                return None
            return _entry(USE, algorithm=algorithm, model=model, identity=record.identity)

        self._registry.choices.decide(decision)
        return self._registry.wanted(algorithm, self._settings[algorithm]), record

    def use_setting(self, algorithm: str | None = None) -> tuple[Wanted, ModelRecord | None]:
        """Give up what was chosen for an algorithm: its setting says the model again.

        Returns
        -------
        tuple
            What the algorithm uses, and the model that this is; None where the next refresh brings it.

        Raises
        ------
        UsageError
            There is no such algorithm, or the setting names a model that is retired.
        """
        algorithm = self._algorithm(algorithm)
        wanted = Wanted(algorithm, self._settings[algorithm], False)
        found = self._registry.meant(wanted)
        if isinstance(found, str):
            raise UsageError(found, model=wanted.name)

        def decision(decided: Decided) -> dict[str, Any] | None:
            return _entry(DEFAULT, algorithm=algorithm) if algorithm in decided.chosen else None

        self._registry.choices.decide(decision)
        return wanted, found

    def retire(self, wanted: str) -> list[ModelRecord]:
        """Mark a model as no longer to be used; its weights stay as long as a snapshot names it.

        Parameters
        ----------
        wanted : str
            A name, which retires all that was taken in under it and under no other name; or an identity or its unique
            beginning.

        Returns
        -------
        list of ModelRecord
            What is retired.

        Raises
        ------
        UsageError
            There is no such model, or one of them is in use or served.
        """
        item = select(self.items(), wanted)
        by_name = wanted in (item.label, item.source)

        def gone(decided: Decided) -> set[str]:
            return _only_of(item.label, self.items(decided), decided) if by_name else {item.record.identity}

        def decision(decided: Decided) -> dict[str, Any] | None:
            identities = gone(decided)
            self._check_unused(item, by_name, identities, decided)
            named = decided.names.get(item.label) if by_name else None
            if identities <= decided.retired and (named is None or named.retired):
                return None
            return _entry(RETIRE, name=named.name if named else None, identities=sorted(identities))

        identities = gone(self._registry.choices.now())
        self._registry.choices.decide(decision)
        return [one.record for one in self.items() if one.label == item.label and one.record.identity in identities]

    def items(self, decided: Decided | None = None) -> list[Item]:
        """Return every model under every label, in the order in which they were first taken in."""
        return items(self._registry.taken(), decided or self._registry.choices.now(), self._registry.find)

    def lines(self) -> list[dict[str, Any]]:
        """Return one line a model and label, and one for each that is wanted and cannot be used. JSON values."""
        decided, serving, uses = self._registry.choices.now(), self._serving(), self._uses()
        missing = [
            missing_line(wanted, found or "It is not in the store yet: the next refresh brings it.")
            for wanted, found in uses
            if not isinstance(found, ModelRecord)
        ]
        return [line(item, decided, serving, uses) for item in self.items(decided)] + missing

    def show(self, wanted: str) -> dict[str, Any]:
        """Return one model in full: its line, its files, the others under its name, what was decided about it."""
        decided = self._registry.choices.now()
        found = self.items(decided)
        item = select(found, wanted)
        others = [one.record.identity for one in found if one.label == item.label]
        return {
            **line(item, decided, self._serving(), self._uses()),
            "files": [{"key": one.key, "size": one.size, "sha256": one.sha256} for one in item.record.files],
            "in_store": self._registry.whole(item.record),
            "others": [identity for identity in others if identity != item.record.identity],
            "history": [
                {key: value for key, value in entry.items() if key != "nonce"}
                for entry in decided.history
                if _concerns(entry, item)
            ],
        }

    def _uses(self) -> Uses:
        wanted = [self._registry.wanted(algorithm, setting) for algorithm, setting in self._settings.items()]
        return [(one, self._registry.meant(one)) for one in wanted]

    def _algorithm(self, algorithm: str | None) -> str:
        known = ", ".join(sorted(self._settings)) or "none"
        if algorithm is None:
            if len(self._settings) == 1:
                return next(iter(self._settings))
            raise UsageError(f"Say for which algorithm: --algorithm NAME (with a model there are: {known}).")
        if algorithm not in self._settings:
            raise UsageError(
                f"There is no algorithm {algorithm!r} that has a model (there are: {known}).", algorithm=algorithm
            )
        return algorithm

    def _check_free(self, decided: Decided, name: str, source: str) -> None:
        known = decided.names.get(name)
        if known and not known.retired and known.source != source:
            raise UsageError(
                f"The name {name!r} stands for {known.source} already: give the other model another name.",
                name=name,
                source=known.source,
            )

    def _check_unused(self, item: Item, by_name: bool, identities: set[str], decided: Decided) -> None:
        for algorithm, setting in self._settings.items():
            choice = decided.chosen.get(algorithm)
            wanted = Wanted(algorithm, choice.model if choice else setting, choice is not None)
            found = self._registry.meant(wanted)
            meant = isinstance(found, ModelRecord) and found.identity in identities
            if meant or (by_name and wanted.name in (item.label, item.source)):
                how = "chosen" if choice else f"as the setting says: {setting}"
                raise UsageError(
                    f"The model {item.label!r} ({item.record.identity[:_SHORT]}) is what {algorithm} uses ({how}): "
                    "choose another one first with 'mediaflow models use'.",
                    model=item.label,
                    algorithm=algorithm,
                )
        for identity, of in self._serving().items():
            if identity in identities:
                served = ", ".join(algorithm for algorithm, _ in of)
                raise UsageError(
                    f"The model {item.label!r} ({identity[:_SHORT]}) is served: {served} answers with it until another "
                    "one covers the titles; retire it then.",
                    model=item.label,
                    identity=identity,
                )


def _entry(kind: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, **fields, "at_ms": time.time_ns() // 1_000_000}


def _retired(label: str, source: str, identity: str) -> UsageError:
    return UsageError(
        f"The model {label!r} ({identity[:_SHORT]}) is retired: "
        f"take it back with 'mediaflow models add NAME {source}'.",
        model=label,
        identity=identity,
    )


def _only_of(label: str, found: list[Item], decided: Decided) -> set[str]:
    """Return the identities that one label has and no other that is still to be used."""
    retired = {named.name for named in decided.names.values() if named.retired}
    others = {item.record.identity for item in found if item.label != label and item.label not in retired}
    return {item.record.identity for item in found if item.label == label} - others


def _concerns(entry: Mapping[str, Any], item: Item) -> bool:
    identity = item.record.identity
    return identity in (entry.get("identity"), *entry.get("identities", ())) or item.label in (
        entry.get("name"),
        entry.get("model"),
    )
