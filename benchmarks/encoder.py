"""Measures the encoder beside its bare model: JPEGs to vectors against ready tensors to vectors, in one loop.

Run: `python -m benchmarks.encoder [--pictures 96] [--batch 32] [--rounds 3] [--model FOLDER]`. Without a folder
the model is an untrained ViT-B-32: what it computes means nothing, what it costs is the same.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import open_clip
import torch
from safetensors.torch import save_file

from benchmarks._claims import Claim, tell
from mediaflow.models.openclip import LoadedModel, OpenClipEncoder, load_folder
from mediaflow.models.sources import CONFIG_FILE, SAFE_WEIGHTS

HEIGHT, WIDTH = 512, 910
TARGET = 0.9


def untrained_folder(folder: Path, architecture: str = "ViT-B-32") -> Path:
    """Write an untrained open_clip model of `architecture` as a folder."""
    network = open_clip.create_model(architecture)
    save_file(network.state_dict(), folder / SAFE_WEIGHTS)
    config = {"model_cfg": open_clip.get_model_config(architecture), "preprocess_cfg": {}}
    (folder / CONFIG_FILE).write_text(json.dumps(config))
    return folder


def frames(count: int) -> list[bytes]:
    """Return pictures like kept frames: short side 512, quality 90, with edges, gradients and grain."""
    random = np.random.default_rng(7)
    jpegs = []
    for _ in range(count):
        coarse = random.integers(0, 256, (9, 16, 3), dtype=np.uint8)
        picture = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        for _ in range(12):
            x, y, radius = random.integers(0, WIDTH), random.integers(0, HEIGHT), random.integers(10, 120)
            colour = [int(value) for value in random.integers(0, 256, 3)]
            cv2.circle(picture, (int(x), int(y)), int(radius), colour, -1, cv2.LINE_AA)
        grain = random.normal(0, 4, picture.shape)
        grainy = np.clip(picture + grain, 0, 255).astype(np.uint8)
        jpegs.append(cv2.imencode(".jpg", grainy, [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes())
    return jpegs


def bare(model: LoadedModel, pictures: torch.Tensor, batch: int) -> None:
    """Run ready, normalised tensors through the model, nothing else."""
    with torch.inference_mode():
        for part in pictures.split(batch):
            model.network.encode_image(part, normalize=True).cpu()


def measure(work: Callable[[], object]) -> tuple[float, float]:
    """Return wall and CPU seconds of one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def compare(model: LoadedModel, count: int, batch: int, rounds: int) -> Claim:
    """Print both sides and return the ratio of their throughputs as a claim (medians of interleaved rounds)."""
    jpegs = frames(count)
    encoder = OpenClipEncoder(model, "benchmark", model.network.encode_text(model.tokenize(["a"])).shape[1], batch)
    ready = torch.randn(count, 3, *model.preprocessor.size, device=model.device)
    sides: dict[str, Callable[[], object]] = {
        "bare model": lambda: bare(model, ready, batch),
        "encoder": lambda: encoder.encode_jpegs(jpegs),
    }
    for work in sides.values():
        work()
    runs = [{name: measure(work) for name, work in sides.items()} for _ in range(rounds)]
    wall = {name: float(np.median([run[name][0] for run in runs])) for name in sides}
    size = np.mean([len(data) for data in jpegs]) / 1024
    print(f"{count} JPEGs of {WIDTH}x{HEIGHT} ({size:.0f} KiB), batches of {batch}, on {model.device}")
    print(f"{'side':<12}{'pictures/s':>12}{'CPU ms/picture':>16}")
    for name in sides:
        cpu = float(np.median([run[name][1] for run in runs]))
        print(f"{name:<12}{count / wall[name]:>12.1f}{1000 * cpu / count:>16.1f}")
    ratio = wall["bare model"] / wall["encoder"]
    seconds = float(np.median([run["encoder"][1] for run in runs]))
    return Claim("encoder / bare model, pictures a second", ratio, seconds, least=TARGET)


def main() -> int:
    """Return 0 when the encoder keeps up with its model, else 1."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=96)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", type=Path, help="an open_clip folder in place of the untrained ViT-B-32")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.model or untrained_folder(Path(temporary))
        claim = compare(load_folder(folder, str(folder)), options.pictures, options.batch, options.rounds)
    return tell(claim)


if __name__ == "__main__":
    raise SystemExit(main())
