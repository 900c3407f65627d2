"""The gates as Dagster shows them: blocking checks of the snapshot, and a table in the metadata of the release.

The gates stand in the publishing code; what failed there was not released, whatever Dagster does with the checks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg

from mediaflow.publishing.gates.every import GATES
from mediaflow.publishing.refusals import FAILED

_UNKNOWN = {"verdict": "not asked", "said": "The snapshot was published without this gate.", "reason": ""}


def specs() -> list[dg.AssetCheckSpec]:
    """Return the checks, one a gate."""
    return [dg.AssetCheckSpec(gate.name, asset="snapshot", description=gate.about, blocking=True) for gate in GATES]


def results(gates: Sequence[Mapping[str, Any]]) -> Iterator[dg.AssetCheckResult]:
    """Give what each gate said as the result of its check."""
    said = {gate["name"]: gate for gate in gates}
    for gate in GATES:
        one = said.get(gate.name, _UNKNOWN)
        facts = {name: one[name] for name in ("verdict", "value", "limit", "reason") if one.get(name) not in (None, "")}
        yield dg.AssetCheckResult(
            asset_key="snapshot",
            check_name=gate.name,
            passed=one["verdict"] != FAILED,
            severity=dg.AssetCheckSeverity.ERROR,
            description=one["said"],
            metadata=facts,
        )


def table(gates: Sequence[Mapping[str, Any]]) -> dg.MarkdownMetadataValue:
    """Return what gates said as a small table."""
    lines = ["| gate | verdict | value | limit |", "|---|---|---|---|"]
    for gate in gates:
        value, limit = ("" if gate[name] is None else f"{gate[name]:g}" for name in ("value", "limit"))
        lines.append(f"| {gate['name']} | {gate['verdict']} | {value} | {limit} |")
    return dg.MetadataValue.md("\n".join(lines))
