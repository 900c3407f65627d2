"""The search of one snapshot: filters are resolved, clauses evaluated, and what they find is arranged and shown."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from types import TracebackType
from typing import TYPE_CHECKING, Any

import polars as pl

from mediaflow.errors import UsageError
from mediaflow.search.explain import Step, explain
from mediaflow.search.literals import among, both
from mediaflow.search.memory import Memory
from mediaflow.search.post.evaluation import Evaluation
from mediaflow.search.post.facets import Count, facets
from mediaflow.search.post.group import by_time, grouped
from mediaflow.search.post.hits import Showing
from mediaflow.search.post.order import by_field
from mediaflow.search.post.ranked import CANDIDATES_IN_ORDER, Ranked, candidates_of, depth_of, rows_of
from mediaflow.search.process.encoding import Encoders, TextVectors
from mediaflow.search.query import Filters, FreeText, Query, Sort, SortBy, leaves
from mediaflow.search.reading.annotations import read_annotations
from mediaflow.search.reading.described import described
from mediaflow.search.results import Results
from mediaflow.search.route.asked import AnyAsked, Asked, Index
from mediaflow.search.route.cutoffs import FALSE_POSITIVES, CutOffs
from mediaflow.search.route.fields import check_sortable
from mediaflow.search.route.routing import DIALOGUE, Router
from mediaflow.search.route.similar import VISUAL, Pictures
from mediaflow.search.scores import Scores, rescored
from mediaflow.search.searchers.held import hold
from mediaflow.search.stopping import check
from mediaflow.search.titles.catalogue import Catalogue, Selection
from mediaflow.search.titles.people import Voices
from mediaflow.search.titles.rights import Rights
from mediaflow.search.views import View
from mediaflow.storage import steps

if TYPE_CHECKING:
    import lance

    from mediaflow.snapshots.reader import SnapshotReader

# Where the next page needs more, so many times as many are looked for.
_DEEPER = 8
_MOST_HITS = 1000
# So many moments and matches of the last questions are remembered for their next pages: some tens of megabytes.
_REMEMBERED = 500_000
# Catalogues of those who may not see all are held for so many titles in all: about 250 MB. A small one counts as some.
_NARROW_TITLES, _A_CATALOGUE = 500_000, 1_000
# Of the last filters is remembered which titles fit: so many numbers in all, some tens of megabytes.
_SELECTED, _A_SELECTION = 500_000, 100
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
    false_positives : float
        The share of the rows that an unrelated query lets through where everything is asked for.
    texts : TextVectors, optional
        Encodes texts, for this snapshot and others.
    outside : Mapping[str, Index], optional
        Indexes of this snapshot that stand outside of the store; a clause `Where` asks them by these names.
    scores : Scores, optional
        The scores that queries can name.
    """

    def __init__(
        self,
        reader: SnapshotReader,
        encoders: Encoders,
        pictures: Pictures,
        false_positives: float = FALSE_POSITIVES,
        texts: TextVectors | None = None,
        outside: Mapping[str, Index] | None = None,
        scores: Scores | None = None,
    ) -> None:
        self.reader = reader
        self._encoders = encoders
        self._pictures = pictures
        self._texts = texts or TextVectors(encoders)
        self._cutoffs = CutOffs(self._table, false_positives)
        self._outside = outside or {}
        self._scores = scores or Scores()
        # Shared with the gateways of those who may not see all, so that all of them together are bounded.
        self._known: Memory[tuple[frozenset[str] | None, Query, int], Ranked] = Memory(_REMEMBERED, rows_of)
        self._selected: Memory[tuple[frozenset[str] | None, Filters], Selection] = Memory(_SELECTED, _chosen)
        self._narrow: Memory[Rights, Gateway] = Memory(_NARROW_TITLES, _titles)
        self._see(Catalogue(reader, lambda: self._speakers))

    def _see(self, catalogue: Catalogue) -> None:
        """Answer with the titles of a catalogue alone."""
        self.catalogue = catalogue
        self._router = Router(
            self.reader, self._encoders, self._pictures, catalogue, self._cutoffs, self._texts, self._outside
        )
        self._counts: dict[str, int] = {}

    def search(self, query: Query, offset: int = 0) -> Results:
        """Answer a query.

        Parameters
        ----------
        query : Query
            What to look for.
        offset : int
            How many hits lie before the page that is asked for; `Results.next_offset` of the page before.

        Raises
        ------
        UsageError
            The query is empty, names a title that is not there, or needs an algorithm that the snapshot has not.
        SnapshotExpired
            The reader's time was over before the answer was there.
        """
        with self.reader.reading():
            results = self._search(query, offset)
            steps.reached("reader: before answer")
        return results

    def explain(self, query: Query) -> list[Step]:
        """Answer a query, not from memory, and return how that was done.

        Raises
        ------
        UsageError, SnapshotExpired
            As for `search`.
        """
        with self.reader.reading():
            selection = self._selection(query)
            evaluation = self._evaluated(query, selection, depth_of(query)).evaluation
            return explain(evaluation.leaves, query.clauses, self._table, self._cutoffs.rate)

    def facets(self, query: Query, wanted: Sequence[str]) -> dict[str, list[Count]]:
        """Count the hits of a query, on all pages, by what their titles are; see `mediaflow.search.post.facets`.

        Raises
        ------
        UsageError, SnapshotExpired
            As for `search`; or there is no such facet.
        """
        with self.reader.reading():
            return facets(self._answer(query).moments, self.catalogue.titles, wanted)

    def view(self, query: Query, view: View) -> list[dict[str, Any]]:
        """Return the answer to a query in another form; see `mediaflow.search.views`.

        Raises
        ------
        UsageError, SnapshotExpired
            As for `search`.
        """
        with self.reader.reading():
            ranked = self._answer(query)
            spoken = Showing(self.reader.manifest, self._table, self.catalogue.titles).speakers(
                ranked.moments, ranked.evaluation
            )
            return view.show(ranked.moments, spoken, self.catalogue)

    def annotations(
        self, title: str, start_ms: int = 0, end_ms: int = 2**40, algorithms: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Return what algorithms found in a part of a title; see `mediaflow.search.reading.annotations`.

        Raises
        ------
        UsageError, SnapshotExpired
            As for `search`; or there is no such algorithm.
        """
        with self.reader.reading():
            return read_annotations(self.reader, self.catalogue.one_title(title), start_ms, end_ms, algorithms)

    def algorithms(self) -> list[dict[str, Any]]:
        """Return what can be asked; see `mediaflow.search.reading.described`."""
        return described(self.reader.manifest, self.rows, self.pending, len(self.catalogue.titles))

    def select(self, filters: Filters) -> Selection:
        """Resolve filters to the titles that fit all of them, by the catalogue and by what algorithms found there.

        Raises
        ------
        UsageError, SnapshotExpired
            As for `search`.
        """
        asked = self.catalogue.allowed, filters
        known = self._selected.get(asked)
        if known is not None:
            return known
        with self.reader.reading():
            selection = self.catalogue.select(filters)
            for wanted in filters.rows:
                numbers = self._router.titles_with(wanted)
                left = numbers if selection.title_nos is None else selection.title_nos & numbers
                selection = replace(selection, title_nos=left)
        self._selected.put(asked, selection)
        return selection

    def within(self, allowed: frozenset[str]) -> Gateway:
        """Return a gateway to the same snapshot for somebody who may see these titles alone (ids).

        To them it is as if there were no others: in hits, counts, facets, views, annotations, notes and errors.
        It lasts as long as this one.
        """
        narrow = copy.copy(self)
        catalogue = Catalogue(self.reader, lambda: self._speakers, allowed)
        narrow._cutoffs = self._cutoffs.within(lambda: catalogue.numbers)
        narrow._see(catalogue)
        return narrow

    def seen_by(self, rights: Rights) -> Gateway:
        """Return the gateway `within` the titles that rights name in this snapshot; the same for the same rights."""
        known = self._narrow.get(rights)
        if known is None:
            known = self.within(rights.among(self.catalogue.titles))
            self._narrow.put(rights, known)
        return known

    def rows(self, algorithm: str) -> int:
        """Return how many rows an algorithm has of the titles that may be seen."""
        if algorithm not in self._counts:
            part, numbers = self.reader.manifest.algorithms[algorithm], self.catalogue.numbers
            if numbers is None:
                return self.reader.manifest.tables[part.table].rows
            self._counts[algorithm] = self._table(algorithm).count_rows(among("title_no", numbers))
        return self._counts[algorithm]

    def pending(self, algorithm: str) -> int:
        """Return how many of the titles that may be seen are published without an algorithm's newest rows."""
        waiting, numbers = self.reader.manifest.algorithms[algorithm].pending, self.catalogue.numbers
        return len(waiting) if numbers is None else len(numbers.intersection(waiting))

    def close(self) -> None:
        """Let go of the snapshot."""
        self.reader.close()

    def __enter__(self) -> Gateway:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def warm(self, models: bool = True) -> None:
        """Read and load all that the first answers would otherwise wait for: titles, cast, indexes, encoders.

        Without `models` these are loaded behind: until they are there, only what they have to encode waits.
        """
        manifest = self.reader.manifest
        _ = self.catalogue.titles, self.catalogue.cast
        for part in manifest.algorithms.values():
            table = self.reader.table(part.table)
            for index in table.describe_indices():
                table.prewarm_index(index.name)
            hold(table)
        for identity in manifest.encoders:
            self._texts.begin(identity, _WARMING)
        for identity in manifest.encoders if models else ():
            self._texts.vector(identity, _WARMING)

    def _search(self, query: Query, offset: int) -> Results:
        selection = self._selection(query)
        notes = (*selection.notes, *self._absent(query))
        if selection.title_nos is not None and not selection.title_nos:
            # What is wrong with the question is said all the same.
            for leaf in leaves(query.clauses):
                self._router.route(leaf)
            return Results(self.reader.id, notes=notes, release=self.reader.release or None)
        ranked = self._ranked(query, selection, offset + query.limit)
        titles = self.catalogue.titles
        check()
        shown = ranked.moments.slice(offset, query.limit)
        if not ranked.in_order:
            shown = self._ordered(shown, ranked.evaluation, query.sort)
        showing = Showing(self.reader.manifest, self._table, titles)
        end, total = offset + query.limit, len(ranked.moments)
        return Results(
            self.reader.id,
            tuple(showing.hits(shown, ranked.evaluation, query.clauses, selection.voices, query.score is not None)),
            notes,
            total,
            counted=not (ranked.unended or ranked.cut),
            next_offset=end if end < total or (ranked.unended and len(shown) == query.limit) else None,
            release=self.reader.release or None,
        )

    def _answer(self, query: Query) -> Ranked:
        """Return what answers a query, all of it as far as it is counted."""
        return self._ranked(query, self._selection(query), CANDIDATES_IN_ORDER)

    def _selection(self, query: Query) -> Selection:
        if not query.clauses:
            raise UsageError(
                "Say what to look for: a text, --dialogue, --visual, --image, --clip, --shot, --range, --where or"
                " --query."
            )
        if not 1 <= query.limit <= _MOST_HITS:
            raise UsageError(f"The limit must be from 1 to {_MOST_HITS}, not {query.limit}.", limit=query.limit)
        if query.score is not None:
            self._scores.named(query.score)
        if isinstance(query.sort, SortBy):
            check_sortable(query.sort.algorithm, self._router.part(query.sort.algorithm), query.sort.field)
        return self.select(query.filters)

    def _ranked(self, query: Query, selection: Selection, needed: int) -> Ranked:
        """Return what answers a question, looked for as deep as the page needs: what is above stays the same."""
        depth = depth_of(query)
        while True:
            asked = self.catalogue.allowed, query, depth
            known = self._known.get(asked)
            ranked = known or self._evaluated(query, selection, depth)
            if known is None:
                self._known.put(asked, ranked)
            if not ranked.unended or len(ranked.moments) >= needed:
                return ranked
            depth *= _DEEPER

    def _evaluated(self, query: Query, selection: Selection, depth: int) -> Ranked:
        evaluation = Evaluation(self._router, self._table, selection.title_nos)
        moments = evaluation.fused(query.clauses, self._spoken(selection.voices), candidates_of(query), depth)
        if query.score is not None:
            moments = rescored(self._scores.named(query.score), moments, evaluation, query.clauses)
        shown = grouped(moments, query.group_by, self.catalogue.titles)
        # What is ranked has no end but the number of candidates: its page is of the best, whatever the order.
        ends = not evaluation.unended and not any(one.asked.ranks for one in evaluation.leaves)
        if in_order := query.sort == "score" or ends:
            shown = self._ordered(shown, evaluation, query.sort)
        # By another score, what is looked for deeper might come before what was shown.
        cut = query.score is not None and evaluation.unended
        return Ranked(shown, evaluation, in_order, evaluation.unended and not cut, cut)

    def _ordered(self, moments: pl.DataFrame, evaluation: Evaluation, sort: Sort | SortBy) -> pl.DataFrame:
        """Return moments, which are best first, in an order."""
        if sort == "score":
            return moments
        titles = self.catalogue.titles
        return by_time(moments, titles) if sort == "time" else by_field(moments, evaluation, sort, self._table, titles)

    def _table(self, algorithm: str) -> lance.LanceDataset:
        part = self.reader.manifest.algorithms.get(algorithm)
        return self.reader.table(part.table if part else algorithm)

    def _absent(self, query: Query) -> list[str]:
        if not any(isinstance(leaf, FreeText) for leaf in leaves(query.clauses)):
            return []
        missing = [name for name in (VISUAL, DIALOGUE) if name not in self.reader.manifest.algorithms]
        return [f"The snapshot has nothing of {name!r} yet: this answer is without it." for name in missing]

    def _spoken(self, voices: Voices | None) -> Callable[[AnyAsked], AnyAsked | None]:
        """Ask dialogue once more for what the people themselves say: such cues rank in one list more than others."""
        theirs = voices.condition if voices and voices.speakers else None

        def again(one: AnyAsked) -> AnyAsked | None:
            if theirs is None or not isinstance(one, Asked) or one.algorithm != DIALOGUE:
                return None
            return replace(one, condition=both(one.condition, theirs))

        return again

    @cached_property
    def _speakers(self) -> pl.DataFrame:
        part = self.reader.manifest.algorithms.get(DIALOGUE)
        if part is None:
            return pl.DataFrame(schema={"title_no": pl.Int32, "speaker": pl.String})
        table = self.reader.table(part.table)
        found = table.to_table(columns=["title_no", "speaker"], filter="speaker IS NOT NULL")
        return pl.DataFrame(pl.from_arrow(found)).unique().sort("title_no", "speaker")


def _chosen(selection: Selection) -> int:
    """Return how many numbers of titles a selection takes as much memory as."""
    return _A_SELECTION + len(selection.title_nos or ())


def _titles(gateway: Gateway) -> int:
    """Return how many titles a gateway of some of them counts as."""
    return min(_NARROW_TITLES, _A_CATALOGUE + len(gateway.catalogue.titles))
