"""The one place that all faces call: JSON-like dicts in and out, so that each of them gives the same answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from mediaflow.errors import MediaflowError, UsageError
from mediaflow.search.wire import read_query, write_query
from mediaflow.serve.caller import ANYBODY, Caller
from mediaflow.serve.cursors import Cursors, Place

if TYPE_CHECKING:
    import polars as pl

    from mediaflow.search.engine import SearchEngine
    from mediaflow.search.gateway import Gateway

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

    def of(self, caller: Caller) -> Service:
        """Return the same service for one who asks."""
        return Service(self._engine, self._cursors, caller)

    def search(self, body: Mapping[str, Any], cursor: str | None = None) -> dict[str, Any]:
        """Return a page of the answer to a query.

        Parameters
        ----------
        body : Mapping
            The query, as `mediaflow.search.wire.read_query` reads it; `limit` is the size of a page.
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
        after = None
        if results.next_offset is not None:
            after = self._cursors.write(Place(results.snapshot, results.next_offset), write_query(query))
        return results.as_json() | {"next_cursor": after}

    def explain(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return how a query is answered: `snapshot`, and `steps` (see `mediaflow.search.explain.Step`)."""
        query = read_query(body)
        _check_size(query.limit)
        with self._gateway() as gateway:
            found = {"snapshot": gateway.reader.id, "steps": [step.as_json() for step in gateway.explain(query)]}
        return found

    def titles(
        self, filters: Mapping[str, Any] | None = None, limit: int = 50, cursor: str | None = None
    ) -> dict[str, Any]:
        """Return a page of the titles that filters leave, in the order of their ids.

        Parameters
        ----------
        filters : Mapping, optional
            Those of a query, without `rows`.
        limit, cursor
            Size of the page, and the `next_cursor` of the one before.

        Returns
        -------
        dict
            `snapshot`, `titles` (`title_id`, `title`, `kind`, `year`, `genres`, `languages`, `series`, `season`,
            `episode`), `notes`, `total`, `next_cursor`.

        Raises
        ------
        UsageError, SnapshotExpired, EngineNotReady, NothingPublished
            As for `search`.
        """
        query = read_query({**_ANY, "filters": dict(filters or {}), "limit": limit})
        _check_size(limit)
        if query.filters.rows:
            raise UsageError("Titles are listed by what the catalogue says of them: 'rows' belong to a search.")
        question = {"titles": write_query(query)}
        place = self._cursors.read(cursor, question) if cursor else None
        offset = place.offset if place else 0
        with self._gateway(place) as gateway:
            selection = gateway.catalogue.select(query.filters)
            titles = _left(gateway.catalogue.titles, selection.title_nos)
            snapshot, page = gateway.reader.id, titles.slice(offset, limit).to_dicts()
        end = offset + limit
        after = self._cursors.write(Place(snapshot, end), question) if end < len(titles) else None
        return {
            "snapshot": snapshot,
            "titles": page,
            "notes": list(selection.notes),
            "total": len(titles),
            "next_cursor": after,
        }

    def algorithms(self) -> dict[str, Any]:
        """Return the algorithms that can be searched.

        Returns
        -------
        dict
            `snapshot`, and `algorithms` by name: `name`, `owner`, `version`, `description`, `shape` (what its rows
            are), `fields` (`name` and `type` of its own), `model` (the name of the one that encodes its queries),
            `generation`, `rows`, `pending` (titles that are published without its newest rows), `titles` (of how many).
        """
        with self._gateway() as gateway:
            found = {"snapshot": gateway.reader.id, "algorithms": _algorithms(gateway)}
        return found

    def status(self) -> dict[str, Any]:
        """Return whether requests are answered now: `ready`, `snapshot` (the current one), `why` (where not)."""
        try:
            with self._gateway() as gateway:
                snapshot = gateway.reader.id
        except MediaflowError as error:
            return {"ready": False, "snapshot": None, "why": error.message}
        return {"ready": True, "snapshot": snapshot, "why": None}

    @contextmanager
    def _gateway(self, place: Place | None = None) -> Iterator[Gateway]:
        """Open the current snapshot, or that of a cursor, as far as the caller may see it."""
        with self._engine.gateway(place.snapshot if place else None) as gateway:
            rights = self._caller.rights
            yield gateway if rights is None else gateway.seen_by(rights)


def _algorithms(gateway: Gateway) -> list[dict[str, Any]]:
    manifest = gateway.reader.manifest
    return [
        {
            "name": name,
            "owner": part.owner,
            "version": part.version,
            "description": part.description,
            "shape": part.shape,
            "fields": [{"name": field, "type": kind} for field, kind in sorted(part.fields.items())],
            "model": manifest.encoders.get(part.model) if part.model else None,
            "generation": part.generation,
            "rows": gateway.rows(name),
            "pending": gateway.pending(name),
            "titles": len(gateway.catalogue.titles),
        }
        for name, part in sorted(manifest.algorithms.items())
    ]


def _left(titles: pl.DataFrame, numbers: frozenset[int] | None) -> pl.DataFrame:
    import polars as pl

    left = titles if numbers is None else titles.filter(pl.col("title_no").is_in(sorted(numbers)))
    return left.select(_TITLE_COLUMNS).sort("title_id")


def _check_size(limit: int) -> None:
    if not 1 <= limit <= MOST_ON_A_PAGE:
        raise UsageError(f"A page has from 1 to {MOST_ON_A_PAGE} entries, not {limit}.", limit=limit)
