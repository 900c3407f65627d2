"""Trains the demo model on rendered scenes: ``python -m mediaflow.demo.train``.

Pictures are painted first, by as many processes as there are cores. Then three losses share the work: a contrastive
one learns which captions fit which pictures, a second one to tell apart pictures that captions cannot, and heads that
are thrown away afterwards must name each attribute from the vector alone, of a picture as of a caption: that keeps
attributes apart in the vectors, so that they can meet in pairs that training never shows.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from mediaflow.demo.abstracts import abstract_views
from mediaflow.demo.captions import (
    ATTRIBUTES,
    TRAINING_TEMPLATES,
    Ask,
    caption,
    held_out_pairs,
    keywords,
    scene_bits,
    values_of,
)
from mediaflow.demo.pictures import SIDE, VIEWS, scene_group
from mediaflow.demo.world import COLOURS, OBJECTS, PLACES, Scene

MODEL_FOLDER = Path(__file__).parent / "model"
CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 192,
        "vision_cfg": {"image_size": SIDE, "layers": [1, 2, 3, 1], "width": 16, "head_width": 64, "patch_size": None},
        "text_cfg": {"context_length": 24, "vocab_size": 49408, "width": 48, "heads": 4, "layers": 1},
    },
    "preprocess_cfg": {
        "mean": [0.42, 0.44, 0.46],
        "std": [0.27, 0.27, 0.28],
        "interpolation": "bicubic",
        "resize_mode": "squash",
    },
}

# Softer than what captions need: two views of a shot may differ, by what passes by or by a fade.
_TWIN_SCALE = 20.0
_NAMES = [len(values_of(attribute)) for attribute in ATTRIBUTES]


@dataclass(frozen=True)
class Recipe:
    """How much is painted and how long it is looked at; the defaults take some 20 minutes on 2 cores.

    Attributes
    ----------
    groups, abstracts : int
        Groups of scenes and palettes of pictures of nothing that are painted.
    steps : int
        Steps of the optimiser.
    batch_groups, batch_twins, batch_abstracts : int
        In each step: groups of scenes, scenes that come with a second view, and palettes of pictures of nothing, which
        come with two views each.
    peak_lr, weight_decay : float
        Of AdamW, with a linear warm-up and a cosine decay.
    twin_weight, naming_weight : float
        Weights of the loss between views of the same picture, and of that of the naming heads.
    seed : int
        Paints the same pictures and draws the same batches.
    """

    groups: int = 5000
    abstracts: int = 4000
    steps: int = 1100
    batch_groups: int = 40
    batch_twins: int = 12
    batch_abstracts: int = 24
    peak_lr: float = 2e-3
    weight_decay: float = 0.05
    twin_weight: float = 1.2
    naming_weight: float = 1.0
    seed: int = 0


@dataclass(frozen=True)
class Pool:
    """What is painted before the training.

    Attributes
    ----------
    scenes : list of list of Scene
        By group.
    pictures : ndarray, uint8, shape (groups, GROUP, VIEWS, 64, 64, 3)
        RGB.
    abstracts : ndarray, uint8, shape (abstracts, PALETTE, VIEWS, 64, 64, 3)
        RGB.
    """

    scenes: list[list[Scene]]
    pictures: NDArray[np.uint8]
    abstracts: NDArray[np.uint8]


def paint(recipe: Recipe) -> Pool:
    """Paint all pictures of a recipe."""
    first = recipe.seed * 1_000_000
    workers = os.cpu_count() or 1
    with multiprocessing.get_context("spawn").Pool(workers, cv2.setNumThreads, (1,)) as processes:
        groups = processes.map(scene_group, range(first, first + recipe.groups), chunksize=32)
        abstracts = processes.map(abstract_views, range(first, first + recipe.abstracts), chunksize=32)
    return Pool([scenes for scenes, _ in groups], np.stack([views for _, views in groups]), np.stack(abstracts))


def train(recipe: Recipe, pool: Pool) -> open_clip.CLIP:
    """Train a new model.

    Returns
    -------
    torch.nn.Module
        An open_clip model of the architecture in `CONFIG`, in evaluation mode; rows of the token table that no
        caption used are zero, so that an unknown word says nothing.
    """
    torch.manual_seed(recipe.seed)
    rng = np.random.default_rng([recipe.seed, 31])
    model = open_clip.CLIP(**CONFIG["model_cfg"])
    heads = nn.Linear(CONFIG["model_cfg"]["embed_dim"], sum(_NAMES))
    tokenizer = open_clip.SimpleTokenizer(context_length=CONFIG["model_cfg"]["text_cfg"]["context_length"])
    groups = _parameter_groups(nn.ModuleList([model, heads]), recipe.weight_decay)
    optimiser = torch.optim.AdamW(groups, betas=(0.9, 0.98))
    seen = torch.zeros(CONFIG["model_cfg"]["text_cfg"]["vocab_size"], dtype=torch.bool)
    started, shown = time.monotonic(), 0.0
    model.train()
    for step in range(recipe.steps):
        for group in optimiser.param_groups:
            group["lr"] = _learning_rate(step, recipe)
        batch = _draw(pool, recipe, rng, tokenizer)
        seen[batch.tokens.flatten()] = True
        loss, twin_loss, naming_loss = _losses(model, heads, batch)
        optimiser.zero_grad(set_to_none=True)
        (loss + recipe.twin_weight * twin_loss + recipe.naming_weight * naming_loss).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        model.logit_scale.data.clamp_(max=math.log(100))
        shown = loss.item() if step == 0 else 0.95 * shown + 0.05 * loss.item()
        if (step + 1) % 25 == 0:
            minutes = (time.monotonic() - started) / 60
            print(f"step {step + 1} of {recipe.steps}: loss {shown:.3f}, {minutes:.1f} min", flush=True)
    with torch.no_grad():
        model.token_embedding.weight[~seen] = 0
    return model.eval()


def save(model: nn.Module, folder: Path) -> None:
    """Write the model as a folder that open_clip loads by ``local-dir:``, in half precision."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "open_clip_config.json").write_text(json.dumps(CONFIG, indent=1) + "\n", encoding="utf-8")
    weights = {
        name: tensor.detach().half().contiguous() if tensor.is_floating_point() else tensor
        for name, tensor in model.state_dict().items()
    }
    save_file(weights, folder / "open_clip_model.safetensors")
    (folder / "open_clip_model.safetensors").chmod(0o644)


