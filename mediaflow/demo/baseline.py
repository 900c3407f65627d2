"""The baseline that a demo model must leave behind: words stand for colours, pictures are bags of colours."""

from __future__ import annotations

import re
from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from mediaflow.demo.captions import TRAINING_TEMPLATES, Ask, caption
from mediaflow.demo.pictures import scene_group

_LEVELS = 6  # a channel


class BagOfColours:
    """Predicts a picture's colour histogram from the words of its caption, by ridge regression on training scenes.

    Histograms have 216 bins and are compared as square roots (Hellinger distance).

    Parameters
    ----------
    groups : int
        Groups of training scenes to learn from.
    """

    def __init__(self, groups: int = 250) -> None:
        rng = np.random.default_rng(53)
        painted = [scene_group(seed) for seed in range(groups)]
        scenes = [scene for group, _ in painted for scene in group]
        pictures = np.concatenate([views[:, 0] for _, views in painted])
        texts = [caption(Ask.whole(scene), TRAINING_TEMPLATES[0], rng) for scene in scenes]
        vocabulary = sorted({word for text in texts for word in _words(text)})
        self._columns = {word: column for column, word in enumerate(vocabulary)}
        bags = self._bags(texts)
        histograms = np.stack([_histogram(picture) for picture in pictures])
        gram = bags.T @ bags + np.eye(bags.shape[1], dtype=np.float32)
        self._weights = np.linalg.solve(gram, bags.T @ histograms).astype(np.float32)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Predict histograms, shape (n, 216), unit norm."""
        predicted = self._bags(texts) @ self._weights
        unit: NDArray[np.float32] = predicted / np.linalg.norm(predicted, axis=1, keepdims=True)
        return unit

    def encode_jpegs(self, jpegs: Sequence[bytes]) -> NDArray[np.float32]:
        """Count colours, shape (n, 216), unit norm."""
        decoded = (cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR_RGB) for jpeg in jpegs)
        return np.stack([_histogram(np.asarray(picture, np.uint8)) for picture in decoded])

    def _bags(self, texts: Sequence[str]) -> NDArray[np.float32]:
        bags = np.zeros((len(texts), len(self._columns) + 1), np.float32)
        bags[:, -1] = 1
        for row, text in enumerate(texts):
            for word in _words(text):
                if word in self._columns:
                    bags[row, self._columns[word]] = 1
        return bags


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text)


def _histogram(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    level = picture.reshape(-1, 3).astype(np.int64) * _LEVELS // 256
    bins = level @ np.array([_LEVELS**2, _LEVELS, 1])
    counts = np.bincount(bins, minlength=_LEVELS**3).astype(np.float32)
    shares: NDArray[np.float32] = np.sqrt(counts / counts.sum())
    return shares
