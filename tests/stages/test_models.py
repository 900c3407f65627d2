"""Models that algorithms declare: every try is in the ledger, and the plan says what came of the newest."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediaflow.errors import AlgorithmError
from mediaflow.models.registry import ModelRegistry
from mediaflow.planning.ledger import Ledger
from mediaflow.stages.models import DeclaredModels
from mediaflow.storage.objects import FolderStore


@pytest.fixture
def registry(store: FolderStore, tmp_path: Path) -> ModelRegistry:
    return ModelRegistry(store, tmp_path / "cache")


def declared(registry: ModelRegistry, store: FolderStore, name: str) -> DeclaredModels:
    return DeclaredModels({"visual": name}, registry, Ledger(store))


def test_a_model_that_cannot_be_had_says_why_and_counts_its_tries(
    registry: ModelRegistry, store: FolderStore, tmp_path: Path
) -> None:
    models = declared(registry, store, str(tmp_path / "nowhere"))
    assert models.known() == {
        "visual": f"The model '{tmp_path / 'nowhere'}' is not in the store yet: the next refresh brings it."
    }
    assert models.attempts("visual") == (0, 0)
    for tries in (1, 2):
        with pytest.raises(AlgorithmError) as raised:
            models.ensure("visual")
        assert models.known() == {"visual": raised.value.message}
        assert models.attempts("visual")[0] == tries


def test_a_new_start_forgets_the_tries(registry: ModelRegistry, store: FolderStore, tmp_path: Path) -> None:
    models = declared(registry, store, str(tmp_path / "nowhere"))
    assert models.again("visual") == models.again("dialogue") == []
    with pytest.raises(AlgorithmError):
        models.ensure("visual")
    Ledger(store).append(models.again("visual"))
    assert models.attempts("visual") == (0, 0)
    assert "is not in the store yet" in str(models.known()["visual"])
    assert models.again("visual") == []


def test_what_was_wrong_with_another_model_is_not_said_of_this_one(
    registry: ModelRegistry, store: FolderStore, tmp_path: Path
) -> None:
    with pytest.raises(AlgorithmError):
        declared(registry, store, str(tmp_path / "nowhere")).ensure("visual")
    other = declared(registry, store, "demo")
    assert "'demo' is not in the store yet" in str(other.known()["visual"])
    assert other.attempts("visual") == (0, 0)


def test_a_model_that_comes_ends_the_count(registry: ModelRegistry, store: FolderStore, small_model: Path) -> None:
    missing = small_model.rename(small_model.with_name("later"))
    models = declared(registry, store, str(small_model))
    with pytest.raises(AlgorithmError):
        models.ensure("visual")
    missing.rename(small_model)
    identity = models.ensure("visual").identity
    assert models.attempts("visual") == (0, 0)
    found = models.known()["visual"]
    assert not isinstance(found, str) and found.identity == identity
