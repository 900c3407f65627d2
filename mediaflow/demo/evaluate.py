"""Measures the demo model where it was not trained: ``python -m mediaflow.demo.evaluate``.

Every question asks for a pair of attributes that never came together in training, in sentences that were not used in
training; the pictures are kept frames of films of another seed, encoded and decoded as any user's film.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mediaflow.demo.baseline import BagOfColours
from mediaflow.demo.captions import (
    ATTRIBUTES,
    HELD_OUT_TEMPLATES,
    Ask,
    caption,
    changed,
    held_out_pairs,
    random_scene,
    values_of,
    with_other,
)
from mediaflow.demo.card import card
from mediaflow.demo.footage import film_scenes
from mediaflow.demo.world import Scene

MODEL_FOLDER = Path(__file__).parent / "model"
EVALUATION_SEED = 9001
CANDIDATES = 200

Vectors = NDArray[np.float32]


class TwoTowers(Protocol):
    """What can be measured: unit vectors of texts and of pictures in one space."""

    def encode_texts(self, texts: Sequence[str]) -> NDArray[Any]:
        """Give (n, dim) float32."""
        ...

    def encode_jpegs(self, jpegs: Sequence[bytes]) -> NDArray[Any]:
        """Give (n, dim) float32."""
        ...


@dataclass(frozen=True)
class Query:
    """One question: its words, the scene they describe, and where in the list of scenes its candidates are.

    Attributes
    ----------
    text : str
        The caption.
    scene : Scene
        What is asked for.
    right : int
        Number of the scene that is right.
    near : dict of str to int
        By attribute, the number of a scene that differs from the right one in this attribute alone.
    candidates : ndarray, int64, shape (CANDIDATES,)
        Numbers of scenes: the right one, the near ones, and others that do not fit the words.
    """

    text: str
    scene: Scene
    right: int
    near: dict[str, int]
    candidates: NDArray[np.int64]


def questions(count: int, seed: int) -> tuple[list[Query], list[Scene]]:
    """Draw questions and the scenes that must be filmed for them.

    Parameters
    ----------
    count : int
        How many questions; each needs six scenes, and `CANDIDATES` of them must be there.
    seed : int
        The same seed asks the same.
    """
    rng = np.random.default_rng([seed, 37])
    asked: list[Scene] = []
    while len(asked) < count:
        scene = random_scene(rng, held_out=True)
        if scene not in asked:
            asked.append(scene)
    scenes: list[Scene] = []
    for scene in asked:
        scenes += [scene, *(with_other(scene, attribute, rng) for attribute in ATTRIBUTES)]
    found = []
    for number, scene in enumerate(asked):
        first = number * (1 + len(ATTRIBUTES))
        group = np.arange(first, first + 1 + len(ATTRIBUTES))
        others = np.array([i for i, other in enumerate(scenes) if other != scene and i not in group])
        rest = rng.choice(others, CANDIDATES - len(group), replace=False)
        near = {attribute: first + 1 + i for i, attribute in enumerate(ATTRIBUTES)}
        text = caption(Ask.whole(scene), HELD_OUT_TEMPLATES[number % len(HELD_OUT_TEMPLATES)], rng)
        found.append(Query(text, scene, first, near, np.concatenate([group, rest])))
    return found, scenes


@dataclass(frozen=True)
class Scores:
    """What an encoder reached; all but `questions` and `candidates` are shares of the questions.

    Attributes
    ----------
    recall_at_1, recall_at_5 : float
        The right picture is first, or among the first five, of all candidates.
    by_pair : dict of str to float
        Recall@1 over the questions with a held-out pair of this kind.
    beats_near : dict of str to float
        By attribute: the right picture comes before the one that differs in this attribute alone (chance 0.5).
    names : dict of str to float
        By attribute: of the captions that differ in this attribute alone, over all its values, the true one fits the
        picture best.
    """

    questions: int
    candidates: int
    recall_at_1: float
    recall_at_5: float
    by_pair: dict[str, float]
    beats_near: dict[str, float]
    names: dict[str, float]


def score(queries: list[Query], texts: Vectors, pictures: Vectors, names: dict[str, float]) -> Scores:
    """Rank the candidates of each question by cosine.

    Parameters
    ----------
    queries : list of Query
        The questions.
    texts : ndarray, float32, shape (questions, dim)
        Unit vectors of their words.
    pictures : ndarray, float32, shape (scenes, dim)
        Unit vectors of the pictures.
    names : dict of str to float
        Goes into the result as it is.
    """
    cosines = texts @ pictures.T
    # Ties count against the model: one vector for all pictures must reach nothing.
    ranks = np.array([(row[q.candidates] >= row[q.right]).sum() - 1 for q, row in zip(queries, cosines, strict=True)])
    first = ranks == 0
    kinds = sorted({kind for query in queries for kind in held_out_pairs(query.scene)})
    held = {kind: np.array([kind in held_out_pairs(query.scene) for query in queries]) for kind in kinds}
    near = {
        attribute: [row[q.right] > row[q.near[attribute]] for q, row in zip(queries, cosines, strict=True)]
        for attribute in ATTRIBUTES
    }
    return Scores(
        questions=len(queries),
        candidates=CANDIDATES,
        recall_at_1=_share(first),
        recall_at_5=_share(ranks < 5),
        by_pair={kind: _share(first[where]) for kind, where in held.items()},
        beats_near={attribute: _share(np.array(better)) for attribute, better in near.items()},
        names=names,
    )


def naming(encoder: TwoTowers, queries: list[Query], pictures: Vectors) -> dict[str, float]:
    """Let captions that differ in one attribute compete for each right picture; see `Scores.names`."""
    result = {}
    for attribute in ATTRIBUTES:
        values = values_of(attribute)
        texts, true = [], []
        for number, query in enumerate(queries):
            for value in values:
                variant = changed(query.scene, attribute, value)
                same_words = np.random.default_rng([41, number])
                template = HELD_OUT_TEMPLATES[number % len(HELD_OUT_TEMPLATES)]
                texts.append(caption(Ask.whole(variant), template, same_words))
            true.append(values.index(getattr(query.scene, attribute)))
        vectors = encoder.encode_texts(texts).reshape(len(queries), len(values), -1)
        shown = pictures[[query.right for query in queries]]
        best = np.einsum("qvd,qd->qv", vectors, shown).argmax(1)
        result[attribute] = _share(best == np.array(true))
    return result


def measure(encoder: TwoTowers, queries: list[Query], jpegs: list[bytes]) -> Scores:
    """Let an encoder answer all questions.

    Parameters
    ----------
    encoder : TwoTowers
        What is under test.
    queries : list of Query
        The questions.
    jpegs : list of bytes
        Pictures of the scenes that `questions` gave with them, in their order.
    """
    pictures = encoder.encode_jpegs(jpegs)
    texts = encoder.encode_texts([query.text for query in queries])
    return score(queries, texts, pictures, naming(encoder, queries, pictures))


def _share(hits: NDArray[np.bool_]) -> float:
    return round(float(hits.mean()), 4)


def main() -> None:
    """Evaluate the demo model and print its card; with --write, put card and scores beside the weights."""
    from mediaflow.models.openclip import OpenClipEncoder, load_folder

    parser = argparse.ArgumentParser(prog="python -m mediaflow.demo.evaluate", description=main.__doc__)
    parser.add_argument("--questions", type=int, default=200, help="how many")
    parser.add_argument("--model", type=Path, default=MODEL_FOLDER, help="the model's folder")
    parser.add_argument("--write", action="store_true", help="write README.md and scores.json into the model's folder")
    arguments = parser.parse_args()
    started = time.process_time()
    model = load_folder(arguments.model, "demo")
    dim = json.loads((arguments.model / "open_clip_config.json").read_bytes())["model_cfg"]["embed_dim"]
    queries, scenes = questions(arguments.questions, EVALUATION_SEED)
    with tempfile.TemporaryDirectory() as folder:
        jpegs = film_scenes(scenes, Path(folder), EVALUATION_SEED)
    encoders: dict[str, TwoTowers] = {"model": OpenClipEncoder(model, "demo", dim), "bag of colours": BagOfColours()}
    plain = {name: asdict(measure(encoder, queries, jpegs)) for name, encoder in encoders.items()}
    text = card(json.loads((arguments.model / "training.json").read_bytes()), plain)
    print(text)
    print(f"({time.process_time() - started:.0f} CPU s)")
    if arguments.write:
        (arguments.model / "scores.json").write_text(json.dumps(plain, indent=1) + "\n", encoding="utf-8")
        (arguments.model / "README.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
