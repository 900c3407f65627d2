"""What people decided about models: names given, models chosen and retired; a numbered log, nothing is overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mediaflow.storage.layout import CHOICES
from mediaflow.storage.log import Decisions, NumberedLog
from mediaflow.storage.objects import ObjectStore

ADD, USE, DEFAULT, RETIRE = "add", "use", "default", "retire"


@dataclass(frozen=True)
class Named:
    """A name that was given to a source of weights.

    Attributes
    ----------
    name, source : str
        The name, and where its model comes from, as the setting would say it.
    algorithm : str or None
        The algorithm that it is for, where that was said.
    at_ms : int
        When the name was given (wall clock).
    retired : bool
        Whether it is no longer to be used.
    """

    name: str
    source: str
    algorithm: str | None
    at_ms: int
    retired: bool = False


@dataclass(frozen=True)
class Choice:
    """The model that was chosen for an algorithm.

    Attributes
    ----------
    algorithm : str
        The algorithm.
    model : str
        A name, a source, or an identity (32 hex digits), which stays what it is whatever becomes of files.
    identity : str
        What that was when it was chosen.
    at_ms : int
        When (wall clock).
    """

    algorithm: str
    model: str
    identity: str
    at_ms: int


@dataclass(frozen=True)
class Decided:
    """All decisions up to one entry of the log.

    Attributes
    ----------
    number : int
        That entry; 0: none was made yet.
    names : Mapping[str, Named]
        By name.
    chosen : Mapping[str, Choice]
        By algorithm; one that is not in it uses the model of its setting.
    retired : frozenset of str
        Identities that are no longer to be used.
    history : tuple of dict
        The entries, oldest first.
    """

    number: int = 0
    names: Mapping[str, Named] = field(default_factory=dict)
    chosen: Mapping[str, Choice] = field(default_factory=dict)
    retired: frozenset[str] = frozenset()
    history: tuple[dict[str, Any], ...] = ()

    def after(self, number: int, entry: dict[str, Any]) -> Decided:
        """Return what holds once entry `number` is counted too."""
        known = replace(self, number=number, history=(*self.history, entry))
        kind = entry["kind"]
        if kind == ADD:
            named = Named(entry["name"], entry["source"], entry["algorithm"], entry["at_ms"])
            names = {**self.names, named.name: named}
            return replace(known, names=names, retired=self.retired - {entry["identity"]})
        if kind == USE:
            choice = Choice(entry["algorithm"], entry["model"], entry["identity"], entry["at_ms"])
            return replace(known, chosen={**self.chosen, choice.algorithm: choice})
        if kind == DEFAULT:
            others = {name: choice for name, choice in self.chosen.items() if name != entry["algorithm"]}
            return replace(known, chosen=others)
        names = dict(self.names)
        if entry["name"] in names:
            names[entry["name"]] = replace(names[entry["name"]], retired=True)
        return replace(known, names=names, retired=self.retired | frozenset(entry["identities"]))


class Choices(Decisions[Decided]):
    """The log of decisions. May be used from several threads and processes at once.

    Parameters
    ----------
    store : ObjectStore
        Keeps the log under `models/choices/`.
    """

    def __init__(self, store: ObjectStore) -> None:
        super().__init__(NumberedLog(store, CHOICES), Decided(), Decided.after)
