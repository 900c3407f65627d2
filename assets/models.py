"""The models: one observed asset for each algorithm that has one; its data version is the model's identity."""

from collections.abc import Iterator

import dagster as dg

from assets.outcomes import model_asset
from assets.owners import owner_of
from mediaflow.algorithms.registry import Registered
from mediaflow.errors import AlgorithmError
from mediaflow.library import Library
from mediaflow.models.record import ModelRecord
from resources.library import LibraryResource

CHECK = "available"
GROUP = "models"


def build(algorithms: list[Registered], with_model: set[str]) -> list[dg.AssetsDefinition]:
    """Return one asset for each algorithm that has a model."""
    return [_model(one.name, one.owner) for one in algorithms if one.name in with_model]


def observation(library: Library, algorithm: str, record: ModelRecord) -> dg.AssetObservation:
    """Return the event that says which model an algorithm uses; Dagster compares what was made with another one."""
    tags = {"dagster/data_version": record.identity, "dagster/data_version_is_user_provided": "true"}
    return dg.AssetObservation(model_asset(algorithm), metadata=_facts(library, algorithm, record), tags=tags)


def verdict(algorithm: str, problem: str | None) -> dg.AssetCheckEvaluation:
    """Return the check that says whether an algorithm's model can be used, and why not."""
    return dg.AssetCheckEvaluation(
        asset_key=dg.AssetKey(model_asset(algorithm)),
        check_name=CHECK,
        passed=problem is None,
        severity=dg.AssetCheckSeverity.ERROR,
        description=problem or "in the store",
    )


def _model(algorithm: str, owner: str) -> dg.AssetsDefinition:
    name = model_asset(algorithm)

    # Only what can be observed takes part in Dagster's comparison of data versions; a bare external asset does not.
    @dg.multi_observable_source_asset(
        name=name,
        specs=[
            dg.AssetSpec(
                name,
                group_name=GROUP,
                kinds={"open_clip"},
                owners=[owner_of(owner)],
                description=f"The model of {algorithm}: chosen with 'mediaflow models use', or named by its setting.",
            )
        ],
        check_specs=[dg.AssetCheckSpec(CHECK, asset=name, description="Whether the model can be used, and why not.")],
    )
    def model(
        context: dg.OpExecutionContext, library: LibraryResource
    ) -> Iterator[dg.ObserveResult | dg.AssetCheckResult]:  # type: ignore[type-arg]
        opened = library.get()
        steps: set[str] = set()

        def tell(step: str, done: int, total: int) -> None:
            if step not in steps:
                steps.add(step)
                context.log.info(f"{step} the model" + (f", {total / 1e6:.0f} MB" if total else ""))

        try:
            record = opened.ensure_model(algorithm, tell)
        except AlgorithmError as error:
            yield dg.AssetCheckResult(check_name=CHECK, passed=False, description=error.message)
            raise dg.Failure(error.message, allow_retries=False) from None
        yield dg.ObserveResult(
            data_version=dg.DataVersion(record.identity),
            metadata=_facts(opened, algorithm, record),
            check_results=[dg.AssetCheckResult(check_name=CHECK, passed=True, description="in the store")],
        )

    return model


def _facts(library: Library, algorithm: str, record: ModelRecord) -> dict[str, str | int]:
    declared = library.declared()
    return {
        "name": declared.names()[algorithm],
        "chosen by": "mediaflow models use" if declared.wanted()[algorithm].chosen else "the setting",
        "source": record.name,
        "architecture": record.architecture,
        "dim": record.dim,
        "identity": record.identity,
    }
