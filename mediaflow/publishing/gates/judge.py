"""The gates as one: a candidate passes all of them, or is refused with what each of them said."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

from mediaflow.errors import MediaflowError, SystemFault, UsageError
from mediaflow.planning.revisions import digest
from mediaflow.publishing.gates.every import GATES, NAMES
from mediaflow.publishing.gates.gate import (
    OVERRIDDEN,
    PASSED,
    SKIPPED,
    Found,
    Gate,
    Limits,
    Result,
    Titles,
    Trial,
    readable,
)
from mediaflow.publishing.refusals import FAILED, Refusal, sentences
from mediaflow.quality.questions import read
from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.reader import SnapshotReader

if TYPE_CHECKING:
    from mediaflow.search.gateway import Gateway
    from mediaflow.search.process.encoding import Encoders
    from mediaflow.search.route.similar import Pictures
    from mediaflow.storage.objects import ObjectStore


class Refused(MediaflowError):
    """A gate failed and was not overridden: what is served stays so. `refusal` holds what every gate said."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(" ".join(sentences(refusal.gates)))
        self.refusal = refusal


class Gates:
    """Judges candidates.

    Parameters
    ----------
    store : ObjectStore
        Where the tables are.
    limits : Limits
        Where gates fail.
    encoders : Encoders
        Gives the encoders of a snapshot; asked only by questions that have to be encoded.
    pictures : Pictures
        Decodes the pictures that questions bring.
    """

    def __init__(self, store: ObjectStore, limits: Limits, encoders: Encoders, pictures: Pictures) -> None:
        self._store = store
        self._limits = limits
        self._encoders = encoders
        self._pictures = pictures

    def key(self, titles: int) -> str:
        """Return a hash of what makes the same cut a new try: limits, questions, and how many titles there are."""
        file = self._limits.golden
        try:
            asked = read(file).digest if file is not None else ""
        except UsageError as error:
            asked = error.message
        return digest([dataclasses.asdict(self._limits) | {"golden": asked}, titles])

    def passed(
        self, candidate: Manifest, served: Manifest | None, titles: Titles, override: Mapping[str, str]
    ) -> Manifest:
        """Return the candidate with what all gates said of it.

        Parameters
        ----------
        candidate : Manifest
            Its tables are committed and tagged.
        served : Manifest, optional
            What it is compared with.
        titles : Titles
            What the publish is about.
        override : Mapping[str, str]
            By gate: why it may fail this once.

        Raises
        ------
        Refused
            A gate failed and is not overridden.
        SystemFault
            A table of the candidate cannot be read.
        """
        trial = self._trial(candidate, served, titles)
        results = [_result(gate, trial, override) for gate in GATES]
        said = [result.to_json() for result in results]
        if any(result.verdict == FAILED for result in results):
            key = self.key(len(titles.catalogue))
            raise Refused(Refusal(candidate.content, key, served.id if served else "", said))
        return dataclasses.replace(candidate, gates=said)

    def _trial(self, candidate: Manifest, served: Manifest | None, titles: Titles) -> Trial:
        before = SnapshotReader(self._store, served) if served is not None else None
        trial = Trial(SnapshotReader(self._store, candidate), before, titles, self._limits, self._open)
        why = readable(before) if before is not None else ""
        return dataclasses.replace(trial, served=None, alone=why.rstrip(".")) if why else trial

    def _open(self, reader: SnapshotReader) -> Gateway:
        from mediaflow.search.gateway import Gateway

        return Gateway(reader, self._encoders, self._pictures)


def check_override(override: Mapping[str, str]) -> None:
    """Raise `UsageError` where a gate does not exist, or no reason is given."""
    for name, reason in override.items():
        if name not in NAMES:
            raise UsageError(f"There is no gate {name!r}; there are {', '.join(NAMES)}.", gate=name)
        if not reason.strip():
            raise UsageError("Say why, for those who will read the manifest: --reason TEXT.", gate=name)


def _result(gate: Gate, trial: Trial, override: Mapping[str, str]) -> Result:
    try:
        found = gate.judge(trial)
    except OSError as error:
        raise SystemFault(
            f"The gate {gate.name!r} cannot read what it looks at ({error}): nothing was released; publish again.",
            gate=gate.name,
        ) from error
    if found.passed is None:
        return _said(gate, SKIPPED, found)
    if found.passed:
        return _said(gate, PASSED, found)
    if gate.name in override:
        return _said(gate, OVERRIDDEN, found, override[gate.name].strip())
    return _said(gate, FAILED, found)


def _said(gate: Gate, verdict: str, found: Found, reason: str = "") -> Result:
    return Result(gate.name, verdict, found.said, _rounded(found.value), _rounded(found.limit), reason)


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(float(value), 6)
