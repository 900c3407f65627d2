"""From clauses to searchers: which algorithm of the snapshot answers a clause, and what its table is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from mediaflow.errors import TitleError, UsageError
from mediaflow.search.literals import both, text_literal
from mediaflow.search.query import (
    Dialogue,
    FreeText,
    Leaf,
    SimilarToClip,
    SimilarToPicture,
    SimilarToRange,
    SimilarToShot,
    SimilarToVector,
    Visual,
    Where,
)
from mediaflow.search.searchers import Searcher
from mediaflow.search.searchers.label import LabelSearcher
from mediaflow.search.searchers.ranges import FieldSearcher, RangeSearcher, number
from mediaflow.search.searchers.sequence import SequenceSearcher
from mediaflow.search.searchers.text import TextSearcher, words_and_phrases
from mediaflow.search.searchers.vector import VectorSearcher
from mediaflow.snapshots.manifest import AlgorithmPart
from mediaflow.snapshots.reader import SnapshotReader

if TYPE_CHECKING:
    import numpy as np
    import polars as pl
    from numpy.typing import NDArray

    from mediaflow.media.pool import Decoded
    from mediaflow.models.encoder import Encoder

VISUAL = "visual"
DIALOGUE = "dialogue"
CUE_KINDS = ("dialogue", "description", "chapter")
_VECTORS, _TEXTS, _LABELS, _RANGES = "shot_vector", ("text", "boxed_text"), "label", "range"
# A range is compared as a clip is: about so many shots the longest clip can have.
_MOST_SHOTS = 128


class Encoders(Protocol):
    """Gives the encoder of an identity, loaded."""

    def encoder(self, identity: str) -> Encoder: ...


class Pictures(Protocol):
    """Decodes pictures, still or moving, that users bring."""

    def picture(self, data: bytes) -> NDArray[np.uint8]:
        """Return (height, width, 3) uint8 RGB; `UsageError` or `TitleError` where it cannot be read."""
        ...

    def clip(self, data: bytes, name: str) -> Decoded:
        """Return what indexing makes of a film; `UsageError` or `TitleError` with that name where it cannot be read."""
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
            case SimilarToClip():
                return [Asked(VISUAL, _sequence(self._encode_clip(clause)))]
            case SimilarToRange():
                return [self._similar_to_range(clause)]
            case SimilarToVector():
                return [Asked(clause.algorithm, VectorSearcher(self._unit(clause)))]
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
        return Asked(clause.algorithm, self._searcher(clause, part.shape))

    def _searcher(self, clause: Where, shape: str) -> Searcher:
        if shape in _TEXTS:
            return TextSearcher(clause.value)
        if shape == _LABELS:
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

    def _encode_clip(self, clause: SimilarToClip) -> pl.DataFrame:
        """Return the shots of a clip as the algorithm gives them for a film."""
        from mediaflow.algorithms.contract import Batch, TitleFeatures
        from mediaflow.algorithms.visual import Visual

        encoder = self._encoder(VISUAL)
        try:
            clip = self._pictures.clip(clause.data, clause.name)
        except TitleError as error:
            raise UsageError(error.message, **error.fields) from error
        film = TitleFeatures(clause.name, {"shots": clip.shots, "frames": clip.frames})
        (shots,) = Visual().run(Batch((film,), Visual.Parameters(), encoder))
        return shots

    def _unit(self, clause: SimilarToVector) -> np.ndarray:
        import numpy as np

        part = self.part(clause.algorithm)
        if part.shape != _VECTORS:
            raise UsageError(f"{clause.algorithm!r} gives no vectors to compare with.", algorithm=clause.algorithm)
        dim = self._reader.table(part.table).schema.field("vector").type.list_size
        vector = np.asarray(clause.vector, np.float64)
        if vector.shape != (dim,) or not np.isfinite(vector).all() or not vector.any():
            raise UsageError(
                f"A vector to compare with those of {clause.algorithm!r} is {dim} finite numbers, not all of them 0.",
                algorithm=clause.algorithm,
                dim=dim,
            )
        # By its largest number first: squares of very large ones, or very small ones, are no numbers any more.
        vector = vector / np.abs(vector).max()
        unit: np.ndarray = (vector / np.linalg.norm(vector)).astype(np.float32)
        return unit

    def _similar_to_shot(self, clause: SimilarToShot) -> Asked:
        title_no, time_ms = int(self._title_number(clause.title)), int(clause.time_ms)
        here = f"start_ms <= {_capped(time_ms)} AND end_ms > {_capped(time_ms)}"
        shots = self._shots(title_no, here, 1)
        if not len(shots):
            raise UsageError(
                f"{clause.title!r} has no shot at {time_ms / 1000:.3f} s that could be compared; 'mediaflow show' lists"
                " its shots.",
                title=clause.title,
                time_ms=time_ms,
            )
        return Asked(VISUAL, VectorSearcher(_vectors(shots)[0]), _others(title_no, shots))

    def _similar_to_range(self, clause: SimilarToRange) -> Asked:
        title_no, start_ms, end_ms = int(self._title_number(clause.title)), int(clause.start_ms), int(clause.end_ms)
        named = f"{clause.title!r} from {start_ms / 1000:.3f} s to {end_ms / 1000:.3f} s"
        if end_ms <= start_ms:
            raise UsageError(f"{named} is no range: it must end after it begins.", title=clause.title)
        shots = self._shots(title_no, f"start_ms < {_capped(end_ms)} AND end_ms > {_capped(start_ms)}", _MOST_SHOTS + 1)
        if not len(shots):
            raise UsageError(
                f"{named} has no shot that could be compared; 'mediaflow show' lists its shots.", title=clause.title
            )
        if len(shots) > _MOST_SHOTS:
            raise UsageError(f"{named} has more than {_MOST_SHOTS} shots; give a shorter range.", title=clause.title)
        return Asked(VISUAL, _sequence(shots), _others(title_no, shots))

    def _shots(self, title_no: int, within: str, most: int) -> pl.DataFrame:
        """Return shots of a title, in order, with their vectors."""
        import polars as pl

        table = self._reader.table(self.part(VISUAL).table)
        where = f"title_no = {title_no} AND {within}"
        found = table.to_table(columns=["shot_no", "start_ms", "end_ms", "vector"], filter=where, limit=most)
        return pl.DataFrame(pl.from_arrow(found)).sort("shot_no")


def _capped(time_ms: int) -> int:
    """Return a time that a filter can hold: what is no 64-bit number is beyond the end of every title."""
    return min(max(time_ms, -1), 2**62)


def _vectors(shots: pl.DataFrame) -> np.ndarray:
    vectors: np.ndarray = shots["vector"].to_numpy().astype("float32")
    return vectors


def _sequence(shots: pl.DataFrame) -> SequenceSearcher:
    lengths_ms = (shots["end_ms"] - shots["start_ms"]).clip(1).cast(float).to_numpy()
    return SequenceSearcher(_vectors(shots), lengths_ms)


def _others(title_no: int, shots: pl.DataFrame) -> str:
    """Return the condition that a row is none of these shots, nor between them."""
    first, last = shots["shot_no"][0], shots["shot_no"][-1]
    return f"NOT (title_no = {title_no} AND shot_no >= {first} AND shot_no <= {last})"


def _of_cues(language: str | None, kind: str | None) -> str | None:
    if kind is not None and kind not in CUE_KINDS:
        raise UsageError(f"There is no kind of cue {kind!r}; there are {', '.join(CUE_KINDS)}.", kind=kind)
    tag = language and f"(language = {text_literal(language)} OR starts_with(language, {text_literal(language + '-')}))"
    return both(tag, kind and f"kind = {text_literal(kind)}")
