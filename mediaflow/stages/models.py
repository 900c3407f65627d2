"""The models that algorithms declare: brought into the store, each try in the ledger, so that the plan can say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mediaflow.errors import AlgorithmError
from mediaflow.planning.ledger import DONE, FAILED, RETRY, Fact, Ledger
from mediaflow.planning.revisions import digest

if TYPE_CHECKING:
    from mediaflow.models.progress import Progress
    from mediaflow.models.record import ModelRecord
    from mediaflow.models.registry import ModelRegistry, Wanted


class DeclaredModels:
    """The models of algorithms: those that were chosen, else those that the settings name.

    Parameters
    ----------
    settings : Mapping[str, str]
        By algorithm that has a model: what its setting names.
    registry : ModelRegistry
        The models that the store has.
    ledger : Ledger
        Where tries are written.
    """

    def __init__(self, settings: Mapping[str, str], registry: ModelRegistry, ledger: Ledger) -> None:
        self._settings = settings
        self._registry = registry
        self._ledger = ledger

    def wanted(self) -> dict[str, Wanted]:
        """Return by algorithm the model that it is to use, whether that can be had or not."""
        return {name: self._registry.wanted(name, setting) for name, setting in self._settings.items()}

    def names(self) -> dict[str, str]:
        """Return by algorithm what people call that model."""
        return {name: self._registry.called(wanted) for name, wanted in self.wanted().items()}

    def ensure(self, algorithm: str, progress: Progress | None = None) -> ModelRecord:
        """Bring the model of an algorithm into the store and return it.

        Raises
        ------
        AlgorithmError
            It cannot be had; the sentence is in the ledger too, so that the plan can say it.
        """
        from mediaflow.models.progress import silent

        wanted = self._registry.wanted(algorithm, self._settings[algorithm])
        stage, key = f"{algorithm}_model", _key(wanted)
        try:
            record = self._registry.bring(wanted, progress or silent)
        except AlgorithmError as error:
            message = error.message
            if wanted.chosen:
                message += " It was chosen with 'mediaflow models use': choose another one there."
            self._ledger.append([Fact("", stage, key, key, FAILED, reason=message)])
            raise AlgorithmError(message, **error.fields) from error
        self._ledger.append([Fact("", stage, key, key, DONE)])
        return record

    def missing(self) -> list[str]:
        """Return the algorithms whose models are to be brought: not known yet, or not whole in the store."""
        found = {name: self._registry.meant(wanted) for name, wanted in self.wanted().items()}
        return [
            name
            for name, model in found.items()
            if model is None or (not isinstance(model, str) and not self._registry.whole(model))
        ]

    def attempts(self, algorithm: str) -> tuple[int, int]:
        """Return how often the model could not be had since it last was, and when that was last tried (ms)."""
        import polars as pl

        stage, key = f"{algorithm}_model", _key(self._registry.wanted(algorithm, self._settings[algorithm]))
        tried = self._ledger.look().newest(stage).filter(pl.col("revision") == key)
        return (tried["attempts"][0], tried["at_ms"][0]) if len(tried) and tried["state"][0] == FAILED else (0, 0)

    def again(self, algorithm: str) -> list[Fact]:
        """Return the fact that gives a model that could not be had a new start, so that it is not waited for longer."""
        if algorithm not in self._settings or not self.attempts(algorithm)[0]:
            return []
        key = _key(self._registry.wanted(algorithm, self._settings[algorithm]))
        return [Fact("", f"{algorithm}_model", key, key, RETRY)]

    def known(self) -> dict[str, ModelRecord | str]:
        """Return by algorithm its model, or a sentence why that cannot be used."""
        return {name: self._registry.meant(wanted) or self._missing(wanted) for name, wanted in self.wanted().items()}

    def _missing(self, wanted: Wanted) -> str:
        import polars as pl

        stage, key = f"{wanted.algorithm}_model", _key(wanted)
        tried = self._ledger.facts().filter((pl.col("stage") == stage) & (pl.col("revision") == key))
        if len(tried) and tried["state"][-1] == FAILED:
            return str(tried["reason"][-1])
        return f"The model {wanted.name!r} is not in the store yet: the next refresh brings it."


def _key(wanted: Wanted) -> str:
    return digest(["model", wanted.name])
