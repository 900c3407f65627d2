"""The identity follows each part that the vectors depend on, and nothing else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from mediaflow.models.identity import identity_of
from mediaflow.models.openclip import LoadedModel, load_folder
from mediaflow.models.pictures import Preprocessor


@pytest.fixture(scope="module")
def model(small_model: Path) -> LoadedModel:
    return load_folder(small_model, "small")


def test_each_part_counts(model: LoadedModel) -> None:
    parts = [
        ({"embed_dim": 24}, {"weights": "aa"}, model),
        ({"embed_dim": 25}, {"weights": "aa"}, model),
        ({"embed_dim": 24}, {"weights": "ab"}, model),
        ({"embed_dim": 24}, {"weights": "aa"}, dataclasses.replace(model, preprocessor=Preprocessor({"size": 65}))),
        (
            {"embed_dim": 24},
            {"weights": "aa"},
            dataclasses.replace(model, tokenize=lambda texts: model.tokenize(texts) + 1),
        ),
    ]
    assert len({identity_of(*part) for part in parts}) == len(parts)


def test_the_order_of_a_configuration_does_not_count(model: LoadedModel) -> None:
    there, back = {"embed_dim": 24, "quick_gelu": True}, {"quick_gelu": True, "embed_dim": 24}
    assert identity_of(there, {}, model) == identity_of(back, {}, model)
