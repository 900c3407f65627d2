"""Small open_clip models, made untrained from a seed, and real frames to look at."""

from __future__ import annotations

import copy
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

SMALL: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 24,
        "vision_cfg": {"image_size": 64, "layers": 2, "width": 64, "head_width": 16, "patch_size": 8},
        "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
    },
    "preprocess_cfg": {"mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3]},
}

FILMS = ("bbb_480p_30s.mp4", "bikes_10s.mp4", "chaplin_10s.mp4", "intel_car-detection.mp4", "sintel_26s_480p.mp4")

MakeModel = Callable[..., Path]


@pytest.fixture(scope="session")
def make_model() -> MakeModel:
    """Write an untrained model as a folder: `make(folder, seed=1, model_cfg={...}, preprocess_cfg={...})`."""
    import open_clip
    import torch
    from safetensors.torch import save_file

    def make(folder: Path, seed: int = 1, **changes: dict[str, Any]) -> Path:
        config = copy.deepcopy(SMALL)
        for part, values in changes.items():
            config[part].update(values)
        folder.mkdir(parents=True, exist_ok=True)
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = open_clip.CLIP(**copy.deepcopy(config["model_cfg"]))
        state = {key: value.half() for key, value in network.state_dict().items()}
        save_file(state, folder / "open_clip_model.safetensors")
        (folder / "open_clip_config.json").write_text(json.dumps(config))
        return folder

    return make


@pytest.fixture(scope="session")
def small_model(make_model: MakeModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small untrained model, shared by tests that only read it."""
    return make_model(tmp_path_factory.mktemp("models") / "small")


@pytest.fixture(scope="session")
def frames(shared_data: Path) -> list[bytes]:
    """Kept frames of real films: one a film, short side 512, JPEG quality 90."""
    import av

    jpegs = []
    for film in FILMS:
        with av.open(str(shared_data / "video" / film)) as container:
            frame = next(picture for at, picture in enumerate(container.decode(video=0)) if at == 60)
        image = frame.to_image()
        scale = 512 / min(image.size)
        image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)
        data = io.BytesIO()
        image.save(data, "JPEG", quality=90)
        jpegs.append(data.getvalue())
    return jpegs


@pytest.fixture(scope="session")
def picture() -> np.ndarray:
    """A picture (180, 320, 3) with blocks, lines and grain."""
    random = np.random.default_rng(3)
    coarse = random.integers(0, 256, (6, 8, 3), dtype=np.uint8).repeat(30, axis=0).repeat(40, axis=1)
    return np.clip(coarse + random.normal(0, 8, coarse.shape), 0, 255).astype(np.uint8)
