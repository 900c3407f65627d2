"""Questions drawn from a snapshot's own rows: a shot's vector, the rarest-looking words of a text, a label."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mediaflow.algorithms.contract import Shape
from mediaflow.algorithms.shapes import TEXT_SHAPES, VECTOR_SHAPES
from mediaflow.search.literals import among

if TYPE_CHECKING:
    import lance
    import numpy as np

    from mediaflow.search.searchers import Searcher
    from mediaflow.snapshots.manifest import AlgorithmPart

LABELS = (Shape.LABEL,)
_TITLES = 8
_ROWS = 2000
_WORDS = 3
_COLUMN = {
    shape.value: column
    for column, shapes in (("vector", VECTOR_SHAPES), ("text", TEXT_SHAPES), ("label", LABELS))
    for shape in shapes
}


@dataclass(frozen=True)
class Probe:
    """A question: the title and time that it was drawn from, and what of that row is asked for.

    Attributes
    ----------
    title_no, time_ms : int
        Where the row is: its title, and the middle of its range.
    shape : str
        What the algorithm's rows are.
    asked : str or np.ndarray
        Words, a label, or a vector (dim,) float32.
    """

    title_no: int
    time_ms: int
    shape: str
    asked: Any

    def searcher(self) -> Searcher:
        """Return what answers it from a table of the algorithm."""
        from mediaflow.search.searchers.label import LabelSearcher
        from mediaflow.search.searchers.text import TextSearcher
        from mediaflow.search.searchers.vector import VectorSearcher

        if self.shape in VECTOR_SHAPES:
            return VectorSearcher(self.asked)
        return TextSearcher(self.asked) if self.shape in TEXT_SHAPES else LabelSearcher(self.asked)


def draw(
    table: lance.LanceDataset, part: AlgorithmPart, titles: Sequence[int], random: np.random.Generator, count: int
) -> list[Probe]:
    """Draw questions from the rows of some of `titles`; the same chance draws the same from the same rows.

    Parameters
    ----------
    table : lance.LanceDataset
        The algorithm's.
    part : AlgorithmPart
        The algorithm as the snapshot has it.
    titles : sequence of int
        Title numbers to draw from; a few of them are read.
    random : np.random.Generator
        Draws titles and rows.
    count : int
        How many questions at most.
    """
    import numpy as np

    if part.shape not in _COLUMN or not titles:
        return []
    chosen = random.permutation(np.asarray(titles))[:_TITLES].tolist()
    column = _COLUMN[part.shape]
    names = ["title_no", "start_ms", "end_ms", column]
    found = table.to_table(columns=names, filter=among("title_no", chosen), limit=_ROWS)
    order = random.permutation(found.num_rows)
    probes: dict[Any, Probe] = {}
    for at in order.tolist():
        if len(probes) == count:
            break
        title_no, start_ms, end_ms, value = (found[name][at].as_py() for name in names)
        asked = np.asarray(value, np.float32) if part.shape in VECTOR_SHAPES else _words(value, part.shape)
        if len(asked):
            key = at if part.shape in VECTOR_SHAPES else asked
            probes.setdefault(key, Probe(title_no, (start_ms + end_ms) // 2, part.shape, asked))
    return list(probes.values())


def _words(text: str, shape: str) -> str:
    """Return a label as it is, of a text its longest words: those fit few other texts."""
    if shape in LABELS:
        return text
    words = dict.fromkeys(re.findall(r"[^\W_]+", text))
    longest = sorted(words, key=lambda word: -len(word))[:_WORDS]
    return " ".join(word for word in words if word in longest)
