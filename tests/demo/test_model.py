"""The committed demo model: it finds what was never seen together, and its card tells the truth."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mediaflow.demo.captions import ATTRIBUTES
from mediaflow.demo.card import card
from mediaflow.demo.evaluate import EVALUATION_SEED, MODEL_FOLDER, Query, measure, questions
from mediaflow.demo.footage import film_scenes
from mediaflow.demo.train import CONFIG
from mediaflow.models.openclip import OpenClipEncoder, load_folder

QUESTIONS = 40


@pytest.fixture(scope="module")
def encoder() -> OpenClipEncoder:
    """The committed weights, as the algorithms load them."""
    return OpenClipEncoder(load_folder(MODEL_FOLDER, "demo"), "demo", CONFIG["model_cfg"]["embed_dim"])


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Query], list[bytes]]:
    """A fifth of the questions of the full evaluation, with films of their own."""
    queries, scenes = questions(QUESTIONS, EVALUATION_SEED)
    return queries, film_scenes(scenes, tmp_path_factory.mktemp("films"), EVALUATION_SEED)


def test_the_model_finds_pairs_it_never_saw_together(
    encoder: OpenClipEncoder, asked: tuple[list[Query], list[bytes]]
) -> None:
    scores = measure(encoder, *asked)
    committed = json.loads((MODEL_FOLDER / "scores.json").read_bytes())["model"]
    # Forty questions of two hundred: three standard errors of a share of 0.9 are 0.14.
    assert scores.recall_at_1 >= committed["recall_at_1"] - 0.14
    for attribute in ATTRIBUTES:
        assert scores.beats_near[attribute] >= committed["beats_near"][attribute] - 0.14


def test_plain_words_find_plain_pictures(encoder: OpenClipEncoder, asked: tuple[list[Query], list[bytes]]) -> None:
    queries, jpegs = asked
    pictures = encoder.encode_jpegs([jpegs[query.right] for query in queries])
    nights = encoder.encode_texts(["a scene at night", "a scene by day"])
    darker = (pictures @ nights.T).argmax(1) == 0
    right = [dark == (query.scene.time == "night") for dark, query in zip(darker, queries, strict=True)]
    assert sum(right) >= 0.9 * len(queries)


def test_the_card_tells_what_training_and_evaluation_wrote() -> None:
    training = json.loads((MODEL_FOLDER / "training.json").read_bytes())
    scores = json.loads((MODEL_FOLDER / "scores.json").read_bytes())
    text = (MODEL_FOLDER / "README.md").read_text(encoding="utf-8")
    assert text == card(training, scores)
    assert f"{scores['model']['recall_at_1']:.3f}" in text
    assert json.loads((MODEL_FOLDER / "open_clip_config.json").read_bytes()) == CONFIG


def test_the_folder_stays_small() -> None:
    files: list[Path] = [file for file in MODEL_FOLDER.iterdir() if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 10_000_000
