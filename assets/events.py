"""Dagster events of one title and stage: materialized with its revision, or failed with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg
from dagster._core.events import AssetMaterializationPlannedData, DagsterEvent

from mediaflow.algorithms.versions import ChangedSource
from mediaflow.planning.stage import Stage
from mediaflow.stages.work import ALREADY_FRESH, Outcome

CHECK = "sound"
VERSION_CHECK = "version"


def code_version(stage: Stage) -> str:
    """Return the code version of a stage as Dagster is told it; a broken algorithm may not have got to say its own."""
    return stage.code_version or "unknown"


def materialization(
    outcome: Outcome,
    declared: str,
    cursor: int,
    model: tuple[str, str] | None,
    picture: str | None,
    alive: Mapping[str, str],
) -> dg.AssetMaterialization:
    """Return the event of a finished stage.

    Parameters
    ----------
    outcome : Outcome
        What came of it.
    declared : str
        The declared code version.
    cursor : int
        The newest record of the event log before this stage's events: what the inputs are compared with.
    model : tuple of str, optional
        Asset of the model, and its identity.
    picture : str, optional
        A contact sheet as Markdown.
    alive : Mapping[str, str]
        What there is to say of another generation that is served meanwhile.
    """
    tags = {
        "dagster/data_version": outcome.revision,
        "dagster/code_version": declared,
        "dagster/data_version_is_user_provided": "true",
    }
    versions = {**outcome.inputs, **({model[0]: model[1]} if model else {})}
    for name, version in versions.items():
        tags[f"dagster/input_data_version/{name}"] = version
        tags[f"dagster/input_event_pointer/{name}"] = str(cursor)
    metadata = _metadata(outcome.facts) | dict(alive)
    metadata["state"] = outcome.state
    if outcome.state == ALREADY_FRESH:
        metadata["computed because"] = metadata.pop("why", "")
    if picture:
        metadata["contact sheet"] = dg.MetadataValue.md(picture)
    return dg.AssetMaterialization(
        asset_key=outcome.stage, partition=outcome.title_id, description=outcome.state, metadata=metadata, tags=tags
    )


def observation(outcome: Outcome) -> dg.AssetObservation:
    """Return the event of an artifact of the generation that is served, while another one is wanted."""
    metadata = {**_metadata(outcome.facts), "served revision": outcome.revision, "state": outcome.state}
    if outcome.reason:
        metadata["reason"] = outcome.reason
    description = f"of the generation that is served: {outcome.state}"
    return dg.AssetObservation(
        asset_key=outcome.stage, partition=outcome.title_id, description=description, metadata=metadata
    )


def show_failed(context: dg.AssetExecutionContext, outcome: Outcome) -> None:
    """Make the title red on the stage that broke: planned, and never materialized, in a run that fails."""
    step = context.op_execution_context.get_step_execution_context().step.key
    planned = AssetMaterializationPlannedData(dg.AssetKey(outcome.stage), partition=outcome.title_id)
    event = DagsterEvent.build_asset_materialization_planned_event(context.job_name, step, planned)
    context.instance.report_dagster_event(event, context.run_id)


def verdict(outcome: Outcome) -> dg.AssetCheckEvaluation:
    """Return the check that says why a title failed, or that it is sound."""
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(outcome.stage),
        check_name=CHECK,
        passed=outcome.ok,
        partition=outcome.title_id,
        severity=dg.AssetCheckSeverity.ERROR,
        description=outcome.reason or "sound",
        metadata={"state": outcome.state, "reason": outcome.reason or "sound", "revision": outcome.revision},
    )


def version_verdict(algorithm: str, changed: ChangedSource | None) -> dg.AssetCheckEvaluation:
    """Return the check that warns where an algorithm's source changed and its declared version did not."""
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(algorithm),
        check_name=VERSION_CHECK,
        passed=changed is None,
        severity=dg.AssetCheckSeverity.WARN,
        description=changed.warning if changed else "the source is the one that this version was first used with",
        metadata={"changed": ", ".join(changed.functions) if changed else "nothing"},
    )


def _metadata(facts: Mapping[str, Any]) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for name, value in facts.items():
        if name == "rows":
            shown |= {f"rows of {part}": count for part, count in value.items()}
        elif name == "notes":
            shown["notes"] = dg.MetadataValue.text("\n".join(value))
        else:
            shown[name] = value
    return shown
