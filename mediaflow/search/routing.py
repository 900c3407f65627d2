"""From clauses to searchers: which algorithm of the snapshot answers a clause, and what its table is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mediaflow.algorithms.palette import OKLAB
from mediaflow.errors import TitleError, UsageError
from mediaflow.search.literals import both, text_literal
from mediaflow.search.query import Dialogue, FreeText, Leaf, SimilarToPicture, SimilarToShot, Visual, Where
from mediaflow.search.searchers import Searcher
from mediaflow.search.searchers.colour import ColourSearcher, colour_of
from mediaflow.search.searchers.label import LabelSearcher
from mediaflow.search.searchers.ranges import FieldSearcher, RangeSearcher, number
from mediaflow.search.searchers.text import TextSearcher, words_and_phrases
from mediaflow.search.searchers.vector import VectorSearcher
from mediaflow.snapshots.manifest import AlgorithmPart
from mediaflow.snapshots.reader import SnapshotReader

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from mediaflow.models.encoder import Encoder

VISUAL = "visual"
DIALOGUE = "dialogue"
CUE_KINDS = ("dialogue", "description", "chapter")
_VECTORS, _TEXTS, _LABELS, _RANGES = "shot_vector", ("text", "boxed_text"), "label", "range"


class Encoders(Protocol):
    """Gives the encoder of an identity, loaded."""

    def encoder(self, identity: str) -> Encoder: ...


class Pictures(Protocol):
    """Decodes pictures that users bring."""

    def picture(self, data: bytes) -> NDArray[np.uint8]:
        """Return (height, width, 3) uint8 RGB; `UsageError` or `TitleError` where it cannot be read."""
        ...


@dataclass(frozen=True)
class Asked:
    """What a table is asked: the algorithm, the searcher, and a condition of its own beside the filters'."""

    algorithm: str
    searcher: Searcher
    condition: str | None = None


