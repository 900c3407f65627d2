"""The query model: what can be asked of a snapshot, as typed values that every face of the search builds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

# Relations of ranges in time, and what of two ranges is a result; `mediaflow.search.joins` and `moments` say which.
Relation: TypeAlias = Literal["overlap", "within", "before", "after", "during"]
Extent: TypeAlias = Literal["union", "intersection"]
GroupBy: TypeAlias = Literal["title", "series"]
Sort: TypeAlias = Literal["score", "time"]


@dataclass(frozen=True)
class FreeText:
    """Text that is looked for in pictures (`visual`) and in what is said (`dialogue`), whichever is there."""

    text: str
    language: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Dialogue:
    """Words that one cue must all have; parts in double quotes must stand in it as an exact phrase.

    Attributes
    ----------
    text : str
        Such as `he said "i never left"`. Upper and lower case and accents do not matter.
    language : str, optional
        BCP 47 tag of the cues; `pt` finds `pt-BR` too.
    kind : str, optional
        Kind of the cues: `dialogue`, `description` or `chapter`.
    """

    text: str
    language: str | None = None
    kind: str | None = None


@dataclass(frozen=True)
class Visual:
    """Shots that look like a description."""

    text: str


@dataclass(frozen=True)
class SimilarToPicture:
    """Shots that look like a picture, given as the bytes of its file; `name` is for messages."""

    data: bytes = field(repr=False)
    name: str = "the picture"


@dataclass(frozen=True)
class SimilarToShot:
    """Shots that look like the one at `time_ms` of a title (its id, or its name); that shot is left out."""

    title: str
    time_ms: int


@dataclass(frozen=True)
class SimilarToClip:
    """Places that look like a short clip, given as the bytes of its file, shot by shot; `name` is for messages."""

    data: bytes = field(repr=False)
    name: str = "the clip"


@dataclass(frozen=True)
class SimilarToRange:
    """Places that look like a part of a title, shot by shot; its shots themselves are left out."""

    title: str
    start_ms: int
    end_ms: int


@dataclass(frozen=True)
class SimilarToVector:
    """Rows of an algorithm that gives vectors, nearest to one of your own; of any length other than 0."""

    vector: tuple[float, ...] = field(repr=False)
    algorithm: str = "visual"


@dataclass(frozen=True)
class Where:
    """Rows of any algorithm, by its name; what `value` means follows from what its rows are.

    Shot vectors: text that the shots should look like. Texts: words and phrases, as in `Dialogue`. Labels: the
    label, in upper or lower case. Time ranges: the least score. With `field`, one of the algorithm's own columns
    equals `value`.
    """

    algorithm: str
    value: str
    field: str | None = None


@dataclass(frozen=True)
class AllOf:
    """Moments at which each clause has one; what these share. Clauses in `Not` take away what they overlap."""

    clauses: tuple[Clause, ...]


@dataclass(frozen=True)
class AnyOf:
    """Moments of any of the clauses. As the whole question they are fused: where several coincide, they rank higher."""

    clauses: tuple[Clause, ...]


@dataclass(frozen=True)
class Not:
    """Stands in `AllOf` beside other clauses: no moment that overlaps one of `clause`, in which nothing may rank."""

    clause: Clause


@dataclass(frozen=True)
class TimeJoin:
    """Moments of two clauses that stand in a relation in time, in the same title.

    Attributes
    ----------
    left, right : Clause
        Of clauses that rank all there is (what is seen, what is similar) the best thousand are joined.
    relation : Relation
        `overlap`; `within` a distance; the left `before` or `after` the right, by at most the distance; or the left
        `during` the right.
    most_ms : int
        The distance.
    extent : "union" or "intersection"
        What of a pair is the result.
    """

    left: Clause
    right: Clause
    relation: Relation
    most_ms: int = 0
    extent: Extent = "union"


@dataclass(frozen=True)
class Weighted:
    """A clause that counts more, or less, than one: `weight` times as much in the score."""

    clause: Clause
    weight: float


Similar: TypeAlias = SimilarToPicture | SimilarToShot | SimilarToClip | SimilarToRange | SimilarToVector
Leaf: TypeAlias = FreeText | Dialogue | Visual | Similar | Where
Clause: TypeAlias = Leaf | AllOf | AnyOf | Not | TimeJoin | Weighted


def leaves(clauses: Iterable[Clause]) -> Iterator[Leaf]:
    """Yield the clauses that are no combination, at any depth, in order."""
    for clause in clauses:
        match clause:
            case AllOf() | AnyOf():
                yield from leaves(clause.clauses)
            case TimeJoin():
                yield from leaves((clause.left, clause.right))
            case Not() | Weighted():
                yield from leaves((clause.clause,))
            case _:
                yield clause


@dataclass(frozen=True)
class Filters:
    """Which titles may answer. All given ones must hold; of several values in one, any.

    Attributes
    ----------
    titles : tuple of str
        Ids, names, or words of names.
    series, genres, characters, talents : tuple of str
        Names, without regard to case and accents; of characters and talents a part is enough ("maria").
    seasons : tuple of int
        Numbers of seasons.
    years : tuple of (int or None, int or None)
        First and last year, both included; None is open.
    kinds : tuple of str
        Kinds of title: `movie`, `episode`, `video`.
    """

    titles: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    seasons: tuple[int, ...] = ()
    genres: tuple[str, ...] = ()
    years: tuple[tuple[int | None, int | None], ...] = ()
    characters: tuple[str, ...] = ()
    talents: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Query:
    """One question: clauses that are fused, filters that hold for all of them, and how the answer is arranged.

    Attributes
    ----------
    clauses : tuple of Clause
        At least one.
    filters : Filters
        Applied before anything is searched.
    group_by : "title", "series" or None
        One hit for each title or series: its best.
    sort : "score" or "time"
        Best first, or the best `limit` in the order of their titles and times.
    limit : int
        Most hits that come back.
    """

    clauses: tuple[Clause, ...]
    filters: Filters = field(default_factory=Filters)
    group_by: GroupBy | None = None
    sort: Sort = "score"
    limit: int = 20
