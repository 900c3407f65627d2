"""Cut-offs: how similar a row must be to mean something, from what queries score that mean none of the rows.

The similarity of a picture to a text has no scale of its own: it differs from model to model. So the cut-off of a
model on a snapshot is the similarity that only a given share of pairs reaches that have nothing to do with each other.

For texts these are descriptions of all kinds of things with the shots of the snapshot. Some texts are nearer to all
pictures than others: so a row is also above the cut-off where it stands out among all that its own text is compared
with, beyond what rows do for unrelated texts (normalization by each model's own impostors; R. Auckenthaler, M. Carey
and H. Lloyd-Thomas, "Score normalization for text-independent speaker verification systems", Digital Signal Processing
10, 2000). Each of the two has half of the share, so that both together have no more than all of it. What fits most of
the rows stands out nowhere, and is found by the first of them.

For pictures the pairs are shots of one title with shots of others, of which some do show the same: there the cut-off
follows from the middle half of the similarities, as if all were as normally distributed as these (median and median
absolute deviation; F. Hampel, "The influence curve and its role in robust estimation", JASA 1974).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import lance
    from numpy.typing import NDArray

    from mediaflow.models.encoder import Encoder

FALSE_POSITIVES = 0.001
"""Share of the rows that an unrelated query lets through."""

_ROWS = 2_048
# Among fewer rows none stands out.
_ENOUGH = 32
# What is seen in pictures of all kinds; any one film has next to nothing of these.
# fmt: off
_THINGS = (
    "accordion", "aquarium", "anvil", "bagpipe", "ballot", "beehive", "bonsai", "bulldozer", "cactus", "calculator",
    "canoe", "carousel", "casserole", "chalkboard", "chandelier", "chess", "dentist", "dolphin", "drawbridge",
    "easel", "escalator", "excavator", "fireplace", "flute", "forklift", "fossil", "gondola", "greenhouse",
    "hammock", "harp", "hedgehog", "igloo", "jigsaw", "kayak", "kettle", "ladle", "lighthouse", "lobster", "loom",
    "microscope", "mosaic", "nest", "oyster", "parachute", "pelican", "piano", "pinwheel", "pottery", "pulpit",
    "quilt", "radar", "rollerskate", "saxophone", "scaffold", "sewing", "shovel", "snowplough", "spreadsheet",
    "stethoscope", "sundial", "tapestry", "telescope", "tractor", "trampoline", "typewriter", "ukulele", "vineyard",
    "walrus", "waterwheel", "xylophone",
)
# fmt: on


@dataclass(frozen=True)
class _Chance:
    """What unrelated texts reach: `similarity` with a sample of rows, and how far one of these is `outstanding`.

    `outstanding` is in deviations from the middle of what a text has with all of them; None where these are too few.
    """

    vectors: NDArray[np.float32]
    similarity: float
    outstanding: float | None = None

    def least(self, vector: NDArray[np.float32]) -> float:
        if self.outstanding is None:
            return self.similarity
        middle, deviation = _middle(self.vectors @ vector)
        return min(self.similarity, float(middle + self.outstanding * deviation)) if deviation else self.similarity


def _middle(values: NDArray[np.float32]) -> tuple[Any, Any]:
    """Return the median of each column, and the standard deviation that its middle half has, if it is normal."""
    middle = np.median(values, axis=0)
    return middle, np.median(np.abs(values - middle), axis=0) / NormalDist().inv_cdf(0.75)


class CutOffs:
    """The cut-offs of one snapshot, each worked out when it is first asked for.

    Parameters
    ----------
    table : callable
        Opens the table of an algorithm whose rows have vectors of unit norm.
    rate : float
        The share of unrelated pairs that may be above a cut-off.
    titles : callable
        Gives the numbers of the titles whose rows count; None for all.
    """

    def __init__(
        self,
        table: Callable[[str], lance.LanceDataset],
        rate: float = FALSE_POSITIVES,
        titles: Callable[[], frozenset[int] | None] = lambda: None,
    ) -> None:
        self.rate = rate
        self._table = table
        self._titles = titles
        self._known: dict[tuple[str, str], Any] = {}
        self._unrelated: dict[str, NDArray[np.float32]] = {}
        self._lock = threading.Lock()

    def within(self, titles: Callable[[], frozenset[int] | None]) -> CutOffs:
        """Return the cut-offs for who may see these titles alone: rows of others have no part in them."""
        narrow = CutOffs(self._table, self.rate, titles)
        narrow._unrelated = self._unrelated
        return narrow

    def of_text(self, algorithm: str, encoder: Encoder, vector: NDArray[np.float32]) -> float:
        """Return the least cosine similarity with a row that is beyond chance, of the text that is `vector` (dim,)."""
        known: _Chance = self._once((algorithm, "texts"), lambda: self._beside_texts(algorithm, encoder))
        return known.least(vector)

    def of_rows(self, algorithm: str) -> float:
        """Return the least cosine similarity of two rows, such as of a picture with a shot, that is beyond chance."""
        return float(self._once((algorithm, "rows"), lambda: self._beside_rows(algorithm)))

    def _once(self, key: tuple[str, str], work_out: Callable[[], Any]) -> Any:
        with self._lock:
            if key not in self._known:
                self._known[key] = work_out()
            return self._known[key]

    def _beside_texts(self, algorithm: str, encoder: Encoder) -> _Chance:
        vectors, _ = self._sample(algorithm)
        if encoder.identity not in self._unrelated:
            self._unrelated[encoder.identity] = encoder.encode_texts([f"a picture of a {thing}" for thing in _THINGS])
        similarities = vectors @ self._unrelated[encoder.identity].T
        if not len(vectors):
            return _Chance(vectors, 1.0)
        middle, deviation = _middle(similarities)
        if len(vectors) < _ENOUGH or not deviation.all():
            return _Chance(vectors, float(np.quantile(similarities, 1 - self.rate)))
        half = 1 - self.rate / 2
        outstanding = np.quantile((similarities - middle) / deviation, half)
        return _Chance(vectors, float(np.quantile(similarities, half)), float(outstanding))

    def _beside_rows(self, algorithm: str) -> float:
        vectors, titles = self._sample(algorithm)
        similarities = (vectors @ vectors.T)[titles[:, None] != titles[None, :]]
        if not similarities.size:
            return 1.0
        middle, deviation = _middle(similarities)
        return float(middle + NormalDist().inv_cdf(1 - self.rate) * deviation)

    def _sample(self, algorithm: str) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
        """Return (rows, dim) vectors of rows spread evenly over those that count, and whose they are."""
        table, titles = self._table(algorithm), self._titles()
        of_theirs = None
        if titles is not None:
            numbers = table.to_table(columns=["title_no"])["title_no"].to_numpy()
            of_theirs = np.flatnonzero(np.isin(numbers, np.fromiter(titles, np.int64, len(titles))))
        count = table.count_rows() if of_theirs is None else len(of_theirs)
        at = np.linspace(0, max(count - 1, 0), min(count, _ROWS)).astype(np.int64)
        at = at if of_theirs is None else of_theirs[at]
        rows = table.take(at, columns=["vector", "title_no"])
        vectors = rows["vector"].combine_chunks()
        flat = vectors.flatten().to_numpy(zero_copy_only=False).astype(np.float32)
        return flat.reshape(len(rows), -1), rows["title_no"].to_numpy()
