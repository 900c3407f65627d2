"""The whole contract between an algorithm and mediaflow: subclass `Algorithm` in one file, and that is all.

An algorithm turns the features of a title (its shots, frames, cues, catalogue entry, or what other algorithms
found) into annotations: rows with a time range and a vector, a text, a label or a score. mediaflow decides when
it runs, keeps its results, indexes them and makes them searchable under its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict

if TYPE_CHECKING:
    import polars as pl

    from mediaflow.models.encoder import Encoder

# Rows that `mediaflow annotations import` has read from a file.
IMPORTED = "imported"
FEATURES = ("shots", "frames", "cues", "catalogue", IMPORTED)


class Shape(StrEnum):
    """What one row of an algorithm's result is. All rows have `start_ms` and `end_ms` (Int64, half-open).

    | shape | further columns |
    |---|---|
    | `SHOT_VECTOR` | `shot_no` Int32, `vector` Array(Float32 or Float16, dim), kept at half precision |
    | `FRAME_VECTOR` | `x`, `y`, `w`, `h`, `vector`, as in the others: what is in a box of the picture |
    | `TEXT` | `text` String |
    | `BOXED_TEXT` | `text` String, `confidence` Float32, `x`, `y`, `w`, `h` Float32: fractions of the upright picture |
    | `LABEL` | `label` String, `confidence` Float32 |
    | `RANGE` | `score` Float32 |
    """

    SHOT_VECTOR = "shot_vector"
    FRAME_VECTOR = "frame_vector"
    TEXT = "text"
    BOXED_TEXT = "boxed_text"
    LABEL = "label"
    RANGE = "range"


class Parameters(BaseModel):
    """Base of an algorithm's parameters: typed, with defaults; set in `mediaflow.toml` under `[algorithms.NAME]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class TitleFeatures:
    """One title with the features that the algorithm asked for; any other feature is an AttributeError.

    Attributes
    ----------
    title_id : str
        The title's readable id.
    features : Mapping[str, polars.DataFrame]
        By input name. `shots`, `frames` and `cues` have the columns of `mediaflow.media.schemas`; `catalogue` is one
        row (title, kind, year, genres, languages, series, season, episode, people); `imported` are the rows that were
        imported for this algorithm; the name of another algorithm gives its annotations.
    """

    title_id: str
    features: Mapping[str, pl.DataFrame] = field(repr=False)

    def __getattr__(self, name: str) -> pl.DataFrame:
        features: Mapping[str, pl.DataFrame] = object.__getattribute__(self, "features")
        if name in features:
            return features[name]
        raise AttributeError(f"{name!r} is not among this algorithm's inputs: {', '.join(features) or 'none'}")


@dataclass(frozen=True)
class Batch(Sequence[TitleFeatures]):
    """Some titles at once, with the typed parameters and, where the algorithm has one, the loaded model."""

    titles: tuple[TitleFeatures, ...]
    parameters: Any
    model: Encoder | None = None

    def __getitem__(self, index: Any) -> Any:
        return self.titles[index]

    def __len__(self) -> int:
        return len(self.titles)

    def __iter__(self) -> Iterator[TitleFeatures]:
        return iter(self.titles)


class Algorithm:
    """An algorithm; subclass it, fill in the class attributes and write `run`.

    Attributes
    ----------
    name : str
        Lower case letters, digits and `_`; under this name it is an asset, a table and a search clause. Names of
        mediaflow's own (such as `frames`) and names that end in `_model` are taken.
    version : str
        Declared code version: change it when the results change, and all titles are computed anew.
    owner : str
        Who is asked when it breaks: an e-mail address, or `team:name`.
    inputs : tuple of str
        Any of `shots`, `frames`, `cues`, `catalogue`, `imported`, and names of other algorithms. Only these are loaded.
    shape : Shape
        What a row of the result is.
    fields : Mapping[str, polars data type]
        Columns of the author's own that come along with each row: numbers, Boolean, String, and List, Array or
        Struct of those. They may have empty values, the columns of the shape may not.
    Parameters : type
        A subclass of `Parameters`.
    model : str, optional
        The name of the setting that names the model (`"visual_model"`), where the algorithm has one.
    dim : int, optional
        How many numbers a vector has, where the rows have vectors and there is no `model` that says it.
    description : str
        One sentence for the people who search.
    """

    name: ClassVar[str]
    version: ClassVar[str]
    owner: ClassVar[str]
    inputs: ClassVar[tuple[str, ...]]
    shape: ClassVar[Shape]
    fields: ClassVar[Mapping[str, Any]] = {}
    Parameters: ClassVar[type[Parameters]] = Parameters
    model: ClassVar[str | None] = None
    dim: ClassVar[int | None] = None
    description: ClassVar[str] = ""

    def run(self, batch: Batch) -> Iterable[pl.DataFrame]:
        """Give one frame of annotations a title, in the order of the batch.

        Parameters
        ----------
        batch : Batch
            The titles with their features.

        Returns
        -------
        iterable of polars.DataFrame
            One frame a title, with the columns of `shape` and `fields`; it may have no rows. What it raises is
            blamed on a title only after that title has failed alone.
        """
        raise TypeError(f"{type(self).__name__} must define run(batch)")


class Imported(Algorithm):
    """An algorithm whose rows are made elsewhere and come from a file: declare all but `inputs` and `run`.

    `mediaflow annotations import FILE --algorithm NAME` reads the file; its columns are `title`, those of `shape`, and
    those of `fields`.
    """

    inputs: ClassVar[tuple[str, ...]] = (IMPORTED,)

    def run(self, batch: Batch) -> Iterator[pl.DataFrame]:
        """Give the rows as they were imported."""
        for title in batch:
            yield title.imported
