"""The models: one asset for each algorithm that has one; its data version is the model's identity."""

import dagster as dg

from assets.outcomes import model_asset
from assets.owners import owner_of
from mediaflow.algorithms.registry import Registered
from mediaflow.errors import AlgorithmError
from resources.library import LibraryResource


def build(algorithms: list[Registered], declared: dict[str, str]) -> list[dg.AssetsDefinition]:
    """Return one asset for each algorithm that has a model; `declared` holds their models' names."""
    return [_model(one.name, declared[one.name], one.owner) for one in algorithms if one.name in declared]


def _model(algorithm: str, declared: str, owner: str) -> dg.AssetsDefinition:

    @dg.asset(
        name=model_asset(algorithm),
        group_name="models",
        kinds={"pytorch"},
        code_version="1",
        owners=[owner_of(owner)],
        description=f"The model of {algorithm}, copied into the store: {declared}.",
        pool="models",
    )
    def model(context: dg.AssetExecutionContext, library: LibraryResource) -> dg.MaterializeResult:  # type: ignore[type-arg]
        try:
            identity = library.get().ensure_model(algorithm)
        except AlgorithmError as error:
            raise dg.Failure(error.message, allow_retries=False) from None
        return dg.MaterializeResult(data_version=dg.DataVersion(identity), metadata={"name": declared})

    return model
