"""The one place that all faces call: JSON-like dicts in and out, so that each of them gives the same answers."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mediaflow.errors import MediaflowError, UsageError
from mediaflow.search.process.wire import read_query, write_query
from mediaflow.serve.caller import ANYBODY, Caller
from mediaflow.serve.cursors import Cursors, Place
from mediaflow.serve.forms import annotation, facet_counts
from mediaflow.serve.watch.record import answered
from mediaflow.snapshots.engine import BehindClient
from mediaflow.snapshots.reader import SnapshotExpired

if TYPE_CHECKING:
    import polars as pl

    from mediaflow.search.engine import SearchEngine
    from mediaflow.search.gateway import Gateway
    from mediaflow.search.process.encoding import Encoded
    from mediaflow.snapshots.manifest import AlgorithmPart

MOST_ON_A_PAGE = 500
_TITLE_COLUMNS = ("title_id", "title", "kind", "year", "genres", "languages", "series", "season", "episode")
# A query has a clause at least; where only its filters count, any does.
_ANY: Mapping[str, Any] = {"clauses": [{"text": {"text": ""}}]}


class Service:
    """Answers what the faces are asked by one caller. It may be called from several threads.

    Parameters
    ----------
    engine : SearchEngine
        What answers; the service neither starts nor ends it.
    cursors : Cursors
        Signs cursors.
    caller : Caller
        Who asks.
    """

    def __init__(self, engine: SearchEngine, cursors: Cursors, caller: Caller = ANYBODY) -> None:
        self._engine = engine
        self._cursors = cursors
        self._caller = caller
        self._snapshot: str | None = None

    def of(self, caller: Caller) -> Service:
        """Return the same service for one who asks."""
        return Service(self._engine, self._cursors, caller)

    @property
    def may_wait(self) -> bool:
        """Whether the caller has seen a release that is not known here yet."""
        return self._engine.behind(self._caller.seen)

    def pinned(self, cursor: str | None = None) -> tuple[Service, Mapping[str, AlgorithmPart]]:
        """Return the same service for one request, all of which is answered from one snapshot.

        Parameters
        ----------
        cursor : str, optional
            One of the request, whose snapshot it is; else it is the current one.

        Returns
        -------
        Service, Mapping[str, AlgorithmPart]
            The service, and what its snapshot has of algorithms. Where no new request is answered now, this service
            and nothing: what is asked of it says why.

        Raises
        ------
        SnapshotExpired
            The snapshot of the cursor is not held any more.
        BehindClient
            The current one is not that of the release yet which the caller has seen.
        """
        snapshot = self._cursors.snapshot(cursor) if cursor else None
        try:
            with self._engine.gateway(snapshot, self._caller.seen) as gateway:
                manifest = gateway.reader.manifest
        except (SnapshotExpired, BehindClient):
            raise
        except MediaflowError:
            return self, {}
        pinned = copy.copy(self)
        pinned._snapshot = manifest.id
        return pinned, manifest.algorithms

    def search(self, body: Mapping[str, Any], cursor: str | None = None) -> dict[str, Any]:
        """Return a page of the answer to a query.

        Parameters
        ----------
        body : Mapping
            The query, as `mediaflow.search.process.wire.read_query` reads it; `limit` is the size of a page.
        cursor : str, optional
            The `next_cursor` of the page before, which came from the same query. The page is of the same snapshot.

        Returns
        -------
        dict
            What `mediaflow.search.results.Results.as_json` gives, and `next_cursor` (None after the last page).

        Raises
        ------
        UsageError
            The query cannot be answered, or the cursor does not belong to it (`WrongCursor`).
        SnapshotExpired
            The snapshot of the cursor is not held any more.
        EngineNotReady, NothingPublished
            Nothing can be answered now.
        """
        query = read_query(body)
        _check_size(query.limit)
        place = self._cursors.read(cursor, write_query(query)) if cursor else None
        with self._gateway(place) as gateway:
            results = gateway.search(query, place.offset if place else 0)
            answered(results.snapshot, len(results))
        release = place.release if place else results.release
        after = None
        if results.next_offset is not None:
            place = Place(results.snapshot, results.next_offset, release)
            after = self._cursors.write(place, write_query(query))
        return results.as_json() | {"release": release, "next_cursor": after}

    def facets(
        self, body: Mapping[str, Any], of: Sequence[str], most: int = 20, beside: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return how the hits of a query, on all pages, are spread; see `mediaflow.search.post.facets`.

        Parameters
        ----------
        body : Mapping
            The query, as for `search`.
        of : sequence of str
            Of `mediaflow.search.post.facets.FACETS`.
        most : int
            So many values of each, the most frequent.
        beside : Mapping, optional
            A page of the answer: it is counted in the same snapshot.

        Returns
        -------
        dict
            `snapshot`, `release`, and `facets`, of which `mediaflow.serve.forms.facet_counts` says the form.

        Raises
        ------
        UsageError, SnapshotExpired, EngineNotReady, NothingPublished
            As for `search`; or there is no such facet.
        """
        _check_size(most)
        query, place = read_query(body), _beside(beside)
        with self._gateway(place) as gateway:
            told = _of(gateway, place)
            counted = gateway.facets(query, of)
        return told | {"facets": facet_counts(counted, of, most)}

    def timeline(
        self, body: Mapping[str, Any], title: str, bins: int = 50, beside: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the hits of a query in a title (its id, or name) over its time, in bins of equal length.

        Returns
        -------
        dict
            `snapshot`, `release`, and `timeline`: a bin each, with `start_ms`, `end_ms`, `hits` (that overlap it) and
            the best `score` (None without hits). Else as `facets`.
        """
        from mediaflow.search.views.timeline import Timeline

        query, place = read_query(body), _beside(beside)
        with self._gateway(place) as gateway:
            told = _of(gateway, place)
            shown = gateway.view(query, Timeline(title, bins))
        return told | {"timeline": shown}

    def characters(
        self, body: Mapping[str, Any], most: int = 20, beside: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return who speaks in the hits of a query, those with the most hits first.

        Returns
        -------
        dict
            `snapshot`, `release`, and `characters`: `speakers` (`title_id`, `speaker`, `hits`, and the best one's
            `start_ms`, `end_ms` and `score`) and `total`: how many there are. Else as `facets`.
        """
        from mediaflow.search.views.characters import Characters

        _check_size(most)
        query, place = read_query(body), _beside(beside)
        with self._gateway(place) as gateway:
            told = _of(gateway, place)
            shown = gateway.view(query, Characters())
        return told | {"characters": {"speakers": shown[:most], "total": len(shown)}}

    def annotations(
        self,
        title: str,
        start_ms: int = 0,
        end_ms: int | None = None,
        algorithms: Sequence[str] = (),
        limit: int = 100,
        cursor: str | None = None,
    ) -> dict[str, Any]:
        """Return a page of what algorithms found in a part of a title, in the order of time.

        Parameters
        ----------
        title : str
            Its id, or its name.
        start_ms, end_ms : int
            The part, half-open; to the end of the title without `end_ms`.
        algorithms : sequence of str
            Whose rows; all without.
        limit, cursor
            Size of the page, and the `next_cursor` of the one before.

        Returns
        -------
        dict
            `snapshot`, `release`, `rows` (of which `mediaflow.serve.forms.annotation` says the form), `total`,
            `next_cursor`.

        Raises
        ------
        UsageError, SnapshotExpired, EngineNotReady, NothingPublished
            As for `search`; or what is said by `mediaflow.search.reading.annotations.read_annotations`.
        """
        from mediaflow.search.route.fields import own_fields

        _check_size(limit)
        part: dict[str, Any] = {"title": title, "start_ms": start_ms, "algorithms": list(algorithms)}
        part |= {} if end_ms is None else {"end_ms": end_ms}
        question = {"annotations": part, "limit": limit}
        place = self._cursors.read(cursor, question) if cursor else None
        offset = place.offset if place else 0
        with self._gateway(place) as gateway:
            told = _of(gateway, place)
            rows = gateway.annotations(**part)
            parts = gateway.reader.manifest.algorithms
            page = [annotation(row, own_fields(parts[row["algorithm"]])) for row in rows[offset : offset + limit]]
        after = self._after(told, offset + limit, len(rows), question)
        return told | {"rows": page, "total": len(rows), "next_cursor": after}

    def explain(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return how a query is answered: `snapshot`, `release`, and `steps` (see `mediaflow.search.explain.Step`)."""
        query = read_query(body)
        _check_size(query.limit)
        with self._gateway() as gateway:
            found = _of(gateway) | {"steps": [step.as_json() for step in gateway.explain(query)]}
        return found

    def titles(
        self, filters: Mapping[str, Any] | None = None, limit: int = 50, cursor: str | None = None
    ) -> dict[str, Any]:
        """Return a page of the titles that filters leave, in the order of their ids.

        Parameters
        ----------
        filters : Mapping, optional
            Those of a query.
        limit, cursor
            Size of the page, and the `next_cursor` of the one before.

        Returns
        -------
        dict
            `snapshot`, `release`, `titles` (`title_id`, `title`, `kind`, `year`, `genres`, `languages`, `series`,
            `season`, `episode`), `notes`, `total`, `next_cursor`.

        Raises
        ------
        UsageError, SnapshotExpired, EngineNotReady, NothingPublished
            As for `search`.
        """
        query = read_query({**_ANY, "filters": dict(filters or {}), "limit": limit})
        _check_size(limit)
        question = {"titles": write_query(query)}
        place = self._cursors.read(cursor, question) if cursor else None
        offset = place.offset if place else 0
        with self._gateway(place) as gateway:
            told = _of(gateway, place)
            selection = gateway.select(query.filters)
            titles = _left(gateway.catalogue.titles, selection.title_nos)
            page = titles.slice(offset, limit).to_dicts()
        after = self._after(told, offset + limit, len(titles), question)
        notes = list(selection.notes)
        return told | {"titles": page, "notes": notes, "total": len(titles), "next_cursor": after}

    def algorithms(self) -> dict[str, Any]:
        """Return the algorithms that can be searched.

        Returns
        -------
        dict
            `snapshot`, `release`, and `algorithms`, each as `mediaflow.search.reading.described.described` gives it.
        """
        with self._gateway() as gateway:
            found = _of(gateway) | {"algorithms": gateway.algorithms()}
        return found

    def status(self) -> dict[str, Any]:
        """Return whether requests are answered now: `ready`, `snapshot` and `release` (current), `why` (where not)."""
        try:
            with self._engine.gateway(None, self._caller.seen) as gateway:
                told = _of(gateway)
        except MediaflowError as error:
            return {"ready": False, "snapshot": None, "release": None, "why": error.message}
        return told | {"ready": True, "why": None}

    def encoded(self) -> Encoded:
        """Return what texts of queries were encoded so far."""
        return self._engine.encoded

    @contextmanager
    def _gateway(self, place: Place | None = None) -> Iterator[Gateway]:
        """Open the snapshot of a cursor, of the request, or the current one, as far as the caller may see it."""
        snapshot = place.snapshot if place else self._snapshot
        with self._engine.gateway(snapshot, self._caller.seen) as gateway:
            rights = self._caller.rights
            answered(gateway.reader.id)
            yield gateway if rights is None else gateway.seen_by(rights)

    def _after(self, told: Mapping[str, Any], end: int, total: int, question: Any) -> str | None:
        """Return the cursor of the page that begins at `end`, None where nothing is left."""
        return self._cursors.write(Place(told["snapshot"], end, told["release"]), question) if end < total else None


def _of(gateway: Gateway, place: Place | None = None) -> dict[str, Any]:
    """Return which snapshot answers, and its release: on further pages that of the first one."""
    release = place.release if place else gateway.reader.release
    return {"snapshot": gateway.reader.id, "release": release or None}


def _beside(page: Mapping[str, Any] | None) -> Place | None:
    return Place(page["snapshot"], 0, page["release"]) if page else None


def _left(titles: pl.DataFrame, numbers: frozenset[int] | None) -> pl.DataFrame:
    import polars as pl

    left = titles if numbers is None else titles.filter(pl.col("title_no").is_in(sorted(numbers)))
    return left.select(_TITLE_COLUMNS).sort("title_id")


def _check_size(limit: int) -> None:
    if not 1 <= limit <= MOST_ON_A_PAGE:
        raise UsageError(f"A page has from 1 to {MOST_ON_A_PAGE} entries, not {limit}.", limit=limit)
