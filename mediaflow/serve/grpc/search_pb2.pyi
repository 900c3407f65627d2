from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SearchRequest(_message.Message):
    __slots__ = ("query", "cursor", "facets", "timeline", "characters")
    QUERY_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    FACETS_FIELD_NUMBER: _ClassVar[int]
    TIMELINE_FIELD_NUMBER: _ClassVar[int]
    CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    query: Query
    cursor: str
    facets: FacetsWanted
    timeline: TimelineWanted
    characters: CharactersWanted
    def __init__(self, query: _Optional[_Union[Query, _Mapping]] = ..., cursor: _Optional[str] = ..., facets: _Optional[_Union[FacetsWanted, _Mapping]] = ..., timeline: _Optional[_Union[TimelineWanted, _Mapping]] = ..., characters: _Optional[_Union[CharactersWanted, _Mapping]] = ...) -> None: ...

class FacetsWanted(_message.Message):
    __slots__ = ("of", "most")
    OF_FIELD_NUMBER: _ClassVar[int]
    MOST_FIELD_NUMBER: _ClassVar[int]
    of: _containers.RepeatedScalarFieldContainer[str]
    most: int
    def __init__(self, of: _Optional[_Iterable[str]] = ..., most: _Optional[int] = ...) -> None: ...

class TimelineWanted(_message.Message):
    __slots__ = ("title", "bins")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    BINS_FIELD_NUMBER: _ClassVar[int]
    title: str
    bins: int
    def __init__(self, title: _Optional[str] = ..., bins: _Optional[int] = ...) -> None: ...

