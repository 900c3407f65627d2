"""The snapshot and the release: assets of one run, which publishes whatever is whole."""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from assets.gates import results, specs
from assets.releases import CODE_VERSION, unrecorded
from mediaflow.planning.stage import StageGraph
from mediaflow.publishing.doorman import EnginesNotReady
from mediaflow.publishing.publisher import Publication
from mediaflow.publishing.refusals import REFUSED
from mediaflow.snapshots.manifest import Manifest
from resources.library import LibraryResource


def build(graph: StageGraph) -> dg.AssetsDefinition:
    """Return the multi-asset of snapshot and release."""

    @dg.multi_asset(
        name="publish",
        specs=[
            dg.AssetSpec(
                "snapshot",
                deps=[stage.name for stage in graph],
                # What the gates refuse is not made.
                skippable=True,
                group_name="published",
                code_version="1",
                owners=["team:mediaflow"],
                kinds={"lance"},
                description="Exact versions of all tables and models that are served together.",
            ),
            dg.AssetSpec(
                "release",
                deps=["snapshot"],
                skippable=True,
                group_name="published",
                code_version=CODE_VERSION,
                owners=["team:mediaflow"],
                kinds={"json"},
                description="The numbered pointer to the snapshot that answers.",
            ),
        ],
        check_specs=specs(),
    )
    def publish(
        context: dg.AssetExecutionContext, library: LibraryResource
    ) -> Iterator[dg.MaterializeResult | dg.AssetCheckResult]:  # type: ignore[type-arg]
        try:
            done = library.get().publish()
        except EnginesNotReady as error:
            raise dg.Failure(error.message, allow_retries=False) from error
        if done.outcome in ("busy", "overtaken"):
            raise dg.Failure(
                "Another publisher is at work, or a rollback came between: this one ended and will be asked for again.",
                allow_retries=False,
            )
        if done.outcome == REFUSED:
            yield from results(done.gates)
            return
        if done.manifest is None:
            raise dg.Failure("There is nothing to publish yet: no title is whole.", allow_retries=False)
        content = dg.DataVersion(done.manifest.content)
        yield from results(done.manifest.gates)
        yield dg.MaterializeResult("snapshot", data_version=content, metadata=_facts(done, done.manifest))
        for event in unrecorded(context.instance, library.get()):
            context.log_event(event)

    return publish


def _facts(done: Publication, manifest: Manifest) -> dict[str, Any]:
    facts = {
        "state": done.outcome,
        "titles": manifest.checks["titles"],
        "added": len(done.added),
        "changed": len(done.changed),
        "removed": len(done.removed),
        "algorithms": ", ".join(sorted(manifest.algorithms)),
        "id": manifest.id,
    }
    return facts | {f"rows of {name}": part.rows for name, part in manifest.tables.items()}