@dataclass(frozen=True)
class _Batch:
    pictures: Tensor  # (pictures, 3, 64, 64): the captioned ones, then twins of the first ones, then abstract pairs
    tokens: Tensor  # (texts, context): whole captions of all captioned pictures, then partial ones of every second
    fits: Tensor  # bool (texts, captioned): whether the caption is true of the picture
    values: Tensor  # int64 (captioned, 5): which value each attribute has
    captioned: int
    twins: int


def _draw(pool: Pool, recipe: Recipe, rng: np.random.Generator, tokenizer: Any) -> _Batch:
    chosen = rng.choice(len(pool.scenes), recipe.batch_groups, replace=False)
    scenes = [scene for group in chosen for scene in pool.scenes[group]]
    view = rng.integers(VIEWS, size=len(scenes))
    shots = pool.pictures[chosen].reshape(-1, VIEWS, SIDE, SIDE, 3)
    first, other = shots[np.arange(len(scenes)), view], shots[np.arange(len(scenes)), 1 - view]
    twins = np.sort(rng.choice(len(scenes), recipe.batch_twins, replace=False))
    order = np.concatenate([twins, np.setdiff1d(np.arange(len(scenes)), twins)])
    scenes, first, other = [scenes[index] for index in order], first[order], other[order[: len(twins)]]
    drawn = pool.abstracts[rng.choice(len(pool.abstracts), recipe.batch_abstracts, replace=False)]
    blank = drawn.reshape(-1, VIEWS, SIDE, SIDE, 3)
    pictures = _jitter(np.concatenate([first, other, blank[:, 0], blank[:, 1]]), len(scenes) + len(twins), rng)
    asks = [Ask.whole(scene) for scene in scenes] + [Ask.partial(scene, rng) for scene in scenes[::2]]
    bits = np.array([scene_bits(scene) for scene in scenes])
    masks = np.array([ask.mask() for ask in asks])
    texts = [_caption(ask, rng) for ask in asks]
    fits = torch.from_numpy((masks[:, None] & bits[None]) == bits[None])
    values = torch.tensor([_values(scene) for scene in scenes])
    return _Batch(pictures, tokenizer(texts), fits, values, len(scenes), len(twins))


