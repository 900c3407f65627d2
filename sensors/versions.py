"""Keeps each algorithm's check of source and version up to date, whether anything is computed or not."""

from __future__ import annotations

import dagster as dg
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecord

from assets import events
from mediaflow.library import Library


def check(instance: dg.DagsterInstance, opened: Library) -> None:
    """Report each algorithm whose check does not say yet what is to be said."""
    changed = {one.algorithm: one for one in opened.changed_sources()}
    verdicts = [
        events.version_verdict(one.name, changed.get(one.name))
        for one in opened.algorithms
        if one.algorithm is not None
    ]
    known = instance.event_log_storage.get_latest_asset_check_execution_by_key(
        [one.asset_check_key for one in verdicts]
    )
    for verdict in verdicts:
        if not says(known.get(verdict.asset_check_key), verdict):
            instance.report_runless_asset_event(verdict)


def says(record: AssetCheckExecutionRecord | None, verdict: dg.AssetCheckEvaluation) -> bool:
    """Say whether the newest evaluation of a check says this already."""
    said = record.evaluation if record is not None else None
    # A run that people started has planned the check, and leaves it open.
    if not isinstance(said, dg.AssetCheckEvaluation):
        return False
    return (said.passed, said.description) == (verdict.passed, verdict.description)
