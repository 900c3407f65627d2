"""Refusals: what the gates last refused, as the end of its epoch says it, so that it is not tried again and again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mediaflow.errors import NotFound
from mediaflow.storage import layout
from mediaflow.storage.log import NumberedLog
from mediaflow.storage.objects import ObjectStore

REFUSED, FAILED = "refused", "failed"
# Epochs that said nothing about gates (nothing new, overtaken, a collector's) are passed over; so many at most.
_LOOK_BACK = 32


@dataclass(frozen=True)
class Refusal:
    """A cut that the gates refused.

    Attributes
    ----------
    content : str
        Hash of the cut.
    key : str
        Hash of the gates' limits and questions.
    base : str
        Id of the snapshot that was served, and that it was compared with; empty where there was none.
    gates : list of dict
        What every gate said, as in a manifest.
    """

    content: str
    key: str
    base: str
    gates: list[dict[str, Any]]

    def to_json(self) -> dict[str, Any]:
        """Return what is kept at the end of the epoch."""
        return {"content": self.content, "key": self.key, "base": self.base, "gates": self.gates}


def sentences(gates: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return, for people, one sentence a gate that failed: what, and what to do."""
    return [
        f"The gate {gate['name']!r} refused the next snapshot: {gate['said']} To publish it all the same, this once: "
        f"mediaflow publish --override {gate['name']} --reason TEXT."
        for gate in gates
        if gate["verdict"] == FAILED
    ]


def standing(store: ObjectStore, served: str) -> Refusal | None:
    """Return the refusal that the last publish ended with, None where none did since `served` came to be served."""
    newest = NumberedLog(store, layout.EPOCHS).tip() or 0
    for epoch in range(newest, max(0, newest - _LOOK_BACK), -1):
        try:
            end = json.loads(store.get(layout.epoch_end(epoch)))
        except NotFound:
            continue
        if end["outcome"] == REFUSED:
            found = Refusal(end["content"], end["key"], end["base"], end["gates"])
            return found if found.base == served else None
        if end["outcome"] == "released":
            return None
    return None
