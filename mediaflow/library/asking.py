"""What a library answers: searches of what is served now and of the past, and how it stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediaflow import report
from mediaflow.errors import UsageError
from mediaflow.library.opened import Pictures
from mediaflow.library.publishing import Publishing
from mediaflow.planning.plan import Retries
from mediaflow.snapshots.reader import SnapshotExpired, SnapshotReader

if TYPE_CHECKING:
    from mediaflow.algorithms.versions import ChangedSource
    from mediaflow.planning.why import Why
    from mediaflow.quality.comparison import Comparison
    from mediaflow.quality.evaluation import Evaluation
    from mediaflow.quality.questions import Questions
    from mediaflow.search.engine import SearchEngine
    from mediaflow.search.gateway import Gateway
    from mediaflow.search.query import Query
    from mediaflow.search.results import Hit, Results
    from mediaflow.search.scores import Scores


class Asking(Publishing):
    """Answers."""

    def current(self) -> SnapshotReader:
        """Open a reader at the current release, pinned until it is closed; `NothingPublished` where there is none."""
        return self._pins.current()

    def search(self, query: Query) -> Results:
        """Answer a query from the snapshot that is current when it comes in.

        The snapshot stays pinned for the next query; a process that only answers has an `engine`.
        """
        while True:
            gateway = self._newest_gateway()
            try:
                return gateway.search(query)
            except SnapshotExpired:
                # This machine slept, or another thread went on to a newer one: nothing of it was handed out.
                gateway.close()

    def _newest_gateway(self) -> Gateway:
        """Return the gateway to the current snapshot, opened anew where that is another one or was let go."""
        number = self.releases.tip()
        with self._lock:
            old = self._gateway
            if old is not None and not old.reader.expired:
                if number == self._number:
                    return old
                newest = self.releases.entry(number)
                if newest.snapshot == old.reader.id:
                    self._number, old.reader.release = number, self.releases.repeated(newest).n
                    return old
            reader = self._pins.current()
            self._number = reader.release
            reader.release = self.releases.repeated(self.releases.entry(reader.release)).n
            self._gateway = self._gateway_to(reader)
            if old is not None:
                old.close()
            return self._gateway

    def searchable(self) -> list[dict[str, Any]]:
        """Return what the current snapshot can be asked; see `mediaflow.search.reading.described`."""
        return self._newest_gateway().algorithms()

    def at(self, snapshot: str) -> Gateway:
        """Open a snapshot by its id, to be searched with its own encoders.

        It stays pinned until the gateway or the library is closed: use it in a `with` statement.

        Raises
        ------
        UnknownSnapshot, Leaving
            There is no such snapshot, or it is marked to be deleted.
        """
        return self._gateway_to(self._pins.at(snapshot))

    def _gateway_to(self, reader: SnapshotReader) -> Gateway:
        from mediaflow.search.gateway import Gateway

        return Gateway(reader, self.models, Pictures(self), self.settings.false_positive_rate, scores=self._scores())

    def _scores(self) -> Scores:
        from mediaflow.search.scores import Scores

        return Scores(self.settings.score_folders)

    def engine(self) -> SearchEngine:
        """Return what answers searches in a process that lives long; to be used in a `with` statement."""
        from mediaflow.search.engine import Gateways, SearchEngine

        ttl_ms, linger_ms = round(self.settings.engine_ttl_s * 1000), round(self.settings.pin_ttl_s * 1000)
        gateways = Gateways(self.models, Pictures(self), self.settings.false_positive_rate, self._scores())
        return SearchEngine(self.store, gateways, ttl_ms, linger_ms)

    def diff(self, before: str | None = None, after: str | None = None) -> dict[str, Any]:
        """Compare two snapshots; see `mediaflow.snapshots.diff`, and for `answers` `mediaflow.publishing.answers`.

        Parameters
        ----------
        before, after : str, optional
            Ids of snapshots or numbers of releases; without `after` the current one, without both that and the one
            that was served before it.
        """
        from mediaflow.publishing.answers import moved
        from mediaflow.quality.questions import read
        from mediaflow.snapshots.diff import diff
        from mediaflow.snapshots.history import previous, which

        if before is None:
            ids = previous(self.releases)
        else:
            ids = which(self.releases, before), which(self.releases, after) if after else self.releases.current().id
        golden = read(self.settings.golden) if self.settings.golden else ()
        with self.at(ids[0]) as one, self.at(ids[1]) as other, one.reader.reading(), other.reader.reading():
            return diff(one.reader, other.reader) | {"answers": moved(one, other, golden)}

    def evaluate(
        self, file: Path | None = None, snapshot: str = "current", against: str | None = None
    ) -> tuple[Evaluation, Comparison | None]:
        """Measure a snapshot by questions with known answers, and store that with it; see `mediaflow.quality`.

        Parameters
        ----------
        file : Path, optional
            The questions; those of the setting `golden` where it is not given.
        snapshot, against : str
            Which one to measure, and which one to compare it with, if any: ids, numbers of releases, times, or
            `current` or `previous`. Each answers with its own models.

        Raises
        ------
        UsageError
            There are no questions, one of them is wrong, or there is no such snapshot.
        """
        from mediaflow.quality.comparison import compare
        from mediaflow.quality.questions import read
        from mediaflow.snapshots.history import named

        path = file or self.settings.golden
        if path is None:
            raise UsageError("Name a file of questions with their answers, here or in the setting 'golden'.")
        questions = read(path)
        ids = [named(self.releases, one) for one in (snapshot, against) if one is not None]
        found = [self._evaluated(questions, one) for one in ids]
        return found[0], compare(found[1], found[0]) if against is not None else None

    def evaluations(self) -> list[Evaluation]:
        """Return what was measured of the snapshots that are kept, the oldest first."""
        from mediaflow.quality.stored import stored

        return stored(self.store)

    def _evaluated(self, questions: Questions, snapshot: str) -> Evaluation:
        from mediaflow.publishing.gates.texts import RememberedTexts
        from mediaflow.quality.evaluation import evaluate
        from mediaflow.quality.stored import keep
        from mediaflow.search.gateway import Gateway

        # The same questions are put to every snapshot: a model is loaded for new ones alone.
        encoders = RememberedTexts(self.models, self.cache / "texts")
        with Gateway(self._pins.at(snapshot), encoders, Pictures(self)) as gateway:
            with gateway.reader.reading():
                found = evaluate(gateway, questions)
            keep(self.store, found)
        return found

    def thumbnails(self, hits: Sequence[Hit]) -> list[Path | None]:
        """Write a small picture of each hit into the cache, from the snapshot that it came from; return the files."""
        from mediaflow.search.reading.thumbnails import write_thumbnails

        found: list[Path | None] = [None] * len(hits)
        for snapshot in {hit.snapshot for hit in hits}:
            at = [number for number, hit in enumerate(hits) if hit.snapshot == snapshot]
            folder = self.cache / "thumbnails" / snapshot
            with self._pins.at(snapshot) as reader, reader.reading():
                files = write_thumbnails(reader, [hits[n] for n in at], folder)
            for number, file in zip(at, files, strict=True):
                found[number] = file
        return found

    def status(self) -> dict[str, Any]:
        """Return the state of the library; see `mediaflow.report.status`."""
        from mediaflow.planning.pace import seconds_left

        owners = {one.name: one.owner for one in self.algorithms}
        graph = self.graph()
        found = self._plan(graph)
        left = seconds_left(self.ledger.look(), graph, found, {"decode": self.decode_workers})
        with self._served() as reader:
            release = self.releases.told()
            return report.status(found, owners, reader, self.last_look(), release, self.refusal(found), left)

    def show(self, title: str) -> dict[str, Any]:
        """Return one title in full, by id or name; `UsageError` where there is none."""
        record = report.find_title(self.titles(), title)
        with self._served() as reader:
            return report.show(record, self.plan(), reader)

    def why(self, title: str, artifact: str | None = None) -> Why:
        """Return why a title's artifact, or all of its that are not fresh, are what they are; by id or name."""
        from mediaflow.planning.why import why

        record = report.find_title(self.titles(), title)
        return why(self.graph(), record, self.ledger, artifact, Retries(tuple(self.settings.retry_delays_s)))

    def changed_sources(self) -> list[ChangedSource]:
        """Return the algorithms whose source changed and whose declared version did not."""
        from mediaflow.algorithms.versions import changed

        return changed(self.store, self.algorithms)
