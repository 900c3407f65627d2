"""What a user writes as a model's name, and the sentence for what cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediaflow.errors import AlgorithmError
from mediaflow.models.sources import DEMO_FOLDER, FileSource, FolderSource, HubSource, source_of

NAMES = {
    "demo": FolderSource("demo", DEMO_FOLDER),
    "/models/mine": FolderSource("/models/mine", Path("/models/mine")),
    "/models/a@b": FolderSource("/models/a@b", Path("/models/a@b")),
    "./mine": FolderSource("./mine", Path.cwd() / "mine"),
    "~/mine": FolderSource("~/mine", Path.home() / "mine"),
    "ViT-B-32@/models/w.safetensors": FileSource(
        "ViT-B-32@/models/w.safetensors", "ViT-B-32", Path("/models/w.safetensors")
    ),
    "ViT-B-32@w.bin": FileSource("ViT-B-32@w.bin", "ViT-B-32", Path.cwd() / "w.bin"),
    "ViT-B-32/laion2b_s34b_b79k": HubSource(
        "ViT-B-32/laion2b_s34b_b79k", "ViT-B-32", "laion2b_s34b_b79k", Path("cache")
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_means_a_source(name: str) -> None:
    assert source_of(name, Path("cache")) == NAMES[name]


@pytest.mark.parametrize("name", ["", "ViT-B-32", "ViT-B-32@", "@file", "ViT-B-32/", "/".join("abc")])
def test_what_is_no_name_is_said_with_what_is(name: str) -> None:
    with pytest.raises(AlgorithmError, match=r"is no model's name; write demo, a folder"):
        source_of(name, Path("cache"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("./nowhere", "no readable open_clip_config.json"),
        ("ViT-B-32@/nowhere.safetensors", "there is no file /nowhere.safetensors"),
        ("ViT-Z-32@{here}", "knows no architecture 'ViT-Z-32'"),
        ("ViT-Z-32/laion2b", "knows no architecture 'ViT-Z-32'"),
        ("ViT-B-32/no_such_tag", "lists no weights 'no_such_tag' for ViT-B-32"),
        ("ViT-B-16-SigLIP/webli", "needs the package transformers"),
    ],
)
def test_what_cannot_be_had_is_said_with_what_to_do(name: str, reason: str) -> None:
    name = name.format(here=__file__)
    with pytest.raises(AlgorithmError, match=reason) as caught:
        source_of(name, Path("cache")).material()
    assert "MEDIAFLOW_VISUAL_MODEL=demo" in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("config", ["", "[]", "{}", '{"model_cfg": 3}', '{"model_cfg": {"text_cfg": null}}'])
def test_a_folder_with_a_broken_configuration_is_refused(config: str, tmp_path: Path) -> None:
    (tmp_path / "open_clip_config.json").write_text(config)
    source = source_of(str(tmp_path), Path("cache"))
    assert source.facts() is None
    with pytest.raises(AlgorithmError, match="is no configuration of open_clip"):
        source.material()


def test_a_folder_without_weights_is_refused(small_model: Path, tmp_path: Path) -> None:
    (tmp_path / "open_clip_config.json").write_bytes((small_model / "open_clip_config.json").read_bytes())
    with pytest.raises(AlgorithmError, match=r"there is no open_clip_model\.safetensors in"):
        source_of(str(tmp_path), Path("cache")).material()
