"""A title's stages: one op over a batch of titles, one asset a stage, one event a title and selected stage."""

from collections.abc import Iterator

import dagster as dg

from assets import events
from assets.outcomes import Outcomes, model_asset
from assets.owners import owner_of
from mediaflow.algorithms.registry import Registered
from mediaflow.library import Library
from mediaflow.planning.stage import Stage, StageGraph
from mediaflow.stages.work import Outcome
from resources.library import Batch, LibraryResource

TITLES = dg.DynamicPartitionsDefinition(name="titles")


def specs(graph: StageGraph, with_model: set[str]) -> list[dg.AssetSpec]:
    """Return the assets of a title: the edges are the plan's inputs."""
    return [
        dg.AssetSpec(
            stage.name,
            deps=[*stage.inputs, *([model_asset(stage.name)] if stage.name in with_model else [])],
            description=stage.broken or stage.description,
            code_version=events.code_version(stage),
            skippable=True,
            owners=[owner_of(stage.owner)],
            group_name=_group(stage),
            kinds=set(stage.kinds),
            metadata={"lane": stage.lane},
        )
        for stage in graph
    ]


def build(graph: StageGraph, algorithms: list[Registered]) -> dg.AssetsDefinition:
    """Return the one multi-asset of all stages."""
    with_model = {one.name for one in algorithms if one.algorithm is not None and one.algorithm.model}

    @dg.multi_asset(
        name="title_stages",
        can_subset=True,
        partitions_def=TITLES,
        backfill_policy=dg.BackfillPolicy.single_run(),
        specs=specs(graph, with_model),
        check_specs=_checks(graph, algorithms),
    )
    def title_stages(
        context: dg.AssetExecutionContext, library: LibraryResource, batch: Batch
    ) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        opened = library.get()
        titles = batch.titles or list(context.partition_keys)
        selected = {key.path[-1] for key in context.selected_asset_keys}
        outcomes = Outcomes(context, opened, titles, planned=not batch.titles, kept=bool(batch.kept))
        for outcome in _work(opened, titles, selected, batch):
            outcomes.add(outcome)
        outcomes.end()
        # What was made is logged already; anything yielded here Dagster would log for every title once more.
        yield from ()

    return title_stages


def _checks(graph: StageGraph, algorithms: list[Registered]) -> list[dg.AssetCheckSpec]:
    why, version = "Why a title failed.", "Whether the source changed and the declared version did not."
    declared = [one.name for one in algorithms if one.algorithm is not None]
    return [
        *(dg.AssetCheckSpec(events.CHECK, asset=one.name, partitions_def=TITLES, description=why) for one in graph),
        *(dg.AssetCheckSpec(events.VERSION_CHECK, asset=name, description=version) for name in declared),
    ]


def _work(library: Library, titles: list[str], selected: set[str], batch: Batch) -> Iterator[Outcome]:
    graph = library.kept(batch.kept) if batch.kept else library.graph()
    if graph is None:
        # What was to be kept up to date is not served any more.
        return
    known = library.catalog.titles
    records = [known[title] for title in titles if title in known and not known[title].removed]
    yield from library.workshop(graph).run(records, sorted(selected), force=batch.force, record=batch.record)


def _group(stage: Stage) -> str:
    if stage.root:
        return "sources"
    return "frames" if stage.name == "frames" else "algorithms"