class CharactersWanted(_message.Message):
    __slots__ = ("most",)
    MOST_FIELD_NUMBER: _ClassVar[int]
    most: int
    def __init__(self, most: _Optional[int] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("query",)
    QUERY_FIELD_NUMBER: _ClassVar[int]
    query: Query
    def __init__(self, query: _Optional[_Union[Query, _Mapping]] = ...) -> None: ...

class TitlesRequest(_message.Message):
    __slots__ = ("filters", "limit", "cursor")
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    filters: Filters
    limit: int
    cursor: str
    def __init__(self, filters: _Optional[_Union[Filters, _Mapping]] = ..., limit: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class AnnotationsRequest(_message.Message):
    __slots__ = ("title", "start_ms", "end_ms", "algorithms", "limit", "cursor")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    START_MS_FIELD_NUMBER: _ClassVar[int]
    END_MS_FIELD_NUMBER: _ClassVar[int]
    ALGORITHMS_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    title: str
    start_ms: int
    end_ms: int
    algorithms: _containers.RepeatedScalarFieldContainer[str]
    limit: int
    cursor: str
    def __init__(self, title: _Optional[str] = ..., start_ms: _Optional[int] = ..., end_ms: _Optional[int] = ..., algorithms: _Optional[_Iterable[str]] = ..., limit: _Optional[int] = ..., cursor: _Optional[str] = ...) -> None: ...

class AlgorithmsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Query(_message.Message):
    __slots__ = ("clauses", "filters", "group_by", "sort", "limit", "score", "sort_by")
    CLAUSES_FIELD_NUMBER: _ClassVar[int]
    FILTERS_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    SORT_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    SORT_BY_FIELD_NUMBER: _ClassVar[int]
    clauses: _containers.RepeatedCompositeFieldContainer[Clause]
    filters: Filters
    group_by: str
    sort: str
    limit: int
    score: str
    sort_by: SortBy
    def __init__(self, clauses: _Optional[_Iterable[_Union[Clause, _Mapping]]] = ..., filters: _Optional[_Union[Filters, _Mapping]] = ..., group_by: _Optional[str] = ..., sort: _Optional[str] = ..., limit: _Optional[int] = ..., score: _Optional[str] = ..., sort_by: _Optional[_Union[SortBy, _Mapping]] = ...) -> None: ...

class SortBy(_message.Message):
    __slots__ = ("algorithm", "field", "descending")
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    DESCENDING_FIELD_NUMBER: _ClassVar[int]
    algorithm: str
    field: str
    descending: bool
    def __init__(self, algorithm: _Optional[str] = ..., field: _Optional[str] = ..., descending: _Optional[bool] = ...) -> None: ...

class Clause(_message.Message):
    __slots__ = ("text", "dialogue", "visual", "similar", "onscreen", "label", "character", "talent", "where", "all", "any", "weighted", "time_join", "space_join")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    DIALOGUE_FIELD_NUMBER: _ClassVar[int]
    VISUAL_FIELD_NUMBER: _ClassVar[int]
    SIMILAR_FIELD_NUMBER: _ClassVar[int]
    ONSCREEN_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CHARACTER_FIELD_NUMBER: _ClassVar[int]
    TALENT_FIELD_NUMBER: _ClassVar[int]
    WHERE_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    ANY_FIELD_NUMBER: _ClassVar[int]
    NOT_FIELD_NUMBER: _ClassVar[int]
    WEIGHTED_FIELD_NUMBER: _ClassVar[int]
    TIME_JOIN_FIELD_NUMBER: _ClassVar[int]
    SPACE_JOIN_FIELD_NUMBER: _ClassVar[int]
    text: Text
    dialogue: Dialogue
    visual: Visual
    similar: Similar
    onscreen: Onscreen
    label: Label
    character: Person
    talent: Person
    where: Where
    all: Clauses
    any: Clauses
    weighted: Weighted
    time_join: TimeJoin
    space_join: SpaceJoin
    def __init__(self, text: _Optional[_Union[Text, _Mapping]] = ..., dialogue: _Optional[_Union[Dialogue, _Mapping]] = ..., visual: _Optional[_Union[Visual, _Mapping]] = ..., similar: _Optional[_Union[Similar, _Mapping]] = ..., onscreen: _Optional[_Union[Onscreen, _Mapping]] = ..., label: _Optional[_Union[Label, _Mapping]] = ..., character: _Optional[_Union[Person, _Mapping]] = ..., talent: _Optional[_Union[Person, _Mapping]] = ..., where: _Optional[_Union[Where, _Mapping]] = ..., all: _Optional[_Union[Clauses, _Mapping]] = ..., any: _Optional[_Union[Clauses, _Mapping]] = ..., weighted: _Optional[_Union[Weighted, _Mapping]] = ..., time_join: _Optional[_Union[TimeJoin, _Mapping]] = ..., space_join: _Optional[_Union[SpaceJoin, _Mapping]] = ..., **kwargs) -> None: ...

class Clauses(_message.Message):
    __slots__ = ("clauses",)
    CLAUSES_FIELD_NUMBER: _ClassVar[int]
    clauses: _containers.RepeatedCompositeFieldContainer[Clause]
    def __init__(self, clauses: _Optional[_Iterable[_Union[Clause, _Mapping]]] = ...) -> None: ...

class Text(_message.Message):
    __slots__ = ("text", "language", "kind")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    text: str
    language: str
    kind: str
    def __init__(self, text: _Optional[str] = ..., language: _Optional[str] = ..., kind: _Optional[str] = ...) -> None: ...

class Dialogue(_message.Message):
    __slots__ = ("text", "language", "kind", "speaker", "character")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    CHARACTER_FIELD_NUMBER: _ClassVar[int]
    text: str
    language: str
    kind: str
    speaker: str
    character: str
    def __init__(self, text: _Optional[str] = ..., language: _Optional[str] = ..., kind: _Optional[str] = ..., speaker: _Optional[str] = ..., character: _Optional[str] = ...) -> None: ...

class Visual(_message.Message):
    __slots__ = ("text", "everything")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    EVERYTHING_FIELD_NUMBER: _ClassVar[int]
    text: str
    everything: bool
    def __init__(self, text: _Optional[str] = ..., everything: _Optional[bool] = ...) -> None: ...

class Similar(_message.Message):
    __slots__ = ("picture", "shot", "clip", "range", "vector")
    PICTURE_FIELD_NUMBER: _ClassVar[int]
    SHOT_FIELD_NUMBER: _ClassVar[int]
    CLIP_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    picture: Picture
    shot: Shot
    clip: Clip
    range: Range
    vector: Vector
    def __init__(self, picture: _Optional[_Union[Picture, _Mapping]] = ..., shot: _Optional[_Union[Shot, _Mapping]] = ..., clip: _Optional[_Union[Clip, _Mapping]] = ..., range: _Optional[_Union[Range, _Mapping]] = ..., vector: _Optional[_Union[Vector, _Mapping]] = ...) -> None: ...

class Picture(_message.Message):
    __slots__ = ("data", "name", "everything")
    DATA_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    EVERYTHING_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    name: str
    everything: bool
    def __init__(self, data: _Optional[bytes] = ..., name: _Optional[str] = ..., everything: _Optional[bool] = ...) -> None: ...

class Shot(_message.Message):
    __slots__ = ("title", "time_ms", "everything")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    TIME_MS_FIELD_NUMBER: _ClassVar[int]
    EVERYTHING_FIELD_NUMBER: _ClassVar[int]
    title: str
    time_ms: int
    everything: bool
    def __init__(self, title: _Optional[str] = ..., time_ms: _Optional[int] = ..., everything: _Optional[bool] = ...) -> None: ...

class Clip(_message.Message):
    __slots__ = ("data", "name")
    DATA_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    data: bytes
    name: str
    def __init__(self, data: _Optional[bytes] = ..., name: _Optional[str] = ...) -> None: ...

class Range(_message.Message):
    __slots__ = ("title", "start_ms", "end_ms")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    START_MS_FIELD_NUMBER: _ClassVar[int]
    END_MS_FIELD_NUMBER: _ClassVar[int]
    title: str
    start_ms: int
    end_ms: int
    def __init__(self, title: _Optional[str] = ..., start_ms: _Optional[int] = ..., end_ms: _Optional[int] = ...) -> None: ...

class Vector(_message.Message):
    __slots__ = ("vector", "algorithm", "region", "everything")
    VECTOR_FIELD_NUMBER: _ClassVar[int]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    EVERYTHING_FIELD_NUMBER: _ClassVar[int]
    vector: _containers.RepeatedScalarFieldContainer[float]
    algorithm: str
    region: Region
    everything: bool
    def __init__(self, vector: _Optional[_Iterable[float]] = ..., algorithm: _Optional[str] = ..., region: _Optional[_Union[Region, _Mapping]] = ..., everything: _Optional[bool] = ...) -> None: ...

class Onscreen(_message.Message):
    __slots__ = ("text", "region", "least_confidence")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    LEAST_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    text: str
    region: Region
    least_confidence: float
    def __init__(self, text: _Optional[str] = ..., region: _Optional[_Union[Region, _Mapping]] = ..., least_confidence: _Optional[float] = ...) -> None: ...

class Label(_message.Message):
    __slots__ = ("name", "least_confidence", "algorithm")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LEAST_CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    name: str
    least_confidence: float
    algorithm: str
    def __init__(self, name: _Optional[str] = ..., least_confidence: _Optional[float] = ..., algorithm: _Optional[str] = ...) -> None: ...

class Person(_message.Message):
    __slots__ = ("name", "presence")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PRESENCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    presence: str
    def __init__(self, name: _Optional[str] = ..., presence: _Optional[str] = ...) -> None: ...

class Where(_message.Message):
    __slots__ = ("algorithm", "value", "field", "region", "comparison", "conditions")
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    algorithm: str
    value: str
    field: str
    region: Region
    comparison: str
    conditions: _containers.RepeatedCompositeFieldContainer[Condition]
    def __init__(self, algorithm: _Optional[str] = ..., value: _Optional[str] = ..., field: _Optional[str] = ..., region: _Optional[_Union[Region, _Mapping]] = ..., comparison: _Optional[str] = ..., conditions: _Optional[_Iterable[_Union[Condition, _Mapping]]] = ...) -> None: ...

class Condition(_message.Message):
    __slots__ = ("field", "value", "comparison")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    field: str
    value: _struct_pb2.Value
    comparison: str
    def __init__(self, field: _Optional[str] = ..., value: _Optional[_Union[_struct_pb2.Value, _Mapping]] = ..., comparison: _Optional[str] = ...) -> None: ...

class Weighted(_message.Message):
    __slots__ = ("clause", "weight")
    CLAUSE_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    clause: Clause
    weight: float
    def __init__(self, clause: _Optional[_Union[Clause, _Mapping]] = ..., weight: _Optional[float] = ...) -> None: ...

class TimeJoin(_message.Message):
    __slots__ = ("left", "right", "relation", "most_ms", "extent")
    LEFT_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    RELATION_FIELD_NUMBER: _ClassVar[int]
    MOST_MS_FIELD_NUMBER: _ClassVar[int]
    EXTENT_FIELD_NUMBER: _ClassVar[int]
    left: Clause
    right: Clause
    relation: str
    most_ms: int
    extent: str
    def __init__(self, left: _Optional[_Union[Clause, _Mapping]] = ..., right: _Optional[_Union[Clause, _Mapping]] = ..., relation: _Optional[str] = ..., most_ms: _Optional[int] = ..., extent: _Optional[str] = ...) -> None: ...

class SpaceJoin(_message.Message):
    __slots__ = ("left", "right", "relation")
    LEFT_FIELD_NUMBER: _ClassVar[int]
    RIGHT_FIELD_NUMBER: _ClassVar[int]
    RELATION_FIELD_NUMBER: _ClassVar[int]
    left: Clause
    right: Clause
    relation: str
    def __init__(self, left: _Optional[_Union[Clause, _Mapping]] = ..., right: _Optional[_Union[Clause, _Mapping]] = ..., relation: _Optional[str] = ...) -> None: ...

class Region(_message.Message):
    __slots__ = ("x", "y", "w", "h", "relation")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    W_FIELD_NUMBER: _ClassVar[int]
    H_FIELD_NUMBER: _ClassVar[int]
    RELATION_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    w: float
    h: float
    relation: str
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ..., w: _Optional[float] = ..., h: _Optional[float] = ..., relation: _Optional[str] = ...) -> None: ...

class Filters(_message.Message):
    __slots__ = ("titles", "series", "seasons", "genres", "years", "characters", "talents", "kinds", "languages", "rows")
    TITLES_FIELD_NUMBER: _ClassVar[int]
    SERIES_FIELD_NUMBER: _ClassVar[int]
    SEASONS_FIELD_NUMBER: _ClassVar[int]
    GENRES_FIELD_NUMBER: _ClassVar[int]
    YEARS_FIELD_NUMBER: _ClassVar[int]
    CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    TALENTS_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    titles: _containers.RepeatedScalarFieldContainer[str]
    series: _containers.RepeatedScalarFieldContainer[str]
    seasons: _containers.RepeatedScalarFieldContainer[int]
    genres: _containers.RepeatedScalarFieldContainer[str]
    years: _containers.RepeatedCompositeFieldContainer[Years]
    characters: _containers.RepeatedScalarFieldContainer[str]
    talents: _containers.RepeatedScalarFieldContainer[str]
    kinds: _containers.RepeatedScalarFieldContainer[str]
    languages: _containers.RepeatedScalarFieldContainer[str]
    rows: _containers.RepeatedCompositeFieldContainer[HasRow]
    def __init__(self, titles: _Optional[_Iterable[str]] = ..., series: _Optional[_Iterable[str]] = ..., seasons: _Optional[_Iterable[int]] = ..., genres: _Optional[_Iterable[str]] = ..., years: _Optional[_Iterable[_Union[Years, _Mapping]]] = ..., characters: _Optional[_Iterable[str]] = ..., talents: _Optional[_Iterable[str]] = ..., kinds: _Optional[_Iterable[str]] = ..., languages: _Optional[_Iterable[str]] = ..., rows: _Optional[_Iterable[_Union[HasRow, _Mapping]]] = ...) -> None: ...

class Years(_message.Message):
    __slots__ = ("first", "last")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    first: int
    last: int
    def __init__(self, first: _Optional[int] = ..., last: _Optional[int] = ...) -> None: ...

class HasRow(_message.Message):
    __slots__ = ("algorithm", "field", "value", "comparison", "region", "conditions")
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    COMPARISON_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    algorithm: str
    field: str
    value: str
    comparison: str
    region: Region
    conditions: _containers.RepeatedCompositeFieldContainer[Condition]
    def __init__(self, algorithm: _Optional[str] = ..., field: _Optional[str] = ..., value: _Optional[str] = ..., comparison: _Optional[str] = ..., region: _Optional[_Union[Region, _Mapping]] = ..., conditions: _Optional[_Iterable[_Union[Condition, _Mapping]]] = ...) -> None: ...

class Answer(_message.Message):
    __slots__ = ("snapshot", "hits", "notes", "total", "counted", "next_cursor", "release", "facets", "timeline", "characters")
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    HITS_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    COUNTED_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    FACETS_FIELD_NUMBER: _ClassVar[int]
    TIMELINE_FIELD_NUMBER: _ClassVar[int]
    CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    snapshot: str
    hits: _containers.RepeatedCompositeFieldContainer[Hit]
    notes: _containers.RepeatedScalarFieldContainer[str]
    total: int
    counted: bool
    next_cursor: str
    release: int
    facets: _containers.RepeatedCompositeFieldContainer[FacetCounts]
    timeline: _containers.RepeatedCompositeFieldContainer[Bin]
    characters: Characters
    def __init__(self, snapshot: _Optional[str] = ..., hits: _Optional[_Iterable[_Union[Hit, _Mapping]]] = ..., notes: _Optional[_Iterable[str]] = ..., total: _Optional[int] = ..., counted: _Optional[bool] = ..., next_cursor: _Optional[str] = ..., release: _Optional[int] = ..., facets: _Optional[_Iterable[_Union[FacetCounts, _Mapping]]] = ..., timeline: _Optional[_Iterable[_Union[Bin, _Mapping]]] = ..., characters: _Optional[_Union[Characters, _Mapping]] = ...) -> None: ...

class FacetCounts(_message.Message):
    __slots__ = ("facet", "values", "total")
    FACET_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    facet: str
    values: _containers.RepeatedCompositeFieldContainer[FacetValue]
    total: int
    def __init__(self, facet: _Optional[str] = ..., values: _Optional[_Iterable[_Union[FacetValue, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class FacetValue(_message.Message):
    __slots__ = ("value", "hits")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    HITS_FIELD_NUMBER: _ClassVar[int]
    value: str
    hits: int
    def __init__(self, value: _Optional[str] = ..., hits: _Optional[int] = ...) -> None: ...

class Bin(_message.Message):
    __slots__ = ("start_ms", "end_ms", "hits", "score")
    START_MS_FIELD_NUMBER: _ClassVar[int]
    END_MS_FIELD_NUMBER: _ClassVar[int]
    HITS_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    start_ms: int
    end_ms: int
    hits: int
    score: float
    def __init__(self, start_ms: _Optional[int] = ..., end_ms: _Optional[int] = ..., hits: _Optional[int] = ..., score: _Optional[float] = ...) -> None: ...

class Characters(_message.Message):
    __slots__ = ("speakers", "total")
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    speakers: _containers.RepeatedCompositeFieldContainer[Speaker]
    total: int
    def __init__(self, speakers: _Optional[_Iterable[_Union[Speaker, _Mapping]]] = ..., total: _Optional[int] = ...) -> None: ...

class Speaker(_message.Message):
    __slots__ = ("title_id", "speaker", "hits", "start_ms", "end_ms", "score")
    TITLE_ID_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    HITS_FIELD_NUMBER: _ClassVar[int]
    START_MS_FIELD_NUMBER: _ClassVar[int]
    END_MS_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    title_id: str
    speaker: str
    hits: int
    start_ms: int
    end_ms: int
    score: float
    def __init__(self, title_id: _Optional[str] = ..., speaker: _Optional[str] = ..., hits: _Optional[int] = ..., start_ms: _Optional[int] = ..., end_ms: _Optional[int] = ..., score: _Optional[float] = ...) -> None: ...

class Hit(_message.Message):
    __slots__ = ("title_id", "title", "start_ms", "end_ms", "score", "grouped", "series", "season", "episode", "match", "snapshot", "sources", "thumbnail_url", "preview_url")
    TITLE_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    START_MS_FIELD_NUMBER: _ClassVar[int]
    END_MS_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    GROUPED_FIELD_NUMBER: _ClassVar[int]
    SERIES_FIELD_NUMBER: _ClassVar[int]
    SEASON_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    MATCH_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    THUMBNAIL_URL_FIELD_NUMBER: _ClassVar[int]
    PREVIEW_URL_FIELD_NUMBER: _ClassVar[int]
    title_id: str
    title: str
    start_ms: int
    end_ms: int
    score: float
    grouped: int
    series: str
    season: int
    episode: int
    match: str
    snapshot: str
    sources: _containers.RepeatedCompositeFieldContainer[Source]
    thumbnail_url: str
    preview_url: str
    def __init__(self, title_id: _Optional[str] = ..., title: _Optional[str] = ..., start_ms: _Optional[int] = ..., end_ms: _Optional[int] = ..., score: _Optional[float] = ..., grouped: _Optional[int] = ..., series: _Optional[str] = ..., season: _Optional[int] = ..., episode: _Optional[int] = ..., match: _Optional[str] = ..., snapshot: _Optional[str] = ..., sources: _Optional[_Iterable[_Union[Source, _Mapping]]] = ..., thumbnail_url: _Optional[str] = ..., preview_url: _Optional[str] = ...) -> None: ...

class Source(_message.Message):
    __slots__ = ("algorithm", "generation", "model", "revision", "score", "start_ms", "end_ms", "clause", "rank", "text", "language", "speaker", "box", "fields")
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    START_MS_FIELD_NUMBER: _ClassVar[int]
    END_MS_FIELD_NUMBER: _ClassVar[int]
    CLAUSE_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    algorithm: str
    generation: str
    model: str
    revision: str
    score: float
    start_ms: int
    end_ms: int
    clause: int
    rank: int
    text: str
    language: str
    speaker: str
    box: Box
    fields: _struct_pb2.Struct
    def __init__(self, algorithm: _Optional[str] = ..., generation: _Optional[str] = ..., model: _Optional[str] = ..., revision: _Optional[str] = ..., score: _Optional[float] = ..., start_ms: _Optional[int] = ..., end_ms: _Optional[int] = ..., clause: _Optional[int] = ..., rank: _Optional[int] = ..., text: _Optional[str] = ..., language: _Optional[str] = ..., speaker: _Optional[str] = ..., box: _Optional[_Union[Box, _Mapping]] = ..., fields: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class Box(_message.Message):
    __slots__ = ("x", "y", "w", "h")
    X_FIELD_NUMBER: _ClassVar[int]
    Y_FIELD_NUMBER: _ClassVar[int]
    W_FIELD_NUMBER: _ClassVar[int]
    H_FIELD_NUMBER: _ClassVar[int]
    x: float
    y: float
    w: float
    h: float
    def __init__(self, x: _Optional[float] = ..., y: _Optional[float] = ..., w: _Optional[float] = ..., h: _Optional[float] = ...) -> None: ...

class Explanation(_message.Message):
    __slots__ = ("snapshot", "steps", "release")
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    snapshot: str
    steps: _containers.RepeatedCompositeFieldContainer[Step]
    release: int
    def __init__(self, snapshot: _Optional[str] = ..., steps: _Optional[_Iterable[_Union[Step, _Mapping]]] = ..., release: _Optional[int] = ...) -> None: ...

class Step(_message.Message):
    __slots__ = ("clause", "asked", "algorithm", "how", "may_answer", "found", "cut", "least", "by_chance", "cpu_ms")
    CLAUSE_FIELD_NUMBER: _ClassVar[int]
    ASKED_FIELD_NUMBER: _ClassVar[int]
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    HOW_FIELD_NUMBER: _ClassVar[int]
    MAY_ANSWER_FIELD_NUMBER: _ClassVar[int]
    FOUND_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    LEAST_FIELD_NUMBER: _ClassVar[int]
    BY_CHANCE_FIELD_NUMBER: _ClassVar[int]
    CPU_MS_FIELD_NUMBER: _ClassVar[int]
    clause: int
    asked: str
    algorithm: str
    how: str
    may_answer: int
    found: int
    cut: bool
    least: float
    by_chance: float
    cpu_ms: float
    def __init__(self, clause: _Optional[int] = ..., asked: _Optional[str] = ..., algorithm: _Optional[str] = ..., how: _Optional[str] = ..., may_answer: _Optional[int] = ..., found: _Optional[int] = ..., cut: _Optional[bool] = ..., least: _Optional[float] = ..., by_chance: _Optional[float] = ..., cpu_ms: _Optional[float] = ...) -> None: ...

class TitlesAnswer(_message.Message):
    __slots__ = ("snapshot", "titles", "notes", "total", "next_cursor", "release")
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    TITLES_FIELD_NUMBER: _ClassVar[int]
    NOTES_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    snapshot: str
    titles: _containers.RepeatedCompositeFieldContainer[Title]
    notes: _containers.RepeatedScalarFieldContainer[str]
    total: int
    next_cursor: str
    release: int
    def __init__(self, snapshot: _Optional[str] = ..., titles: _Optional[_Iterable[_Union[Title, _Mapping]]] = ..., notes: _Optional[_Iterable[str]] = ..., total: _Optional[int] = ..., next_cursor: _Optional[str] = ..., release: _Optional[int] = ...) -> None: ...

class Title(_message.Message):
    __slots__ = ("title_id", "title", "kind", "year", "genres", "languages", "series", "season", "episode")
    TITLE_ID_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    YEAR_FIELD_NUMBER: _ClassVar[int]
    GENRES_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    SERIES_FIELD_NUMBER: _ClassVar[int]
    SEASON_FIELD_NUMBER: _ClassVar[int]
    EPISODE_FIELD_NUMBER: _ClassVar[int]
    title_id: str
    title: str
    kind: str
    year: int
    genres: _containers.RepeatedScalarFieldContainer[str]
    languages: _containers.RepeatedScalarFieldContainer[str]
    series: str
    season: int
    episode: int
    def __init__(self, title_id: _Optional[str] = ..., title: _Optional[str] = ..., kind: _Optional[str] = ..., year: _Optional[int] = ..., genres: _Optional[_Iterable[str]] = ..., languages: _Optional[_Iterable[str]] = ..., series: _Optional[str] = ..., season: _Optional[int] = ..., episode: _Optional[int] = ...) -> None: ...

class AnnotationsAnswer(_message.Message):
    __slots__ = ("snapshot", "rows", "total", "next_cursor", "release")
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    NEXT_CURSOR_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    snapshot: str
    rows: _containers.RepeatedCompositeFieldContainer[Annotation]
    total: int
    next_cursor: str
    release: int
    def __init__(self, snapshot: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[Annotation, _Mapping]]] = ..., total: _Optional[int] = ..., next_cursor: _Optional[str] = ..., release: _Optional[int] = ...) -> None: ...

class Annotation(_message.Message):
    __slots__ = ("algorithm", "start_ms", "end_ms", "revision", "shot_no", "text", "label", "confidence", "score", "box", "fields")
    ALGORITHM_FIELD_NUMBER: _ClassVar[int]
    START_MS_FIELD_NUMBER: _ClassVar[int]
    END_MS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    SHOT_NO_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    BOX_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    algorithm: str
    start_ms: int
    end_ms: int
    revision: str
    shot_no: int
    text: str
    label: str
    confidence: float
    score: float
    box: Box
    fields: _struct_pb2.Struct
    def __init__(self, algorithm: _Optional[str] = ..., start_ms: _Optional[int] = ..., end_ms: _Optional[int] = ..., revision: _Optional[str] = ..., shot_no: _Optional[int] = ..., text: _Optional[str] = ..., label: _Optional[str] = ..., confidence: _Optional[float] = ..., score: _Optional[float] = ..., box: _Optional[_Union[Box, _Mapping]] = ..., fields: _Optional[_Union[_struct_pb2.Struct, _Mapping]] = ...) -> None: ...

class AlgorithmsAnswer(_message.Message):
    __slots__ = ("snapshot", "algorithms", "release")
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    ALGORITHMS_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    snapshot: str
    algorithms: _containers.RepeatedCompositeFieldContainer[Algorithm]
    release: int
    def __init__(self, snapshot: _Optional[str] = ..., algorithms: _Optional[_Iterable[_Union[Algorithm, _Mapping]]] = ..., release: _Optional[int] = ...) -> None: ...

class Algorithm(_message.Message):
    __slots__ = ("name", "owner", "version", "description", "shape", "fields", "model", "generation", "rows", "pending", "titles")
    NAME_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    SHAPE_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    GENERATION_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    TITLES_FIELD_NUMBER: _ClassVar[int]
    name: str
    owner: str
    version: str
    description: str
    shape: str
    fields: _containers.RepeatedCompositeFieldContainer[Field]
    model: str
    generation: str
    rows: int
    pending: int
    titles: int
    def __init__(self, name: _Optional[str] = ..., owner: _Optional[str] = ..., version: _Optional[str] = ..., description: _Optional[str] = ..., shape: _Optional[str] = ..., fields: _Optional[_Iterable[_Union[Field, _Mapping]]] = ..., model: _Optional[str] = ..., generation: _Optional[str] = ..., rows: _Optional[int] = ..., pending: _Optional[int] = ..., titles: _Optional[int] = ...) -> None: ...

class Field(_message.Message):
    __slots__ = ("name", "type", "own", "comparisons")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    OWN_FIELD_NUMBER: _ClassVar[int]
    COMPARISONS_FIELD_NUMBER: _ClassVar[int]
    name: str
    type: str
    own: bool
    comparisons: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., type: _Optional[str] = ..., own: _Optional[bool] = ..., comparisons: _Optional[_Iterable[str]] = ...) -> None: ...

class StatusAnswer(_message.Message):
    __slots__ = ("ready", "snapshot", "why", "release")
    READY_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    WHY_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    ready: bool
    snapshot: str
    why: str
    release: int
    def __init__(self, ready: _Optional[bool] = ..., snapshot: _Optional[str] = ..., why: _Optional[str] = ..., release: _Optional[int] = ...) -> None: ...
