"""The search of one snapshot: filters are resolved, clauses encoded and routed to searchers, their finds fused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any

import polars as pl

from mediaflow.errors import UsageError
from mediaflow.search.catalogue import Catalogue
from mediaflow.search.evaluation import Evaluation
from mediaflow.search.group import arrange
from mediaflow.search.literals import among, both, text_literal
from mediaflow.search.people import Voices
from mediaflow.search.query import FreeText, Query, leaves
from mediaflow.search.results import Box, Hit, Presence, Results, Source
from mediaflow.search.routing import DIALOGUE, VISUAL, Asked, Encoders, Pictures, Router
from mediaflow.search.searchers.matches import read_rows
from mediaflow.storage import steps

if TYPE_CHECKING:
    import lance

    from mediaflow.snapshots.manifest import AlgorithmPart
    from mediaflow.snapshots.reader import SnapshotReader

_CANDIDATES = 200
_CANDIDATES_PER_HIT = 4
_CANDIDATES_FOR_GROUPS = 2000
_MOST_HITS = 1000
# Any text does: the first one that a model encodes takes longer than the others.
_WARMING = "a picture"


class Gateway:
    """Answers queries from one snapshot; keeps its titles and people in memory.

    Parameters
    ----------
    reader : SnapshotReader
        The snapshot.
    encoders : Encoders
        Gives the snapshot's own encoders by identity; asked only when a query has to be encoded.
    pictures : Pictures
        Decodes pictures of users; asked only for such a query.
    """

    def __init__(self, reader: SnapshotReader, encoders: Encoders, pictures: Pictures) -> None:
        self.reader = reader
        self._encoders = encoders
        self.catalogue = Catalogue(reader, lambda: self._speakers)
        self._router = Router(reader, encoders, pictures, self.catalogue.one_title)

    def search(self, query: Query) -> Results:
        """Answer a query.

        Raises
        ------
        UsageError
            The query is empty, names a title that is not there, or needs an algorithm that the snapshot has not.
        SnapshotExpired
            The reader's time was over before the answer was there.
        """
        with self.reader.reading():
            results = self._search(query)
            steps.reached("reader: before answer")
        return results

    def close(self) -> None:
        """Let go of the snapshot."""
        self.reader.close()

    def __enter__(self) -> Gateway:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def warm(self) -> None:
        """Read and load all that the first answers would otherwise wait for: titles, cast, indexes, encoders."""
        manifest = self.reader.manifest
        _ = self.catalogue.titles, self.catalogue.cast
        for part in manifest.algorithms.values():
            table = self.reader.table(part.table)
            for index in table.describe_indices():
                table.prewarm_index(index.name)
        for identity in manifest.encoders:
            self._encoders.encoder(identity).encode_texts([_WARMING])

    def _search(self, query: Query) -> Results:
        if not query.clauses:
            raise UsageError("Say what to look for: a text, --dialogue, --visual, --image, --shot or --where.")
        if not 1 <= query.limit <= _MOST_HITS:
            raise UsageError(f"The limit must be from 1 to {_MOST_HITS}, not {query.limit}.", limit=query.limit)
        selection = self.catalogue.select(query.filters)
        notes = [*selection.notes, *self._absent(query)]
        if selection.title_nos is not None and not selection.title_nos:
            # What is wrong with the question is said all the same.
            for leaf in leaves(query.clauses):
                self._router.route(leaf)
            return Results(self.reader.id, notes=tuple(notes))
        evaluation = Evaluation(self._router, self._table, selection.title_nos)
        moments = evaluation.fused(query.clauses, self._spoken(selection.voices), _candidates(query))
        shown = arrange(moments, query, self.catalogue.titles)
        return Results(self.reader.id, tuple(self._hits(shown, evaluation, selection.voices)), tuple(notes))

    def _table(self, algorithm: str) -> lance.LanceDataset:
        return self.reader.table(self.reader.manifest.algorithms[algorithm].table)

    def _absent(self, query: Query) -> list[str]:
        if not any(isinstance(leaf, FreeText) for leaf in leaves(query.clauses)):
            return []
        missing = [name for name in (VISUAL, DIALOGUE) if name not in self.reader.manifest.algorithms]
        return [f"The snapshot has nothing of {name!r} yet: this answer is without it." for name in missing]

    def _spoken(self, voices: Voices | None) -> Callable[[Asked], Asked | None]:
        """Ask dialogue once more for what the people themselves say: such cues rank in one list more than others."""
        titles: dict[str, list[int]] = {}
        for title_no, speaker in voices.speakers if voices else ():
            titles.setdefault(speaker, []).append(title_no)
        theirs = " OR ".join(
            f"(speaker = {text_literal(speaker)} AND {among('title_no', numbers)})"
            for speaker, numbers in sorted(titles.items())
        )

        def again(one: Asked) -> Asked | None:
            return replace(one, condition=both(one.condition, theirs)) if theirs and one.algorithm == DIALOGUE else None

        return again

    def _hits(self, shown: pl.DataFrame, evaluation: Evaluation, voices: Voices | None) -> list[Hit]:
        numbers = shown["title_no"].unique().to_list()
        rows = self.catalogue.titles.filter(pl.col("title_no").is_in(numbers)).iter_rows(named=True)
        titles = {row["title_no"]: row for row in rows}
        read = self._read(shown, evaluation)
        hits: list[Hit] = []
        for one in shown.iter_rows(named=True):
            title = titles[one["title_no"]]
            sources = _sources(one["sources"], read)
            hits.append(
                Hit(
                    title_no=one["title_no"],
                    title_id=title["title_id"],
                    title=title["title"],
                    start_ms=one["start_ms"],
                    end_ms=one["end_ms"],
                    score=sources[0].score if len(evaluation.leaves) == 1 else one["score"],
                    sources=sources,
                    snapshot=self.reader.id,
                    series=title["series"],
                    season=title["season"],
                    episode=title["episode"],
                    match=None if voices is None else _presence(one["title_no"], sources, voices),
                    grouped=one["grouped"],
                )
            )
        return hits

    def _read(self, shown: pl.DataFrame, evaluation: Evaluation) -> dict[int, tuple[int, Source]]:
        """Read the rows behind the moments that are shown; return by number of a source its row and what it says."""
        found: dict[str, dict[int, tuple[int, float]]] = {}
        for number in shown["sources"].explode(empty_as_null=False).unique().to_list():
            answered, at = evaluation.source(number)
            row, score = answered.matches.select("row", "score").row(at)
            found.setdefault(answered.asked.algorithm, {})[number] = row, score
        read: dict[int, tuple[int, Source]] = {}
        for algorithm, wanted in found.items():
            part = self.reader.manifest.algorithms[algorithm]
            rows = read_rows(self._table(algorithm), sorted({row for row, _ in wanted.values()}))
            said = {row["row"]: row for row in rows.iter_rows(named=True)}
            for number, (row, score) in wanted.items():
                read[number] = row, _source(algorithm, part, said[row], score)
        return read

    @cached_property
    def _speakers(self) -> pl.DataFrame:
        part = self.reader.manifest.algorithms.get(DIALOGUE)
        if part is None:
            return pl.DataFrame(schema={"title_no": pl.Int32, "speaker": pl.String})
        table = self.reader.table(part.table)
        found = table.to_table(columns=["title_no", "speaker"], filter="speaker IS NOT NULL")
        return pl.DataFrame(pl.from_arrow(found)).unique().sort("title_no", "speaker")


def _candidates(query: Query) -> int:
    count = max(_CANDIDATES, query.limit * _CANDIDATES_PER_HIT)
    return max(count, _CANDIDATES_FOR_GROUPS) if query.group_by else count


def _source(algorithm: str, part: AlgorithmPart, row: Mapping[str, Any], score: float) -> Source:
    return Source(
        algorithm=algorithm,
        generation=part.generation,
        model=part.model,
        revision=row["revision"],
        score=score,
        start_ms=row["start_ms"],
        end_ms=row["end_ms"],
        text=row["text"],
        box=None if row["x"] is None else Box(row["x"], row["y"], row["w"], row["h"]),
        language=row["language"],
        speaker=row["speaker"],
    )


def _sources(numbers: Iterable[int], read: Mapping[int, tuple[int, Source]]) -> tuple[Source, ...]:
    sources: dict[tuple[str, int], Source] = {}
    for number in numbers:
        row, source = read[number]
        # Two clauses may find the same row; it is one source, with its first score.
        sources.setdefault((source.algorithm, row), source)
    return tuple(sources.values())


def _presence(title_no: int, sources: tuple[Source, ...], voices: Voices) -> Presence | None:
    if any(source.speaker and (title_no, source.speaker) in voices.speakers for source in sources):
        return "speaks"
    return "in cast" if title_no in voices.cast else None
