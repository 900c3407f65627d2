"""The list of models: every one under every label, which is in use where, and which one a word of people means."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from mediaflow.errors import UsageError
from mediaflow.models.choices import Decided
from mediaflow.models.record import ModelRecord
from mediaflow.models.registry import Taken, Wanted

_LEAST_PREFIX = 4

# By identity: what the current release serves with it, as (algorithm, generation).
Serving = Mapping[str, Sequence[tuple[str, str]]]
# What algorithms are to use, and the model that this is, a sentence why it cannot be used, or None: not known yet.
Uses = Sequence[tuple[Wanted, ModelRecord | str | None]]


@dataclass(frozen=True)
class Item:
    """One model under one label.

    Attributes
    ----------
    label, source : str
        The name that it was given, or the source where it has none; and the source.
    algorithm : str or None
        What it was added for, where that was said.
    record : ModelRecord
        The model.
    at_ms : int or None
        When it was first taken in; None where an older store did not say.
    current : bool
        False where the label means another model by now, as its files were replaced.
    """

    label: str
    source: str
    algorithm: str | None
    record: ModelRecord
    at_ms: int | None
    current: bool


def items(taken: Sequence[Taken], decided: Decided, find: Callable[[str], ModelRecord | None]) -> list[Item]:
    """Return every model under every label, in the order in which they were first taken in.

    Parameters
    ----------
    taken : sequence of Taken
        All that was taken in, oldest first.
    decided : Decided
        The names that were given.
    find : callable
        Gives what a source means now; None where its files are gone or new, and the newest that was taken in counts.
    """
    labels: dict[str, list[str]] = {}
    for named in decided.names.values():
        labels.setdefault(named.source, []).append(named.name)
    newest = {one.source: one.record.identity for one in taken}
    now = {source: meant.identity for source in newest if (meant := find(source))}
    found: dict[tuple[str, str], Item] = {}
    for one in taken:
        identity = one.record.identity
        for label in labels.get(one.source, [one.source]):
            known = decided.names.get(label)
            current = identity == now.get(one.source, newest[one.source])
            item = Item(label, one.source, known.algorithm if known else None, one.record, one.at_ms, current)
            found.setdefault((label, identity), item)
    return list(found.values())


def select(found: Sequence[Item], wanted: str) -> Item:
    """Return the model that a name, a source or the unique beginning of an identity means; else `UsageError`."""
    named = [item for item in found if wanted == item.label] or [item for item in found if wanted == item.source]
    if named:
        return next((item for item in named if item.current), named[-1])
    begins = len(wanted) >= _LEAST_PREFIX and re.fullmatch(r"[0-9a-f]+", wanted)
    meant = [item for item in found if begins and item.record.identity.startswith(wanted)]
    identities = sorted({item.record.identity for item in meant})
    if len(identities) == 1:
        return meant[-1]
    if identities:
        raise UsageError(
            f"More than one identity begins with {wanted!r}: write more of it ({', '.join(identities)}).", model=wanted
        )
    raise UsageError(
        f"There is no model {wanted!r} in the store: 'mediaflow models list' shows what there is, "
        "'mediaflow models add NAME SOURCE' takes one in.",
        model=wanted,
    )


def line(item: Item, decided: Decided, serving: Serving, uses: Uses) -> dict[str, Any]:
    """Return one model as JSON values: what it is, which algorithms use it by what, and what it serves."""
    record = item.record
    used = [
        _use(wanted)
        for wanted, found in uses
        if isinstance(found, ModelRecord)
        and found.identity == record.identity
        and wanted.name in (item.label, item.source, record.identity)
    ]
    served = [{"algorithm": name, "generation": generation} for name, generation in serving.get(record.identity, ())]
    return {
        "name": item.label,
        "algorithm": item.algorithm,
        "source": item.source,
        "architecture": record.architecture,
        "dim": record.dim,
        "image_size": list(record.image_size),
        "preprocessing": asdict(record.preprocessing) if record.preprocessing else None,
        "identity": record.identity,
        "added_ms": item.at_ms,
        "used_by": used,
        "serves": served,
        "retired": record.identity in decided.retired or _name_retired(item, decided),
        "replaced": not item.current,
        "problem": None,
    }


def _name_retired(item: Item, decided: Decided) -> bool:
    return item.label in decided.names and decided.names[item.label].retired


def missing_line(wanted: Wanted, why: str) -> dict[str, Any]:
    """Return the line of a model that is wanted and cannot be used, with the sentence why."""
    unknown = dict.fromkeys(("architecture", "dim", "image_size", "preprocessing", "identity", "added_ms"))
    return {
        "name": wanted.name,
        "algorithm": None,
        "source": wanted.name,
        **unknown,
        "used_by": [_use(wanted)],
        "serves": [],
        "retired": False,
        "replaced": False,
        "problem": why,
    }


def _use(wanted: Wanted) -> dict[str, Any]:
    by = "choice" if wanted.chosen else "setting"
    return {"algorithm": wanted.algorithm, "by": by, "since_ms": wanted.at_ms or None}
