"""The client: each method asks one server, and gives what the Python API gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

from mediaflow.client import asking, reading
from mediaflow.client.transport import Retries, Transport
from mediaflow.search.explain import Step
from mediaflow.search.post.facets import Count, Facet
from mediaflow.search.query import Filters, FreeText, Query
from mediaflow.search.views.characters import Characters
from mediaflow.search.views.timeline import Timeline

_RETRIES = Retries()


class Client:
    """Asks a server. Use it in a `with` statement, from as many threads as you like.

    What it asks anew is never answered from before a release that it has seen an answer of.

    Parameters
    ----------
    url : str
        Of the server, such as `http://127.0.0.1:8000`.
    key : str, optional
        An API key, where the server wants one.
    limit_s : float
        How long a call may take, in seconds, its retries included.
    retries : Retries
        When a call is tried again: where the server cannot be reached or says that it is busy, not ready or behind,
        and never where the question is wrong.

    Raises
    ------
    UsageError
        `url` is no address. Also of every method: the question cannot be answered as it was asked.
    Unreachable, NoAnswer, ServerError
        Of every method: no server was reached, or it took too long, or it failed; see `mediaflow.client.errors`.
    MediaflowError
        Of every method: what the server says, as the type that the Python API raises: `SnapshotExpired`, `Busy`, …
    """

    def __init__(self, url: str, key: str | None = None, limit_s: float = 60.0, retries: Retries = _RETRIES) -> None:
        self._transport = Transport(url, key, limit_s, retries)

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    @property
    def release(self) -> int:
        """The last release that an answer was of; 0 before the first."""
        return self._transport.seen

    def search(self, query: Query, cursor: str | None = None) -> reading.Page:
        """Return a page of the answer to a query, whose `limit` is at most 500.

        Parameters
        ----------
        query : Query
            What to look for.
        cursor : str, optional
            `next_cursor` of the page before, which came from the same query.
        """
        return reading.page(self._asked(asking.SEARCH, query, after=cursor))

    def pages(self, query: Query) -> Iterator[reading.Page]:
        """Yield all pages of the answer to a query, all of one snapshot."""
        cursor = None
        while True:
            page = self.search(query, cursor)
            yield page
            cursor = page.next_cursor
            if cursor is None:
                return

    def explain(self, query: Query) -> list[Step]:
        """Return how a query is answered."""
        steps = self._asked(asking.EXPLAIN, query)["steps"]
        return [Step(**reading.snake(one)) for one in steps]

    def facets(self, query: Query, wanted: Sequence[Facet], most: int = 100) -> dict[str, list[Count]]:
        """Count the hits of a query, on all pages, by what their titles are: of each facet the `most` frequent."""
        told = self._asked(asking.FACETS, query, of=[asking.enum(one) for one in wanted], most=most)["facets"]
        return {one["facet"].lower(): reading.counts(one) for one in told}

    def view(self, query: Query, view: Timeline | Characters, most: int = 100) -> list[dict[str, Any]]:
        """Return the answer to a query in another form; of characters the `most` with the most hits."""
        if isinstance(view, Timeline):
            told = self._asked(asking.TIMELINE, query, title=view.title, bins=view.bins)["timeline"]
        else:
            told = self._asked(asking.CHARACTERS, query, most=most)["characters"]["speakers"]
        return [reading.snake(one) for one in told]

    def titles(self, filters: Filters | None = None, at_once: int = 500) -> Iterator[reading.Title]:
        """Yield the published titles that filters leave, in the order of their ids; `at_once` are a request."""
        # Only its filters count.
        query = Query((FreeText(""),), filters or Filters())
        given = asking.asked(query).variables.get("filters")
        for page in self._listed(asking.TITLES, "titles", {"filters": given, "first": at_once}):
            yield from map(reading.title, page)

    def annotations(
        self,
        title: str,
        start_ms: int = 0,
        end_ms: int | None = None,
        algorithms: Sequence[str] = (),
        at_once: int = 500,
    ) -> Iterator[dict[str, Any]]:
        """Yield what algorithms found in a part of a title, in the order of time; see `Gateway.annotations`.

        In own fields a number that is none, or has no end, is None, and whole ones beyond 2^53 are texts.

        Parameters
        ----------
        title : str
            Its id, or its name.
        start_ms, end_ms : int
            The part, half-open; to the end of the title without `end_ms`.
        algorithms : sequence of str
            Whose rows; all without.
        at_once : int
            How many rows are a request.
        """
        part = {"first": at_once, "title": title, "startMs": start_ms, "endMs": end_ms, "algorithms": list(algorithms)}
        for page in self._listed(asking.ANNOTATIONS, "rows", part):
            yield from map(reading.annotation, page)

    def algorithms(self) -> list[reading.Algorithm]:
        """Return the algorithms that can be searched."""
        return [reading.algorithm(one) for one in self._transport.ask(asking.ALGORITHMS, {})["algorithms"]]

    def status(self) -> reading.Status:
        """Return whether the server answers now."""
        return reading.Status(**self._transport.ask(asking.STATUS, {}))

    def _asked(self, document: str, query: Query, **further: Any) -> Any:
        made = asking.asked(query, **further)
        return self._transport.ask(document, made.variables, made.files)

    def _listed(self, document: str, name: str, given: Mapping[str, Any]) -> Iterator[list[dict[str, Any]]]:
        """Yield all pages of a list."""
        cursor = None
        while True:
            page = self._transport.ask(document, {**given, "after": cursor})
            yield page[name]
            cursor = page["nextCursor"]
            if cursor is None:
                return
