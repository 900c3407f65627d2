"""The models: one asset for each algorithm that has one; its data version is the model's identity."""

import dagster as dg

from assets.titles import model_asset
from mediaflow.errors import AlgorithmError
from resources.library import LibraryResource


def build(algorithm: str, declared: str) -> dg.AssetsDefinition:
    """Return the asset of one algorithm's model."""

    @dg.asset(
        name=model_asset(algorithm),
        group_name="models",
        kinds={"pytorch"},
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
