"""A name leads to a model, the model to its files in the store, and the store to an encoder."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from mediaflow.errors import AlgorithmError
from mediaflow.models.record import ModelRecord
from mediaflow.models.registry import ModelRegistry
from mediaflow.storage.objects import FolderStore

MakeModel = Callable[..., Path]
WEIGHTS = "open_clip_model.safetensors"


class DistantStore(FolderStore):
    """A store whose objects are not files of this machine."""

    def path(self, key: str) -> Path | None:
        return None


@pytest.fixture
def registry(store: FolderStore, tmp_path: Path) -> ModelRegistry:
    return ModelRegistry(store, tmp_path / "cache")


def log_entries(store: FolderStore) -> int:
    return len(list(store.list("models/log/")))


def test_a_model_is_taken_in_once_and_found_ever_after(
    registry: ModelRegistry, store: FolderStore, small_model: Path, tmp_path: Path
) -> None:
    name = str(small_model)
    assert registry.find(name) is None
    record = registry.ensure(name)
    assert (record.name, record.architecture, record.dim, record.image_size) == (name, "own", 24, (64, 64))
    assert registry.find(name) == registry.ensure(name) == record
    assert ModelRegistry(store, tmp_path / "other").find(name) == record
    assert log_entries(store) == 1
    assert store.get(f"models/weights/{record.identity}/{WEIGHTS}") == (small_model / WEIGHTS).read_bytes()
    assert ModelRecord.from_body(json.loads(json.dumps(record.to_body()))) == record
    assert list((tmp_path / "cache").iterdir()) == []


def test_looking_a_name_up_loads_no_torch(small_model: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from mediaflow.models.registry import ModelRegistry; "
        "from mediaflow.storage.objects import FolderStore; "
        f"registry = ModelRegistry(FolderStore(Path({str(tmp_path)!r})), Path('cache')); "
        f"registry.find({str(small_model)!r}); registry.find('demo'); registry.find('ViT-B-32/laion2b_s34b_b79k'); "
        "print(sorted({'torch', 'open_clip', 'numpy', 'PIL'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_identity_follows_what_the_vectors_depend_on(
    registry: ModelRegistry, make_model: MakeModel, tmp_path: Path
) -> None:
    text = {"context_length": 32, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1}
    variants = {
        "same": {},
        "weights": {"seed": 2},
        "size": {"model_cfg": {"embed_dim": 25}},
        "activation": {"model_cfg": {"quick_gelu": True}},
        "mean": {"preprocess_cfg": {"mean": [0.4, 0.5, 0.61]}},
        "resize": {"preprocess_cfg": {"resize_mode": "squash"}},
        "filter": {"preprocess_cfg": {"interpolation": "bilinear"}},
        "tokenizer": {"model_cfg": {"text_cfg": {**text, "tokenizer_kwargs": {"clean": "whitespace"}}}},
    }
    identities = {
        part: registry.ensure(str(make_model(tmp_path / part, **changes))).identity
        for part, changes in variants.items()
    }
    assert len(set(identities.values())) == len(variants)


def test_the_identity_does_not_follow_names_times_or_spelling(
    registry: ModelRegistry, store: FolderStore, make_model: MakeModel, tmp_path: Path
) -> None:
    first = registry.ensure(str(make_model(tmp_path / "first")))
    second = make_model(tmp_path / "second")
    config = json.loads((second / "open_clip_config.json").read_bytes())
    config["preprocess_cfg"]["interpolation"] = "bicubic"
    (second / "open_clip_config.json").write_text(json.dumps(config, indent=8))
    again = registry.ensure(str(second))
    assert again.identity == first.identity
    os.utime(second / WEIGHTS, ns=(1, 1))
    assert registry.find(str(second)) is None
    assert registry.ensure(str(second)) == again
    assert log_entries(store) == 3
    assert registry.encoder(first.identity).encode_texts(["a cat"]).shape == (1, 24)


def test_weights_replaced_in_place_are_another_model_and_the_old_one_stays(
    registry: ModelRegistry, make_model: MakeModel, tmp_path: Path
) -> None:
    name = str(make_model(tmp_path / "model", seed=1))
    before = registry.ensure(name)
    make_model(tmp_path / "model", seed=2)
    assert registry.find(name) is None
    after = registry.ensure(name)
    assert after.identity != before.identity
    old, new = (registry.encoder(record.identity).encode_texts(["a cat"]) for record in (before, after))
    assert np.abs(old - new).max() > 0.01


def test_the_encoder_comes_from_the_store_alone(
    store: FolderStore, make_model: MakeModel, picture: np.ndarray, tmp_path: Path
) -> None:
    folder = make_model(tmp_path / "model")
    registry = ModelRegistry(store, tmp_path / "cache")
    identity = registry.ensure(str(folder)).identity
    here = registry.encoder(identity).encode_pictures([picture])
    for file in folder.iterdir():
        file.unlink()
    assert registry.find(str(folder)) is None
    for other in (store, DistantStore(store.root), DistantStore(store.root)):
        elsewhere = ModelRegistry(other, tmp_path / "elsewhere").encoder(identity)
        assert (elsewhere.identity, elsewhere.dim) == (identity, 24)
        np.testing.assert_allclose(elsewhere.encode_pictures([picture]), here, atol=1e-6)


def test_several_threads_get_one_encoder(registry: ModelRegistry, store: FolderStore, small_model: Path) -> None:
    together = threading.Barrier(4)

    def ask(_: int) -> tuple[ModelRecord, object]:
        together.wait()
        record = registry.ensure(str(small_model))
        return record, registry.encoder(record.identity)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    assert len({record for record, _ in answers}) == len({id(encoder) for _, encoder in answers}) == 1
    assert log_entries(store) == 1


def test_two_processes_that_take_in_a_model_agree(store: FolderStore, small_model: Path, tmp_path: Path) -> None:
    registries = [ModelRegistry(store, tmp_path / f"cache {number}") for number in range(2)]
    together = threading.Barrier(2)

    def ensure(registry: ModelRegistry) -> ModelRecord:
        together.wait()
        return registry.ensure(str(small_model))

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(ensure, registries)
    assert first == second == ModelRegistry(store, tmp_path).find(str(small_model))


def test_a_vocabulary_of_its_own_comes_along(registry: ModelRegistry, make_model: MakeModel, tmp_path: Path) -> None:
    text = {"context_length": 8, "vocab_size": 520, "width": 16, "heads": 2, "layers": 1}
    text["tokenizer_kwargs"] = {"bpe_path": "words.gz"}
    folder = make_model(tmp_path / "model", model_cfg={"text_cfg": text})
    assert registry.find(str(folder)) is None
    with pytest.raises(AlgorithmError, match=r"words\.gz"):
        registry.ensure(str(folder))
    (folder / "words.gz").write_bytes(gzip.compress(b"a vocabulary\nc a\nca t</w>", mtime=0))
    first = registry.ensure(str(folder))
    (folder / "words.gz").write_bytes(gzip.compress(b"a vocabulary\nd o\ndo g</w>", mtime=0))
    second = registry.ensure(str(folder))
    assert first.identity != second.identity
    for record in (first, second):
        assert registry.encoder(record.identity).encode_texts(["cat dog"]).shape == (1, 24)


@pytest.mark.parametrize("damage", ["truncated", "empty", "no safetensors", "not a number", "other vocabulary"])
def test_a_damaged_model_is_refused_in_one_sentence(
    damage: str, registry: ModelRegistry, store: FolderStore, make_model: MakeModel, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    folder = make_model(tmp_path / "model")
    weights = folder / WEIGHTS
    if damage == "not a number":
        save_file({key: value * float("nan") for key, value in load_file(weights).items()}, weights)
    elif damage == "other vocabulary":
        text = {"context_length": 32, "vocab_size": 600, "width": 16, "heads": 2, "layers": 1}
        make_model(folder, model_cfg={"text_cfg": text})
    else:
        whole = weights.read_bytes()
        weights.write_bytes({"truncated": whole[: len(whole) // 2], "empty": b""}.get(damage, b"?" * 500))
    with pytest.raises(AlgorithmError) as caught:
        registry.ensure(str(folder))
    assert str(folder) in caught.value.message and "MEDIAFLOW_VISUAL_MODEL" in caught.value.message
    assert "\n" not in caught.value.message
    assert registry.find(str(folder)) is None
    assert list(store.list("models/")) == []


def test_a_model_damaged_in_the_store_is_noticed_and_comes_back(
    registry: ModelRegistry, store: FolderStore, small_model: Path, tmp_path: Path
) -> None:
    record = registry.ensure(str(small_model))
    key = f"models/weights/{record.identity}/{WEIGHTS}"
    whole = store.get(key)
    store.put(key, whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(AlgorithmError, match="missing or damaged") as caught:
        ModelRegistry(store, tmp_path / "cache").encoder(record.identity)
    assert caught.value.fields["key"] == key
    store.delete(key)
    assert registry.ensure(str(small_model)) == record
    assert registry.encoder(record.identity).dim == 24


def test_an_unknown_identity_is_refused(registry: ModelRegistry) -> None:
    with pytest.raises(AlgorithmError, match="no model of the identity"):
        registry.encoder("0" * 32)