def _values(scene: Scene) -> list[int]:
    return [values_of(attribute).index(getattr(scene, attribute)) for attribute in ATTRIBUTES]


def _caption(ask: Ask, rng: np.random.Generator) -> str:
    if rng.random() < 0.15:
        return keywords(ask)
    return caption(ask, TRAINING_TEMPLATES[int(rng.integers(len(TRAINING_TEMPLATES)))], rng)


def _jitter(pictures: NDArray[np.uint8], mirrors: int, rng: np.random.Generator) -> Tensor:
    """Shift and relight pictures, mirror some of the first ones, and normalise as the model's preprocessing does."""
    # Channels first in memory too: narrow convolutions are many times slower on a CPU with channels last.
    values = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous().float() / 255
    count = len(pictures)
    mirrored = torch.from_numpy((rng.random(count) < 0.5) & (np.arange(count) < mirrors))
    values = torch.where(mirrored[:, None, None, None], values.flip(3), values)
    padded = nn.functional.pad(values, (3, 3, 3, 3), mode="replicate")
    shifts = rng.integers(0, 7, (count, 2))
    values = torch.stack([padded[i, :, y : y + SIDE, x : x + SIDE] for i, (y, x) in enumerate(shifts)])
    gain = torch.from_numpy(rng.uniform(0.9, 1.1, (count, 1, 1, 1)).astype(np.float32))
    mean = torch.tensor(CONFIG["preprocess_cfg"]["mean"])[:, None, None]
    std = torch.tensor(CONFIG["preprocess_cfg"]["std"])[:, None, None]
    return ((values * gain).clamp(0, 1) - mean) / std


def _losses(model: nn.Module, heads: nn.Module, batch: _Batch) -> tuple[Tensor, Tensor, Tensor]:
    """Give the losses between captions and pictures, between two views of a picture, and of the naming heads.

    The first two are cross entropies over cosines (van den Oord et al., 2018), spread evenly over all that fits where
    more than one does (Khosla et al., 2020).
    """
    pictures = model.encode_image(batch.pictures, normalize=True)  # type: ignore[operator]
    texts = model.encode_text(batch.tokens, normalize=True)  # type: ignore[operator]
    scale = model.logit_scale.exp()  # type: ignore[operator]
    captioned, twins = batch.captioned, batch.twins
    logits = scale * texts @ pictures[:captioned].T
    whole = slice(0, captioned)
    by_text = _spread(logits, batch.fits)
    by_picture = _spread(logits[whole].T, batch.fits[whole].T)
    same = _TWIN_SCALE * pictures @ pictures.T
    same = same - 1e4 * torch.eye(len(pictures))
    abstracts = (len(pictures) - captioned - twins) // 2
    start = captioned + twins
    left = torch.cat([torch.arange(twins), start + torch.arange(abstracts)])
    right = torch.cat([captioned + torch.arange(twins), start + abstracts + torch.arange(abstracts)])
    twin_loss = nn.functional.cross_entropy(same[left], right) + nn.functional.cross_entropy(same[right], left)
    naming_loss = _naming(heads, pictures[:captioned], batch.values) + _naming(heads, texts[whole], batch.values)
    return (by_text + by_picture) / 2, twin_loss / 2, naming_loss / 2


