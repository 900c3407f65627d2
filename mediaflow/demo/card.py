"""The demo model's card: what it is, how it was made, what it reached, from the records of training and evaluation."""

from __future__ import annotations

from typing import Any

_MODEL, _BASELINE = "model", "bag of colours"


def card(training: dict[str, Any], scores: dict[str, dict[str, Any]]) -> str:
    """Write the card.

    Parameters
    ----------
    training : dict
        What `mediaflow.demo.train` wrote into ``training.json``: the recipe, the number of parameters, CPU seconds.
    scores : dict
        By encoder (``model``, ``bag of colours``) the fields of `mediaflow.demo.evaluate.Scores`.

    Returns
    -------
    str
        Markdown.
    """
    model, recipe = scores[_MODEL], training["recipe"]
    rows = [
        ("Recall@1", "recall_at_1", None),
        ("Recall@5", "recall_at_5", None),
        *((f"Recall@1, held-out {pair}", "by_pair", pair) for pair in model["by_pair"]),
        *((f"right picture before the one of another {name}", "beats_near", name) for name in model["beats_near"]),
    ]
    ranking = "\n".join(
        f"| {title} | {_cell(scores[_MODEL], *at)} | {_cell(scores[_BASELINE], *at)} |" for title, *at in rows
    )
    naming = "\n".join(
        f"| {name} | {_cell(scores[_MODEL], 'names', name)} | {_cell(scores[_BASELINE], 'names', name)} |"
        for name in model["names"]
    )
    return f"""# The demo model
A small open_clip model of the rendered demo world: it knows {training["objects"]} objects in {training["colours"]} \
colours, one to three of them, in {training["places"]} places, by day and by night, and nothing else. Of real films it \
says which pictures look alike, no more. All it has seen was painted by this repository's own code.

open_clip loads the folder as `local-dir:` (pictures are squashed to 64 x 64; the vocabulary is open_clip's own, words \
that no caption used have zero vectors). {training["parameters"]:,} parameters, half precision.

## How it was made
`python -m mediaflow.demo.train` (seed {recipe["seed"]}, {recipe["steps"]} steps, {training["pictures"]:,} pictures, \
{training["training_cpu_s"]} CPU seconds of training after the painting).

## What it reached
`python -m mediaflow.demo.evaluate`: {model["questions"]} questions in sentences that training did not use, each with \
a pair of attributes that never came together in training, {model["candidates"]} candidates each, five of which differ \
from the right one in one attribute alone. The pictures are kept frames of H.264 films of another seed, out of the \
decode pass that every film goes through. The baseline predicts a picture's colours from the words.

| share of questions | {_MODEL} | {_BASELINE} |
|---|---|---|
{ranking}

Of captions that differ in one attribute alone, over all its values, the true one fits the picture best \
(share of pictures):

| attribute | {_MODEL} | {_BASELINE} |
|---|---|---|
{naming}
"""


def _cell(scores: dict[str, Any], field: str, key: str | None) -> str:
    value = scores[field] if key is None else scores[field][key]
    return f"{value:.3f}"
