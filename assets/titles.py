"""A title's stages: one op over a batch of titles, one asset a stage, one event a title and selected stage."""

from collections.abc import Iterator

import dagster as dg

from assets import events
from mediaflow.algorithms.registry import Registered
from mediaflow.library import Library
from mediaflow.media.contact_sheet import markdown
from mediaflow.planning.ledger import FAILED, QUARANTINED, STOPPED
from mediaflow.planning.plan import BLOCKED
from mediaflow.planning.stage import Stage, StageGraph
from mediaflow.stages.work import Outcome
from resources.library import Batch, LibraryResource

TITLES = dg.DynamicPartitionsDefinition(name="titles")


def model_asset(algorithm: str) -> str:
    """Return the name of the asset that stands for an algorithm's model."""
    return f"{algorithm}_model"


def specs(graph: StageGraph, with_model: set[str]) -> list[dg.AssetSpec]:
    """Return the assets of a title: the edges are the plan's inputs."""
    return [
        dg.AssetSpec(
            stage.name,
            deps=[*stage.inputs, *([model_asset(stage.name)] if stage.name in with_model else [])],
            description=stage.broken or stage.description,
            code_version=stage.code_version or None,
            skippable=True,
            owners=[_owner(stage.owner)],
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
        check_specs=[
            dg.AssetCheckSpec(events.CHECK, asset=stage.name, partitions_def=TITLES, description="Why a title failed.")
            for stage in graph
        ],
    )
    def title_stages(
        context: dg.AssetExecutionContext, library: LibraryResource, batch: Batch
    ) -> Iterator[dg.MaterializeResult]:  # type: ignore[type-arg]
        opened = library.get()
        titles = batch.titles or list(context.partition_keys)
        selected = {key.path[-1] for key in context.selected_asset_keys}
        versions = {stage.name: stage for stage in opened.graph()}
        cursor = context.instance.event_log_storage.get_maximum_record_id() or 0
        failed: dict[str, str] = {}
        planned = not batch.titles
        for outcome in _work(opened, titles, selected, batch):
            if outcome.ok:
                stage = versions[outcome.stage]
                model = (model_asset(stage.name), stage.model) if stage.name in with_model and stage.model else None
                picture = _picture(opened, outcome)
                made = events.materialization(outcome, stage.code_version, cursor, model, picture)
                context.log_event(made)
                if outcome.mended:
                    context.log_event(events.verdict(outcome))
            elif outcome.state in (FAILED, QUARANTINED) or (outcome.state == BLOCKED and planned):
                failed[f"{outcome.title_id}: {outcome.stage}"] = outcome.reason
                if not planned:
                    events.show_failed(context, outcome)
                context.log_event(events.verdict(outcome))
            elif outcome.state == STOPPED:
                failed[f"algorithm {outcome.stage} has stopped"] = outcome.reason
            else:
                context.log.info(f"{outcome.title_id}: {outcome.stage}: {outcome.state}: {outcome.reason}")
        if failed:
            raise dg.Failure(
                "; ".join(f"{what}: {reason}" for what, reason in failed.items()),
                metadata=dict(list(failed.items())[:50]),
                allow_retries=False,
            )
        yield from ()

    return title_stages


def _work(library: Library, titles: list[str], selected: set[str], batch: Batch) -> Iterator[Outcome]:
    known = library.catalog.titles
    records = [known[title] for title in titles if title in known and not known[title].removed]
    return library.workshop().run(records, sorted(selected), force=batch.force, record=batch.record)


def _picture(library: Library, outcome: Outcome) -> str | None:
    if outcome.stage != "frames":
        return None
    return markdown(library.artifact("frames", outcome.title_id, outcome.revision, outcome.attempt, "thumbnails"))


def _group(stage: Stage) -> str:
    if stage.root:
        return "sources"
    return "frames" if stage.name == "frames" else "algorithms"


def _owner(owner: str) -> str:
    return owner if "@" in owner or owner.startswith("team:") else f"team:{owner.replace(':', '-')}"
