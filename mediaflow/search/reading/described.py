"""The algorithms of a snapshot, as they are told to whoever wants to ask them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mediaflow.search.route.fields import compares, field_type, own_fields

if TYPE_CHECKING:
    from mediaflow.snapshots.manifest import AlgorithmPart, Manifest


def described(
    manifest: Manifest, rows: Callable[[str], int], pending: Callable[[str], int], titles: int
) -> list[dict[str, Any]]:
    """Return the algorithms of a snapshot, by name.

    Parameters
    ----------
    manifest : Manifest
        Of the snapshot.
    rows, pending : callable
        Give for an algorithm how many rows it has, and how many titles wait for its newest ones, as far as these may
        be seen.
    titles : int
        How many titles may be seen.

    Returns
    -------
    list of dict
        `name`, `owner`, `version`, `description`, `shape` (what its rows are), `fields`, `model` (the name of the one
        that encodes its queries), `generation`, `rows`, `pending` (titles that are published without its newest rows),
        `titles` (of how many). A field has `name`, `type`, `own` (not one that all of the shape have) and
        `comparisons` (how it can be compared).
    """
    return [
        {
            "name": name,
            "owner": part.owner,
            "version": part.version,
            "description": part.description,
            "shape": part.shape,
            "fields": _fields(name, part),
            "model": manifest.encoders.get(part.model) if part.model else None,
            "generation": part.generation,
            "rows": rows(name),
            "pending": pending(name),
            "titles": titles,
        }
        for name, part in sorted(manifest.algorithms.items())
    ]


def _fields(algorithm: str, part: AlgorithmPart) -> list[dict[str, Any]]:
    own = own_fields(part)
    return [
        {
            "name": name,
            "type": said,
            "own": name in own,
            "comparisons": list(compares(field_type(algorithm, part, name))),
        }
        for name, said in sorted(part.fields.items())
    ]