def _naming(heads: nn.Module, vectors: Tensor, values: Tensor) -> Tensor:
    """Cross entropy of each attribute's name, among the values that training shows beside the others.

    A value that would make a held-out pair does not compete: otherwise the heads would learn that such pairs do not
    exist.
    """
    named = (heads(vectors) * math.sqrt(vectors.shape[1])).split(_NAMES, dim=1)
    thing, colour, _, place, _ = values.T
    shown = {0: _COLOURS_SHOWN.T[colour] & _PLACES_SHOWN.T[place], 1: _COLOURS_SHOWN[thing], 3: _PLACES_SHOWN[thing]}
    losses = []
    for attribute, logits in enumerate(named):
        if attribute in shown:
            logits = logits.masked_fill(~shown[attribute], -1e4)
        losses.append(nn.functional.cross_entropy(logits, values[:, attribute]))
    return torch.stack(losses).sum()


def _shown(pair: str, scenes: list[list[Scene]]) -> Tensor:
    return torch.tensor([[pair not in held_out_pairs(scene) for scene in row] for row in scenes])


_COLOURS_SHOWN = _shown("colour x object", [[Scene(o, c, 1, PLACES[0], "day") for c in COLOURS] for o in OBJECTS])
_PLACES_SHOWN = _shown("object x place", [[Scene(o, "red", 1, p, "day") for p in PLACES] for o in OBJECTS])


def _spread(logits: Tensor, fits: Tensor) -> Tensor:
    share = fits.float() / fits.sum(1, keepdim=True)
    return -(share * logits.log_softmax(1)).sum(1).mean()


def _learning_rate(step: int, recipe: Recipe) -> float:
    warm_up = 100
    if step < warm_up:
        return recipe.peak_lr * (step + 1) / warm_up
    return recipe.peak_lr * (0.5 + 0.5 * math.cos(math.pi * (step - warm_up) / max(1, recipe.steps - warm_up)))


def _parameter_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    decayed = [p for p in model.parameters() if p.ndim > 1]
    others = [p for p in model.parameters() if p.ndim <= 1]
    return [{"params": decayed, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def main() -> None:
    """Paint, train and save, as the command line says."""
    parser = argparse.ArgumentParser(prog="python -m mediaflow.demo.train", description=main.__doc__)
    parser.add_argument("--steps", type=int, default=Recipe.steps, help="steps of the optimiser")
    parser.add_argument("--groups", type=int, default=Recipe.groups, help="groups of scenes to paint")
    parser.add_argument("--out", type=Path, default=MODEL_FOLDER, help="folder to write")
    arguments = parser.parse_args()
    recipe = Recipe(steps=arguments.steps, groups=arguments.groups)
    started = os.times()
    pool = paint(recipe)
    painted = os.times()
    print(f"painted in {painted.elapsed - started.elapsed:.0f} s", flush=True)
    model = train(recipe, pool)
    trained = os.times()
    save(model, arguments.out)
    record = {
        "recipe": asdict(recipe),
        "objects": len(OBJECTS),
        "colours": len(COLOURS),
        "places": len(PLACES),
        "pictures": pool.pictures[..., 0, 0, 0].size + pool.abstracts[..., 0, 0, 0].size,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "training_cpu_s": round(_cpu_s(trained) - _cpu_s(painted)),
    }
    (arguments.out / "training.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"trained in {trained.elapsed - painted.elapsed:.0f} s", flush=True)


def _cpu_s(times: os.times_result) -> float:
    return times.user + times.system + times.children_user + times.children_system


if __name__ == "__main__":
    main()
