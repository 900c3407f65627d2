"""What is asked for clauses of likeness: texts, pictures, clips, shots and vectors, compared with rows of vectors."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import numpy as np
import polars as pl

from mediaflow.algorithms.shapes import BOXED_SHAPES, VECTOR_SHAPES
from mediaflow.errors import TitleError, UsageError
from mediaflow.search.process.encoding import Encoders, TextVectors
from mediaflow.search.query import (
    Similar,
    SimilarToClip,
    SimilarToPicture,
    SimilarToRange,
    SimilarToShot,
    SimilarToVector,
    Visual,
)
from mediaflow.search.route.asked import Asked
from mediaflow.search.route.boxes import in_region
from mediaflow.search.route.cutoffs import CutOffs
from mediaflow.search.searchers.sequence import SequenceSearcher
from mediaflow.search.searchers.vector import VectorSearcher
from mediaflow.search.titles.catalogue import Catalogue
from mediaflow.snapshots.manifest import AlgorithmPart
from mediaflow.snapshots.reader import SnapshotReader

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mediaflow.media.pool import Decoded
    from mediaflow.models.encoder import Encoder

VISUAL = "visual"
# A range is compared as a clip is: about so many shots the longest clip can have.
_MOST_SHOTS = 128


class Pictures(Protocol):
    """Decodes pictures and clips that users bring."""

    def picture(self, data: bytes) -> NDArray[np.uint8]:
        """Return (height, width, 3) uint8 RGB; `UsageError` or `TitleError` where it cannot be read."""
        ...

    def clip(self, data: bytes, name: str) -> Decoded:
        """Return what indexing makes of a film; `UsageError` or `TitleError` with that name where it cannot be read."""
        ...


class Likeness:
    """Turns clauses of likeness into what is asked of tables with vectors.

    Parameters
    ----------
    reader : SnapshotReader
        The snapshot.
    part : callable
        Gives the snapshot's part for an algorithm; `UsageError` where it has none.
    encoders, pictures
        Used when a clause has to be encoded, not before.
    catalogue : Catalogue
        Says which titles are meant.
    cutoffs : CutOffs
        Says what is similar enough, where everything is asked for.
    texts : TextVectors
        Encodes texts.
    """

    def __init__(
        self,
        reader: SnapshotReader,
        part: Callable[[str], AlgorithmPart],
        encoders: Encoders,
        pictures: Pictures,
        catalogue: Catalogue,
        cutoffs: CutOffs,
        texts: TextVectors,
    ) -> None:
        self._reader = reader
        self._part = part
        self._encoders = encoders
        self._pictures = pictures
        self._catalogue = catalogue
        self._cutoffs = cutoffs
        self._texts = texts

    def route(self, clause: Visual | Similar) -> Asked:
        """Return what is asked for a clause; `UsageError` where it cannot be compared with anything."""
        match clause:
            case Visual():
                text = self.of_text(VISUAL, clause.text)
                least = self._cutoffs.of_text(VISUAL, self._encoder(VISUAL), text) if clause.everything else None
                return _like(text, least)
            case SimilarToPicture():
                vector = self._encode_picture(clause)
                return _like(vector, self._cutoffs.of_rows(VISUAL) if clause.everything else None)
            case SimilarToShot():
                return self._shot(clause)
            case SimilarToClip():
                return Asked(VISUAL, _sequence(self._encode_clip(clause)))
            case SimilarToRange():
                return self._range(clause)
            case SimilarToVector():
                return self._vector(clause)

    def of_text(self, algorithm: str, text: str) -> np.ndarray:
        """Return the vector of a text by the model of an algorithm."""
        if not text.strip():
            raise UsageError("The description of the picture is empty; say what should be seen.")
        return self._texts.vector(self._model(algorithm), text.strip())

    def _model(self, algorithm: str) -> str:
        part = self._part(algorithm)
        if part.shape not in VECTOR_SHAPES or part.model is None:
            raise UsageError(
                f"{algorithm!r} has no model that could compare texts or pictures with its rows; ask for its fields"
                " (NAME.FIELD=VALUE), or by a vector of your own where its rows have some.",
                algorithm=algorithm,
            )
        return part.model

    def _encoder(self, algorithm: str) -> Encoder:
        return self._encoders.encoder(self._model(algorithm))

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

    def _vector(self, clause: SimilarToVector) -> Asked:
        name, unit = clause.algorithm, self._unit(clause)
        if clause.region is not None and self._part(name).shape not in BOXED_SHAPES:
            raise UsageError(f"Rows of {name!r} have no boxes: ask for them without a region.", algorithm=name)
        least = self._cutoffs.of_rows(name) if clause.everything else None
        region = in_region(clause.region) if clause.region else None
        return Asked(name, VectorSearcher(unit, least=least), region, least)

    def _unit(self, clause: SimilarToVector) -> np.ndarray:
        part = self._part(clause.algorithm)
        if part.shape not in VECTOR_SHAPES:
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

    def _shot(self, clause: SimilarToShot) -> Asked:
        title_no, time_ms = int(self._catalogue.one_title(clause.title)), int(clause.time_ms)
        here = f"start_ms <= {_capped(time_ms)} AND end_ms > {_capped(time_ms)}"
        shots = self._shots(title_no, here, 1)
        if not len(shots):
            raise UsageError(
                f"{clause.title!r} has no shot at {time_ms / 1000:.3f} s that could be compared; 'mediaflow show' lists"
                " its shots.",
                title=clause.title,
                time_ms=time_ms,
            )
        least = self._cutoffs.of_rows(VISUAL) if clause.everything else None
        return _like(_vectors(shots)[0], least, _others(title_no, shots))

    def _range(self, clause: SimilarToRange) -> Asked:
        title_no = int(self._catalogue.one_title(clause.title))
        start_ms, end_ms = int(clause.start_ms), int(clause.end_ms)
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
        table = self._reader.table(self._part(VISUAL).table)
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


def _like(vector: np.ndarray, least: float | None, condition: str | None = None) -> Asked:
    """Ask for shots like a vector: the best, or all with at least a similarity."""
    return Asked(VISUAL, VectorSearcher(vector, least=least), condition, least)
