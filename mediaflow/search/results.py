"""What comes back: hits that say where they come from, as objects, as JSON and as a Polars frame."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from mediaflow.search.query import Presence

if TYPE_CHECKING:
    import polars as pl

_MOST_EXACT = 2**53


@dataclass(frozen=True)
class Box:
    """A part of the upright picture: left, top, width and height as fractions of it."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True)
class Source:
    """One row that a hit comes from.

    Attributes
    ----------
    algorithm, generation, revision : str
        Who gave the row, by which code, parameters and model, and from which bytes of the title.
    model : str or None
        Identity of the model behind the algorithm, where it has one.
    score : float
        In the algorithm's own terms: cosine similarity, BM25, confidence, or 1 where a row just fits.
    clause, rank : int
        Which clause found it (its place among those that are no combination, from 0), and at which place, from 1.
    start_ms, end_ms : int
        The row's own range.
    text : str or None
        The text or label, where it has one; `language` and `speaker` (as written) belong to it.
    box : Box or None
        Where in the picture, where the row says so.
    fields : Mapping or None
        The algorithm's own fields by name, where it has any; what is empty, or no finite number, is None.
    """

    algorithm: str
    generation: str
    model: str | None
    revision: str
    score: float
    start_ms: int
    end_ms: int
    clause: int = 0
    rank: int = 1
    text: str | None = None
    box: Box | None = None
    language: str | None = None
    speaker: str | None = None
    fields: Mapping[str, Any] | None = field(default=None, hash=False)

    def as_json(self) -> dict[str, Any]:
        """Return the row as it stands in a hit's JSON; text, language, speaker, box and fields where there are any."""
        body: dict[str, Any] = {
            "algorithm": self.algorithm,
            "generation": self.generation,
            "model": self.model,
            "revision": self.revision,
            "score": self.score,
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "clause": self.clause,
            "rank": self.rank,
        }
        also = {name: getattr(self, name) for name in ("text", "language", "speaker")}
        body |= {name: value for name, value in also.items() if value is not None}
        if self.box is not None:
            body["box"] = dataclasses.asdict(self.box)
        if self.fields is not None:
            body["fields"] = in_json(self.fields)
        return body


@dataclass(frozen=True)
class Hit:
    """A range of a title that answers.

    Attributes
    ----------
    title_no : int
        The title's number in the snapshot's tables.
    title_id, title : str
        Its id, and its name.
    start_ms, end_ms : int
        The range, half-open.
    score : float
        More is better: the source's own score for a question of one clause, else the sum of reciprocal ranks.
    sources : tuple of Source
        At least one, the best rank first.
    snapshot : str
        Id of the snapshot that answered.
    series, season, episode
        Where the title is an episode.
    match : "speaks", "in cast" or None
        Where a character or talent was asked for: a cue of the hit is spoken by them, or the title's cast has them.
        None: the title has them only as a speaker of other cues.
    grouped : int
        How many hits the group has that this one stands for; 1 without grouping.
    """

    title_no: int
    title_id: str
    title: str
    start_ms: int
    end_ms: int
    score: float
    sources: tuple[Source, ...]
    snapshot: str
    series: str | None = None
    season: int | None = None
    episode: int | None = None
    match: Presence | None = None
    grouped: int = 1

    def as_json(self) -> dict[str, Any]:
        """Return the hit as the object that `--json` prints; series, season, episode and match where there are any."""
        body: dict[str, Any] = {
            "title_id": self.title_id,
            "title": self.title,
            "start_ms": self.start_ms,
            "end_ms": self.end_ms,
            "score": self.score,
            "grouped": self.grouped,
            "sources": [source.as_json() for source in self.sources],
            "snapshot": self.snapshot,
        }
        also = {name: getattr(self, name) for name in ("series", "season", "episode", "match")}
        return body | {name: value for name, value in also.items() if value is not None}


@dataclass(frozen=True)
class Results:
    """The answer to one query, all of it from one snapshot.

    Attributes
    ----------
    snapshot : str
        Its id.
    hits : tuple of Hit
        In the order that was asked for.
    notes : tuple of str
        Sentences about what could not be looked for.
    total : int
        How many hits there are, on all pages.
    counted : bool
        Whether these are all: else there are at least so many.
    next_offset : int or None
        Where the next page begins; None after the last one.
    release : int or None
        The number of the release that made the snapshot current; None where the snapshot was asked for by its id.
    """

    snapshot: str
    hits: tuple[Hit, ...] = ()
    notes: tuple[str, ...] = ()
    total: int = 0
    counted: bool = True
    next_offset: int | None = None
    release: int | None = None

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)

    def as_json(self) -> dict[str, Any]:
        """Return the answer as a JSON object, all but where the next page begins."""
        return {
            "snapshot": self.snapshot,
            "release": self.release,
            "hits": [hit.as_json() for hit in self.hits],
            "notes": list(self.notes),
            "total": self.total,
            "counted": self.counted,
        }

    def to_polars(self) -> pl.DataFrame:
        """Return one row a hit, with the hits' fields as columns; `sources` is a list of structs.

        The own fields of algorithms differ, so that those of a source are a text: a JSON object.
        """
        import polars as pl

        box = pl.Struct(dict.fromkeys(("x", "y", "w", "h"), pl.Float64))
        kinds: dict[str, Any] = {"score": pl.Float64, "start_ms": pl.Int64, "end_ms": pl.Int64, "box": box}
        kinds |= {"clause": pl.Int32, "rank": pl.Int64}
        source = pl.Struct({one.name: kinds.get(one.name, pl.String) for one in dataclasses.fields(Source)})
        kinds |= {"sources": pl.List(source), "title_no": pl.Int32, "season": pl.Int32, "episode": pl.Int32}
        kinds["grouped"] = pl.Int64
        schema = {one.name: kinds.get(one.name, pl.String) for one in dataclasses.fields(Hit)}
        rows = [dataclasses.asdict(hit) for hit in self.hits]
        for one in (one for row in rows for one in row["sources"] if one["fields"] is not None):
            one["fields"] = json.dumps(in_json(one["fields"]), ensure_ascii=False)
        return pl.DataFrame(rows, schema=schema)


def in_json(value: Any) -> Any:
    """Return a value in JSON, whose readers have whole numbers up to 2^53: those beyond are texts."""
    if isinstance(value, Mapping):
        return {name: in_json(one) for name, one in value.items()}
    if isinstance(value, list):
        return [in_json(one) for one in value]
    return str(value) if isinstance(value, int) and abs(value) > _MOST_EXACT else value
