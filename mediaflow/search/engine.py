"""The engine of search: for processes that answer all the time, each answer from a snapshot that they hold open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from mediaflow.search.gateway import Gateway
from mediaflow.search.process.encoding import Encoded, Encoders, TextVectors
from mediaflow.search.query import Query
from mediaflow.search.results import Results
from mediaflow.search.route.cutoffs import FALSE_POSITIVES
from mediaflow.search.route.similar import Pictures
from mediaflow.search.scores import Scores
from mediaflow.snapshots.engine import LINGER_MS, TTL_MS, Host
from mediaflow.snapshots.reader import SnapshotReader
from mediaflow.storage.objects import ObjectStore


class Gateways:
    """The kind of engine that opens a snapshot for search, warm: tables, indexes, and the models of its queries.

    The models of the first one that it opens are loaded behind: dialogue is answered at once. Of a further one they are
    there before it answers, as until then the one before does.

    Parameters
    ----------
    encoders : Encoders
        Gives the snapshots' own encoders by identity.
    pictures : Pictures
        Decodes pictures of users.
    false_positives, scores
        See `mediaflow.search.gateway.Gateway`.
    """

    kind = "search"
    needs = frozenset({"tables", "generations", "encoders"})

    def __init__(
        self,
        encoders: Encoders,
        pictures: Pictures,
        false_positives: float = FALSE_POSITIVES,
        scores: Scores | None = None,
    ) -> None:
        self._encoders = encoders
        self._pictures = pictures
        self._false_positives = false_positives
        self._scores = scores or Scores()
        self._texts = TextVectors(encoders)
        self._answers = False

    @property
    def encoded(self) -> Encoded:
        """What texts were encoded so far, those that warm a model included."""
        return self._texts.encoded

    def open(self, reader: SnapshotReader, parts: Mapping[str, Mapping[str, Any]]) -> Gateway:
        """Open a snapshot for search; the first one before its models are loaded, as nothing answers meanwhile."""
        gateway = Gateway(
            reader, self._encoders, self._pictures, self._false_positives, self._texts, scores=self._scores
        )
        gateway.warm(models=self._answers)
        self._answers = True
        return gateway


class SearchEngine:
    """Answers searches in a process that lives long. Use it in a `with` statement, from as many threads as you like.

    Parameters
    ----------
    store : ObjectStore
        Where everything is.
    gateways : Gateways
        Opens snapshots.
    ttl_ms, linger_ms : int
        See `mediaflow.snapshots.engine.Host`.
    """

    def __init__(
        self, store: ObjectStore, gateways: Gateways, ttl_ms: int = TTL_MS, linger_ms: int = LINGER_MS
    ) -> None:
        self._gateways = gateways
        self._host = Host(store, gateways, ttl_ms, linger_ms)

    @property
    def encoded(self) -> Encoded:
        """What texts were encoded so far."""
        return self._gateways.encoded

    def __enter__(self) -> SearchEngine:
        self._host.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Answer nothing more, and let go of all that is open."""
        self._host.close()

    def search(self, query: Query, snapshot: str | None = None, offset: int = 0, seen: int = 0) -> Results:
        """Answer a query from the current snapshot, or from just the one that is named.

        Parameters
        ----------
        query : Query
            What to look for.
        snapshot : str, optional
            The id that an earlier answer bore, for a further page of it.
        offset : int
            How many hits lie before that page.
        seen : int
            The last release that who asks has seen: the answer is of that one or a later one, unless a snapshot is
            named.

        Raises
        ------
        EngineNotReady, NothingPublished
            No new request is answered now.
        BehindClient
            This process has not got to the release `seen` yet.
        SnapshotExpired
            The named snapshot is not open here any more, or the engine slept before the answer was there.
        UsageError
            The query cannot be answered; see `mediaflow.search.gateway.Gateway.search`.
        """
        with self.gateway(snapshot, seen) as gateway:
            results = gateway.search(query, offset)
        return results

    def behind(self, seen: int) -> bool:
        """Say whether who has seen a release would have to wait for it."""
        return self._host.behind(seen)

    @contextmanager
    def gateway(self, snapshot: str | None = None, seen: int = 0) -> Iterator[Gateway]:
        """Open for one request the snapshot that is current, or just the one that is named.

        Raises
        ------
        EngineNotReady, NothingPublished, BehindClient, SnapshotExpired
            As for `search`.
        """
        with self._host.answering(snapshot, seen) as gateway:
            yield gateway
