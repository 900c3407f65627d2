"""What stands beside hits, as JSON objects: counts by facet, bins, speakers, and rows of algorithms."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mediaflow.search.results import in_json

if TYPE_CHECKING:
    from mediaflow.search.post.facets import Count

_SHAPED = ("algorithm", "start_ms", "end_ms", "revision", "shot_no", "text", "label", "confidence", "score")
_BOX = ("x", "y", "w", "h")


def facet_counts(counted: Mapping[str, Sequence[Count]], of: Sequence[str], most: int) -> list[dict[str, Any]]:
    """Return facets in the order in which they were asked for, each with its most frequent values.

    Returns
    -------
    list of dict
        `facet`, `values` (`value`, which is a text also where it is a number, and `hits`) and `total`: how many values
        there are.
    """
    return [
        {
            "facet": name,
            "values": [{"value": str(one.value), "hits": one.hits} for one in counted[name][:most]],
            "total": len(counted[name]),
        }
        for name in dict.fromkeys(of)
    ]


def annotation(row: Mapping[str, Any], own: Collection[str]) -> dict[str, Any]:
    """Return a row of an algorithm: the columns of its shape by name, and under `fields` those of its author (`own`).

    Returns
    -------
    dict
        `algorithm`, `start_ms`, `end_ms`, `revision`, where the shape has them `shot_no`, `text`, `label`,
        `confidence`, `score` and `box` (`x`, `y`, `w`, `h`), and `fields`.
    """
    shaped = {name: plain(row[name]) for name in _SHAPED if name in row and name not in own}
    if all(row.get(name) is not None and name not in own for name in _BOX):
        shaped["box"] = {name: row[name] for name in _BOX}
    return shaped | {"fields": in_json({name: plain(row[name]) for name in own if name in row})}


def plain(value: Any) -> Any:
    """Return a value of a column as JSON has it: a number that is none, or has no end, is null there."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, list | tuple) else value
