"""The search of one snapshot: filters are resolved, clauses encoded and routed to searchers, their finds fused."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from mediaflow.errors import UsageError
from mediaflow.search.catalogue import Catalogue, Selection
from mediaflow.search.fusion import Fused, Ranked, fuse
from mediaflow.search.group import Arranged, arrange
from mediaflow.search.literals import among, both, text_literal
from mediaflow.search.people import Voices
from mediaflow.search.query import FreeText, Query
from mediaflow.search.results import Box, Hit, Presence, Results, Source
from mediaflow.search.routing import DIALOGUE, VISUAL, Asked, Encoders, Pictures, Router
from mediaflow.search.searchers.matches import read_rows
from mediaflow.storage import steps

if TYPE_CHECKING:
    from mediaflow.snapshots.reader import SnapshotReader

_CANDIDATES = 200
_CANDIDATES_PER_HIT = 4
_CANDIDATES_FOR_GROUPS = 2000
_MOST_HITS = 1000
# Any text does: the first one that a model encodes takes longer than the others.
_WARMING = "a picture"


class _Found(NamedTuple):
    """Where the row of a match stands, and its score."""

    row: int
    score: float


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
        asked = [one for clause in query.clauses for one in self._router.route(clause)]
        if selection.title_nos is not None and not selection.title_nos:
            return Results(self.reader.id, notes=tuple(notes))
        if selection.voices is not None:
            asked += self._spoken(asked, selection.voices)
        lists = [self._find(one, selection, query) for one in asked]
        shown = arrange(fuse(lists), query, self.catalogue.titles)
        return Results(self.reader.id, tuple(self._hits(shown, asked, lists, selection.voices)), tuple(notes))

    def _absent(self, query: Query) -> list[str]:
        if not any(isinstance(clause, FreeText) for clause in query.clauses):
            return []
        missing = [name for name in (VISUAL, DIALOGUE) if name not in self.reader.manifest.algorithms]
        return [f"The snapshot has nothing of {name!r} yet: this answer is without it." for name in missing]

    def _find(self, asked: Asked, selection: Selection, query: Query) -> pl.DataFrame:
        table = self.reader.table(self.reader.manifest.algorithms[asked.algorithm].table)
        titles = None if selection.title_nos is None else among("title_no", selection.title_nos)
        count = max(_CANDIDATES, query.limit * _CANDIDATES_PER_HIT)
        if query.group_by:
            count = max(count, _CANDIDATES_FOR_GROUPS)
        return asked.searcher.search(table, both(asked.condition, titles), count)

    def _spoken(self, asked: list[Asked], voices: Voices) -> list[Asked]:
        """Ask dialogue once more for what the people themselves say: such cues rank in one list more than others."""
        titles: dict[str, list[int]] = {}
        for title_no, speaker in voices.speakers:
            titles.setdefault(speaker, []).append(title_no)
        if not titles:
            return []
        theirs = " OR ".join(
            f"(speaker = {text_literal(speaker)} AND {among('title_no', numbers)})"
            for speaker, numbers in sorted(titles.items())
        )
        return [replace(one, condition=both(one.condition, theirs)) for one in asked if one.algorithm == DIALOGUE]

    def _hits(
        self, shown: list[Arranged], asked: list[Asked], lists: list[pl.DataFrame], voices: Voices | None
    ) -> list[Hit]:
        numbers = sorted({one.hit.title_no for one in shown})
        rows = self.catalogue.titles.filter(pl.col("title_no").is_in(numbers)).iter_rows(named=True)
        titles = {row["title_no"]: row for row in rows}
        scores, read = self._read(shown, asked, lists)
        hits: list[Hit] = []
        for one in shown:
            fused, title = one.hit, titles[one.hit.title_no]
            sources = self._sources(fused, asked, scores, read)
            hits.append(
                Hit(
                    title_no=fused.title_no,
                    title_id=title["title_id"],
                    title=title["title"],
                    start_ms=fused.start_ms,
                    end_ms=fused.end_ms,
                    score=sources[0].score if len(asked) == 1 else fused.score,
                    sources=sources,
                    snapshot=self.reader.id,
                    series=title["series"],
                    season=title["season"],
                    episode=title["episode"],
                    match=None if voices is None else _presence(fused.title_no, sources, voices),
                    grouped=one.grouped,
                )
            )
        return hits

    def _read(
        self, shown: list[Arranged], asked: list[Asked], lists: list[pl.DataFrame]
    ) -> tuple[dict[Ranked, _Found], dict[str, dict[int, dict[str, Any]]]]:
        """Read the rows behind the hits that are shown: by range where it stands, and by algorithm and address."""
        found = {
            ranked: _Found(*lists[ranked.list_no].select("row", "score").row(ranked.row))
            for one in shown
            for ranked in one.hit.sources
        }
        addresses: dict[str, set[int]] = {}
        for ranked, at in found.items():
            addresses.setdefault(asked[ranked.list_no].algorithm, set()).add(at.row)
        read = {}
        for algorithm, wanted in addresses.items():
            rows = read_rows(self.reader.table(self.reader.manifest.algorithms[algorithm].table), sorted(wanted))
            read[algorithm] = {row["row"]: row for row in rows.iter_rows(named=True)}
        return found, read

    def _sources(
        self,
        fused: Fused,
        asked: list[Asked],
        found: dict[Ranked, _Found],
        read: dict[str, dict[int, dict[str, Any]]],
    ) -> tuple[Source, ...]:
        sources: dict[tuple[str, int], Source] = {}
        for ranked in fused.sources:
            algorithm, at = asked[ranked.list_no].algorithm, found[ranked]
            part, row = self.reader.manifest.algorithms[algorithm], read[algorithm][at.row]
            # Two clauses may find the same row; it is one source, with its first score.
            sources.setdefault(
                (algorithm, at.row),
                Source(
                    algorithm=algorithm,
                    generation=part.generation,
                    model=part.model,
                    revision=row["revision"],
                    score=at.score,
                    start_ms=row["start_ms"],
                    end_ms=row["end_ms"],
                    text=row["text"],
                    box=None if row["x"] is None else Box(row["x"], row["y"], row["w"], row["h"]),
                    language=row["language"],
                    speaker=row["speaker"],
                ),
            )
        return tuple(sources.values())

    @cached_property
    def _speakers(self) -> pl.DataFrame:
        part = self.reader.manifest.algorithms.get(DIALOGUE)
        if part is None:
            return pl.DataFrame(schema={"title_no": pl.Int32, "speaker": pl.String})
        table = self.reader.table(part.table)
        found = table.to_table(columns=["title_no", "speaker"], filter="speaker IS NOT NULL")
        return pl.DataFrame(pl.from_arrow(found)).unique().sort("title_no", "speaker")


def _presence(title_no: int, sources: tuple[Source, ...], voices: Voices) -> Presence | None:
    if any(source.speaker and (title_no, source.speaker) in voices.speakers for source in sources):
        return "speaks"
    return "in cast" if title_no in voices.cast else None
