"""Bringing a library up to date through Dagster, in this process, and what Dagster then shows of each partition."""

from __future__ import annotations

import os
import runpy
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from dagster._core.definitions.events import AssetKey
from dagster._core.events import DagsterEventType
from dagster._core.storage.partition_status_cache import AssetPartitionStatus

from assets.titles import TITLES
from mediaflow.planning.ledger import QUARANTINED
from mediaflow.planning.plan import FRESH
from resources.library import open_library
from sensors.__main__ import Rounds
from sensors.prepare import prepare_home
from tests.conftest import ROOT
from tests.proof.place import Place

_VERSION = "dagster/data_version"


def refresh(place: Place) -> list[str]:
    """Let all sensors do their rounds until nothing is left; return what Dagster then shows wrongly."""
    with _environment(place):
        open_library.cache_clear()
        try:
            with open_library() as library:
                prepare_home(library)
                repository = runpy.run_path(str(ROOT / "definitions.py"))["defs"].get_repository_def()
                with dg.DagsterInstance.get() as instance:
                    Rounds(library, repository, instance).run()
                    return _wrong(place, instance)
        finally:
            open_library.cache_clear()


def _wrong(place: Place, instance: dg.DagsterInstance) -> list[str]:
    """Return a line for each partition of which Dagster says something else than the ledger."""
    library = place.library
    frame = library.plan().frame
    known = {(row["title_id"], row["stage"]) for row in library.ledger.facts().iter_rows(named=True)}
    wrong = []
    present = set(frame["title_id"])
    there = set(instance.get_dynamic_partitions("titles"))
    if not present <= there:
        wrong.append(f"no partition for {sorted(present - there)}")
    for (stage,), rows in frame.group_by(["stage"], maintain_order=True):
        statuses = instance.get_status_by_partition(AssetKey(str(stage)), sorted(present), TITLES) or {}
        tags = instance.event_log_storage.get_latest_tags_by_partition(
            AssetKey(str(stage)), DagsterEventType.ASSET_MATERIALIZATION, [_VERSION]
        )
        for row in rows.iter_rows(named=True):
            status = statuses.get(row["title_id"])
            said = f"{stage} of {row['title_id']} is {row['state']} and shown as {status}"
            fresh = tags.get(row["title_id"], {}).get(_VERSION) == row["revision"]
            if (row["state"] == FRESH) != fresh:
                wrong.append(f"{said}, {'fresh' if fresh else 'not fresh'}")
            if (row["state"] == FRESH) and status != AssetPartitionStatus.MATERIALIZED:
                wrong.append(said)
            if row["state"] == QUARANTINED and status != AssetPartitionStatus.FAILED:
                wrong.append(said)
            if (row["title_id"], stage) not in known and status is not None:
                wrong.append(f"{said}, and nothing was ever done")
    return wrong


@contextmanager
def _environment(place: Place) -> Iterator[None]:
    """Set the environment as in a process of the deployment of a place."""
    before = dict(os.environ)
    for name in before:
        if name.startswith(("MEDIAFLOW_", "DAGSTER_")):
            del os.environ[name]
    os.environ.update(place.variables(), DAGSTER_HOME=str(place.home / "dagster"))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
