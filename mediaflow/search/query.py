"""The query model: what can be asked of a snapshot, as typed values that every face of the search builds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

# Relations of ranges in time, and what of two ranges is a result: see `mediaflow.search.post.joins` and `moments`.
Relation: TypeAlias = Literal["overlap", "within", "before", "after", "during"]
Extent: TypeAlias = Literal["union", "intersection"]
# Relations of boxes in the picture, of rows that are seen at the same time; `mediaflow.search.route.boxes` says which.
SpaceRelation: TypeAlias = Literal["same_frame", "left_of", "above"]
InRegion: TypeAlias = Literal["overlaps", "inside"]
# How an algorithm's own field is compared with a value; `mediaflow.search.route.fields` says which field can be.
Comparison: TypeAlias = Literal["equals", "least", "most", "contains"]
Value: TypeAlias = str | int | float | bool
Presence: TypeAlias = Literal["speaks", "in cast"]
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
    speaker : str, optional
        Who says it, as it is written at the cue.
    character : str, optional
        Who says it: a name, or a part of one, of the cast.
    """

    text: str
    language: str | None = None
    kind: str | None = None
    speaker: str | None = None
    character: str | None = None


@dataclass(frozen=True)
class Visual:
    """Shots that look like a description: the best, or `everything` above a cut-off that unrelated queries gave."""

    text: str
    everything: bool = False


@dataclass(frozen=True)
class SimilarToPicture:
    """Shots that look like a picture, given as the bytes of its file; `name` is for messages."""

    data: bytes = field(repr=False)
    name: str = "the picture"
    everything: bool = False


@dataclass(frozen=True)
class SimilarToShot:
    """Shots that look like the one at `time_ms` of a title (its id, or its name); that shot is left out."""

    title: str
    time_ms: int
    everything: bool = False


@dataclass(frozen=True)
class Region:
    """A box in the upright picture, in fractions of it from its upper left corner, and how rows stand to it."""

    x: float
    y: float
    w: float
    h: float
    relation: InRegion = "overlaps"


@dataclass(frozen=True)
class Onscreen:
    """Text that is seen in the picture: words and phrases, as in `Dialogue`."""

    text: str
    region: Region | None = None
    least_confidence: float = 0.0


@dataclass(frozen=True)
class Label:
    """Rows with a label, in upper or lower case, of one algorithm or of all that give labels."""

    name: str
    least_confidence: float = 0.0
    algorithm: str | None = None


@dataclass(frozen=True)
class Character:
    """What a character says, and all of each title that has them in the cast; or only one of these (`presence`).

    A part of the name is enough ("maria").
    """

    name: str
    presence: Presence | None = None


@dataclass(frozen=True)
class Talent:
    """What the characters of a talent say, and all of each title that has them in the cast; or only one of these."""

    name: str
    presence: Presence | None = None


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
    """Rows of an algorithm that gives vectors, nearest to one of your own; of any length other than 0.

    `region` is for rows with boxes.
    """

    vector: tuple[float, ...] = field(repr=False)
    algorithm: str = "visual"
    region: Region | None = None
    everything: bool = False


@dataclass(frozen=True)
class Condition:
    """A condition on an algorithm's own field: it `equals` a value, is at `least` or `most` that, or `contains` it.

    The value is of the field's type, or a text that reads as one. Texts are equal in upper or lower case; a list
    `contains` a value; structs are not compared.
    """

    field: str
    value: Value
    comparison: Comparison = "equals"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and self._told_apart() == other._told_apart()

    def __hash__(self) -> int:
        return hash(self._told_apart())

    def _told_apart(self) -> tuple[object, ...]:
        # Python takes True for 1, and a question remembered for one of them would answer the other.
        return self.field, self.value, isinstance(self.value, bool), self.comparison


@dataclass(frozen=True)
class Where:
    """Rows of any algorithm, by its name; without anything else, all of them.

    Attributes
    ----------
    algorithm : str
        Its name.
    value : str, int or float, optional
        What it means follows from what the rows are. Shot vectors: text that the shots should look like. Texts: words
        and phrases, as in `Dialogue`. Labels: the label, in upper or lower case. Time ranges: the least score.
    conditions : tuple of Condition
        On the algorithm's own fields; one row fulfils all of them.
    region : Region, optional
        Where in the picture, of rows with boxes.
    """

    algorithm: str
    value: str | int | float | None = None
    conditions: tuple[Condition, ...] = ()
    region: Region | None = None


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
class SpaceJoin:
    """Rows of two clauses that are seen at the same time and stand so in the picture: what they share in time.

    Attributes
    ----------
    left, right : Leaf
        Clauses that find rows with boxes, such as `Onscreen`.
    relation : SpaceRelation
        `same_frame`; or the left one ends `left_of` where the right one begins, or `above` it.
    """

    left: Leaf
    right: Leaf
    relation: SpaceRelation


@dataclass(frozen=True)
class Weighted:
    """A clause that counts more, or less, than one: `weight` times as much in the score."""

    clause: Clause
    weight: float


Similar: TypeAlias = SimilarToPicture | SimilarToShot | SimilarToClip | SimilarToRange | SimilarToVector
Leaf: TypeAlias = FreeText | Dialogue | Visual | Similar | Onscreen | Label | Character | Talent | Where
Combined: TypeAlias = AllOf | AnyOf | Not | TimeJoin | SpaceJoin
Clause: TypeAlias = Leaf | Combined | Weighted


def leaves(clauses: Iterable[Clause]) -> Iterator[Leaf]:
    """Yield the clauses that are no combination, at any depth, in order."""
    for clause in clauses:
        match clause:
            case AllOf() | AnyOf():
                yield from leaves(clause.clauses)
            case TimeJoin() | SpaceJoin():
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
    languages : tuple of str
        BCP 47 tags of languages that the catalogue says are spoken; `pt` finds `pt-BR` too.
    rows : tuple of Where
        What algorithms found in a title: one row at least for each of these. Nothing that ranks.
    """

    titles: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    seasons: tuple[int, ...] = ()
    genres: tuple[str, ...] = ()
    years: tuple[tuple[int | None, int | None], ...] = ()
    characters: tuple[str, ...] = ()
    talents: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    rows: tuple[Where, ...] = ()


@dataclass(frozen=True)
class SortBy:
    """The order of hits by a field of the rows of one algorithm that they come from: of several, by the first in order.

    Hits that have no such row, or whose field is empty, come last; equal ones in the order of titles and times.
    """

    algorithm: str
    field: str
    descending: bool = False


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
    sort : "score", "time" or SortBy
        Best first, or in the order of titles and times, or of an algorithm's own field.
    limit : int
        Most hits that come back.
    score : str, optional
        The name of a score of one's own, see `mediaflow.search.scores`.
    """

    clauses: tuple[Clause, ...]
    filters: Filters = field(default_factory=Filters)
    group_by: GroupBy | None = None
    sort: Sort | SortBy = "score"
    limit: int = 20
    score: str | None = None