class Router:
    """Turns clauses into what is asked of the tables of one snapshot.

    Parameters
    ----------
    reader : SnapshotReader
        The snapshot.
    encoders, pictures
        Used when a clause has to be encoded, not before.
    title_number : callable
        Gives the number of the one title that an id or name means; `UsageError` where there is none.
    """

    def __init__(
        self, reader: SnapshotReader, encoders: Encoders, pictures: Pictures, title_number: Callable[[str], int]
    ) -> None:
        self._reader = reader
        self._encoders = encoders
        self._pictures = pictures
        self._title_number = title_number

    def route(self, clause: Leaf) -> list[Asked]:
        """Return what is asked for a clause, one entry a ranked list.

        Raises
        ------
        UsageError
            The snapshot has no algorithm that could answer, or the clause does not fit what the algorithm gives.
        """
        match clause:
            case FreeText():
                return self._free_text(clause)
            case Dialogue():
                self.part(DIALOGUE)
                return [Asked(DIALOGUE, TextSearcher(clause.text), _of_cues(clause.language, clause.kind))]
            case Visual():
                return [Asked(VISUAL, VectorSearcher(self._encode_text(VISUAL, clause.text)))]
            case SimilarToPicture():
                return [Asked(VISUAL, VectorSearcher(self._encode_picture(clause)))]
            case SimilarToShot():
                return [self._similar_to_shot(clause)]
            case Where():
                return [self._where(clause)]

    def part(self, algorithm: str) -> AlgorithmPart:
        """Return the snapshot's part for an algorithm; `UsageError` where it has none."""
        parts = self._reader.manifest.algorithms
        if algorithm not in parts:
            there = f"it can be asked for {', '.join(sorted(parts))}" if parts else "nothing in it can be searched yet"
            raise UsageError(
                f"The published snapshot has nothing of {algorithm!r}; {there}. 'mediaflow status' says what is still"
                " to be computed, 'make refresh' computes it.",
                algorithm=algorithm,
            )
        return parts[algorithm]

    def _free_text(self, clause: FreeText) -> list[Asked]:
        parts = self._reader.manifest.algorithms
        if VISUAL not in parts and DIALOGUE not in parts:
            self.part(VISUAL)
        asked = self.route(Visual(clause.text)) if VISUAL in parts else []
        if DIALOGUE in parts and (any(words_and_phrases(clause.text)) or not asked):
            asked += self.route(Dialogue(clause.text, clause.language, clause.kind))
        return asked

    def _where(self, clause: Where) -> Asked:
        part = self.part(clause.algorithm)
        if clause.field is not None:
            if clause.field not in part.fields:
                own = f"its fields are {', '.join(sorted(part.fields))}" if part.fields else "it has none of its own"
                raise UsageError(
                    f"{clause.algorithm!r} has no field {clause.field!r}; {own}.", algorithm=clause.algorithm
                )
            return Asked(clause.algorithm, FieldSearcher(clause.field, clause.value))
        return Asked(clause.algorithm, self._searcher(clause, part))

    def _searcher(self, clause: Where, part: AlgorithmPart) -> Searcher:
        shape = part.shape
        if shape in _TEXTS:
            return TextSearcher(clause.value)
        if shape == _LABELS:
            code = clause.value.strip()
            if code.startswith("#") and part.fields.keys() >= set(OKLAB):
                return ColourSearcher(colour_of(code))
            return LabelSearcher(clause.value)
        if shape == _VECTORS:
            return VectorSearcher(self._encode_text(clause.algorithm, clause.value))
        if shape == _RANGES:
            try:
                return RangeSearcher(number(clause.value))
            except ValueError as error:
                raise UsageError(
                    f"{clause.algorithm!r} gives time ranges with a score: give the least score as a number, such as"
                    f" {clause.algorithm}=0.5, not {clause.value!r}.",
                    algorithm=clause.algorithm,
                ) from error
        raise UsageError(
            f"Rows of {clause.algorithm!r} are of the shape {shape!r}, which this version cannot search; update"
            " mediaflow.",
            algorithm=clause.algorithm,
        )

    def _encoder(self, algorithm: str) -> Encoder:
        part = self.part(algorithm)
        if part.shape != _VECTORS or part.model is None:
            raise UsageError(
                f"{algorithm!r} has no model that could compare texts or pictures with its rows; ask for its fields"
                " (NAME.FIELD=VALUE).",
                algorithm=algorithm,
            )
        return self._encoders.encoder(part.model)

    def _encode_text(self, algorithm: str, text: str) -> np.ndarray:
        if not text.strip():
            raise UsageError("The description of the picture is empty; say what should be seen.")
        vector: np.ndarray = self._encoder(algorithm).encode_texts([text.strip()])[0]
        return vector

    def _encode_picture(self, clause: SimilarToPicture) -> np.ndarray:
        encoder = self._encoder(VISUAL)
        try:
            picture = self._pictures.picture(clause.data)
        except (UsageError, TitleError) as error:
            raise UsageError(f"{clause.name}: {error.message}", **error.fields) from error
        vector: np.ndarray = encoder.encode_pictures([picture])[0]
        return vector

    def _similar_to_shot(self, clause: SimilarToShot) -> Asked:
        import numpy as np

        table = self._reader.table(self.part(VISUAL).table)
        title_no, time_ms = int(self._title_number(clause.title)), int(clause.time_ms)
        # A time that is no 64-bit number breaks the filter, and is beyond the end of every title.
        capped_ms = min(max(time_ms, -1), 2**62)
        here = f"title_no = {title_no} AND start_ms <= {capped_ms} AND end_ms > {capped_ms}"
        found = table.to_table(columns=["shot_no", "vector"], filter=here, limit=1)
        if not found.num_rows:
            raise UsageError(
                f"{clause.title!r} has no shot at {time_ms / 1000:.3f} s that could be compared; 'mediaflow show' lists"
                " its shots.",
                title=clause.title,
                time_ms=time_ms,
            )
        vector = np.asarray(found["vector"][0].as_py(), np.float32)
        other = f"NOT (title_no = {title_no} AND shot_no = {found['shot_no'][0].as_py()})"
        return Asked(VISUAL, VectorSearcher(vector), other)


def _of_cues(language: str | None, kind: str | None) -> str | None:
    if kind is not None and kind not in CUE_KINDS:
        raise UsageError(f"There is no kind of cue {kind!r}; there are {', '.join(CUE_KINDS)}.", kind=kind)
    tag = language and f"(language = {text_literal(language)} OR starts_with(language, {text_literal(language + '-')}))"
    return both(tag, kind and f"kind = {text_literal(kind)}")
