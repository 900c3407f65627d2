"""The models that algorithms declare: brought into the store, each try in the ledger, so that the plan can say it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from mediaflow.errors import AlgorithmError
from mediaflow.planning.ledger import DONE, FAILED, RETRY, Fact, Ledger
from mediaflow.planning.revisions import digest
from mediaflow.stages.graph import ModelLike

if TYPE_CHECKING:
    from mediaflow.models.registry import ModelRegistry


class DeclaredModels:
    """The models of algorithms, by the names that the settings give them.

    Parameters
    ----------
    names : Mapping[str, str]
        By algorithm that has a model: the model's declared name.
    registry : ModelRegistry
        The models that the store has.
    ledger : Ledger
        Where tries are written.
    """

    def __init__(self, names: Mapping[str, str], registry: ModelRegistry, ledger: Ledger) -> None:
        self._names = names
        self._registry = registry
        self._ledger = ledger

    def ensure(self, algorithm: str) -> str:
        """Bring the model of an algorithm into the store and return its identity.

        Raises
        ------
        AlgorithmError
            It cannot be had; the sentence is in the ledger too, so that the plan can say it.
        """
        stage, key = self._key(algorithm)
        try:
            record = self._registry.ensure(self._names[algorithm])
        except AlgorithmError as error:
            self._ledger.append([Fact("", stage, key, key, FAILED, reason=error.message)])
            raise
        self._ledger.append([Fact("", stage, key, key, DONE)])
        return record.identity

    def attempts(self, algorithm: str) -> tuple[int, int]:
        """Return how often the model could not be had since it last was, and when that was last tried (ms)."""
        import polars as pl

        stage, key = self._key(algorithm)
        tried = self._ledger.look().newest(stage).filter(pl.col("revision") == key)
        return (tried["attempts"][0], tried["at_ms"][0]) if len(tried) and tried["state"][0] == FAILED else (0, 0)

    def again(self, algorithm: str) -> list[Fact]:
        """Return the fact that gives a model that could not be had a new start, so that it is not waited for longer."""
        if algorithm not in self._names or not self.attempts(algorithm)[0]:
            return []
        stage, key = self._key(algorithm)
        return [Fact("", stage, key, key, RETRY)]

    def known(self) -> dict[str, ModelLike | str]:
        """Return by algorithm its model, or a sentence why that is not there."""
        found = {algorithm: self._registry.find(name) for algorithm, name in self._names.items()}
        return {algorithm: model or self._missing(algorithm) for algorithm, model in found.items()}

    def _missing(self, algorithm: str) -> str:
        import polars as pl

        stage, key = self._key(algorithm)
        tried = self._ledger.facts().filter((pl.col("stage") == stage) & (pl.col("revision") == key))
        if len(tried) and tried["state"][-1] == FAILED:
            return str(tried["reason"][-1])
        return f"The model {self._names[algorithm]!r} is not in the store yet: the next refresh brings it."

    def _key(self, algorithm: str) -> tuple[str, str]:
        return f"{algorithm}_model", digest(["model", self._names[algorithm]])
