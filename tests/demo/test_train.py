"""Training: what it leaves behind."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import open_clip
import torch
from PIL import Image

from mediaflow.demo.pictures import shrink
from mediaflow.demo.train import CONFIG, Recipe, paint, save, train

TINY = Recipe(groups=4, abstracts=3, steps=2, batch_groups=4, batch_twins=4, batch_abstracts=2)


def test_a_training_leaves_a_folder_that_open_clip_loads_by_itself(tmp_path: Path) -> None:
    pool = paint(TINY)
    assert pool.pictures.shape[0] == len(pool.scenes) == TINY.groups
    model = train(TINY, pool)
    save(model, tmp_path)
    assert {file.name for file in tmp_path.iterdir()} == {"open_clip_config.json", "open_clip_model.safetensors"}
    assert json.loads((tmp_path / "open_clip_config.json").read_text()) == CONFIG

    scene = pool.scenes[0][0]
    loaded, prepare = open_clip.create_model_from_pretrained(f"local-dir:{tmp_path}")
    tokens = open_clip.get_tokenizer(f"local-dir:{tmp_path}")([f"{scene.colour} {scene.noun}", "vexatious haberdasher"])
    assert tokens.shape == (2, 24)
    rows = loaded.token_embedding(tokens).abs().sum(-1)
    assert (rows[0, :4] > 0).all()
    assert (rows[1, 1:3] == 0).all()

    picture = np.random.default_rng(1).integers(0, 256, (90, 160, 3)).astype(np.uint8)
    ours = torch.from_numpy(shrink(picture).astype(np.float32) / 255).permute(2, 0, 1)
    mean, std = (torch.tensor(CONFIG["preprocess_cfg"][name])[:, None, None] for name in ("mean", "std"))
    assert torch.allclose(prepare(Image.fromarray(picture)), (ours - mean) / std, atol=1e-3)
    with torch.inference_mode():
        assert torch.allclose(
            loaded.encode_text(tokens, normalize=True), model.encode_text(tokens, normalize=True), atol=2e-2
        )
