"""Tables: dead tags, then old versions and the files of dead attempts, after a seal; tables that nothing names.

A publisher takes over the newest version of a table or the one that the current release names, never a third. So of a
table that is served only versions below that one go, after a seal: no commit that was planned before it can land.

A table that no snapshot names and no plan wants is **emptied, not removed**. Its generation may come back while the
collector sleeps, and a folder is a name: deleted late, it would take the new rows with it; begun anew at version 1, it
would have files of the names that stand on an old list. So all rows and indexes go in one commit that lands only if
nobody has committed since it was planned, and the older versions after it, if no epoch has been taken until then: who
comes later finds the emptied version or a newer one. What stays is one manifest of some hundred bytes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from mediaflow.publishing.collector.choice import epoch_of
from mediaflow.publishing.collector.intents import files_of
from mediaflow.publishing.collector.tally import Tally
from mediaflow.publishing.collector.versions import UNVERIFIED_MS, Versions
from mediaflow.publishing.collector.wanted import Wanted
from mediaflow.publishing.committer import Overtaken
from mediaflow.publishing.epochs import Epochs
from mediaflow.snapshots.manifest import Manifest
from mediaflow.storage import commits, layout, steps
from mediaflow.storage.commits import CommitRefused
from mediaflow.storage.objects import ObjectInfo
from mediaflow.storage.tables import Table

if TYPE_CHECKING:
    import lance

_LOOKS = 5
_TAG = re.compile(r"s-(\d{20}-[0-9a-f]{8})")
# Lance takes no empty list of versions; what is older than this is none.
_NO_VERSION = timedelta(days=36_500)


class Tables:
    """Sweeps tables for one epoch.

    Parameters
    ----------
    tally : Tally
        Deletes and counts.
    epoch : int
        The collector's.
    current : Manifest
        What the release before the fence serves.
    kept : Mapping[str, Manifest]
        All snapshots that stay, by id.
    wanted : Wanted
        What plans want.
    now_ms : int
        The store's clock.
    """

    def __init__(
        self, tally: Tally, epoch: int, current: Manifest, kept: Mapping[str, Manifest], wanted: Wanted, now_ms: int
    ) -> None:
        self._tally = tally
        self._store = tally.store
        self._epoch = epoch
        self._current = current
        self._kept = kept
        self._wanted = wanted
        self._now_ms = now_ms
        self._named: dict[str, set[int]] = {}
        for manifest in kept.values():
            for name, part in manifest.tables.items():
                self._named.setdefault(name, set()).add(part.version)

    def sweep(self) -> None:
        """Sweep all tables, each with the intents of epochs below the own one.

        Raises
        ------
        Overtaken
            Somebody of a higher epoch is at work.
        """
        names = {info.key.removeprefix(layout.TABLES).partition(".lance/")[0] for info in self._store.list("tables/")}
        intents: dict[str, list[ObjectInfo]] = {}
        for info in self._store.list(layout.INTENTS):
            epoch, _, file = info.key.removeprefix(layout.INTENTS).partition("/")
            if int(epoch) < self._epoch:
                intents.setdefault(file.rsplit(".", 2)[0], []).append(info)
        for name in sorted(names | intents.keys()):
            self._sweep(name, intents.get(name, []))

    def _sweep(self, name: str, intents: Sequence[ObjectInfo]) -> None:
        table = Table(self._store, name, {})
        for _ in range(_LOOKS):
            dataset = table.newest()
            if dataset is None:
                self._remains(name, intents)
                return
            if commits.epoch(dataset, name) > self._epoch:
                raise Overtaken(f"Another publisher has begun to write {name}; the collector ends.", table=name)
            seen = Versions(self._store, name, dataset)
            tagged = self._untag(seen)
            try:
                if tagged or name in self._named or self._wanted.keeps(name):
                    self._trim(table, seen, tagged, intents)
                else:
                    self._empty(table, seen, intents)
            except CommitRefused:
                continue
            return

    def _untag(self, seen: Versions) -> dict[str, int]:
        """Delete the tags of attempts that came to no manifest and never will; return the tags that stay."""
        kept = dict(seen.tags)
        for tag in seen.tags:
            made = _TAG.fullmatch(tag)
            if made and epoch_of(made.group(1)) < self._epoch and made.group(1) not in self._kept:
                del kept[tag]
                if not self._tally.dry_run:
                    seen.dataset.tags.delete(tag)
        return kept

    def _trim(self, table: Table, seen: Versions, tagged: Mapping[str, int], intents: Sequence[ObjectInfo]) -> None:
        """Delete untagged versions below the served one, and files of attempts that came to nothing."""
        part = self._current.tables.get(table.name)
        named = self._named.get(table.name, set())
        # One that kept snapshots alone name: what they name is tagged, and the newest is not below it.
        below = part.version if part else max(named, default=0)
        needed = set(tagged.values()) | named
        doomed = [number for number in seen.numbers if number < below and number not in needed]
        if not doomed and not intents and not seen.orphans(self._now_ms):
            return
        sealed = seen.dataset
        if not self._tally.dry_run:
            steps.reached("collect: before seal")
            sealed = table.seal(seen.dataset, self._epoch)
            steps.reached("collect: before cleanup")
        self._clean(sealed, seen, doomed, intents)

    def _empty(self, table: Table, seen: Versions, intents: Sequence[ObjectInfo]) -> None:
        """Empty a table that nothing names, then delete all that it was."""
        bare = not seen.dataset.get_fragments() and not seen.dataset.describe_indices()
        older = [number for number in seen.numbers if number < seen.newest]
        if bare and not older and not intents and not seen.orphans(self._now_ms):
            return
        emptied = seen.dataset
        self._alone()
        if not self._tally.dry_run:
            steps.reached("collect: before emptying")
            emptied = table.empty(seen.dataset, self._epoch)
            steps.reached("collect: after emptying")
            self._alone()
            steps.reached("collect: before cleanup")
        self._tally.tables.append(table.name)
        self._clean(emptied, seen, seen.numbers, intents)

    def _alone(self) -> None:
        """See that nobody has taken an epoch since: who does so from now on sees what was committed until now."""
        if not self._tally.dry_run and Epochs(self._store).newest() > self._epoch:
            raise Overtaken("Another publisher has begun; the next run of the collector does the rest.")

    def _clean(
        self, sealed: lance.LanceDataset, seen: Versions, doomed: Collection[int], intents: Sequence[ObjectInfo]
    ) -> None:
        """Delete versions, then the files that intents name and no version holds, then the intents."""
        tally = self._tally
        tally.versions += len(doomed)
        tally.count(seen.only_in(doomed))
        tally.files += tally.count(seen.orphans(self._now_ms))
        if not tally.dry_run:
            which = {"versions": sorted(doomed)} if doomed else {"older_than": _NO_VERSION}
            sealed.cleanup_old_versions(**which, error_if_tagged_old_versions=False)
        steps.reached("collect: before files")
        held = seen.held()
        for intent in intents:
            named = [seen.files.get(path) for path in files_of(self._store, intent) if path not in held]
            tally.files += tally.delete(info for info in named if info is not None)
            tally.objects += tally.delete([intent])

    def _remains(self, name: str, intents: Sequence[ObjectInfo]) -> None:
        """Delete what a table left that was never made, or that somebody has removed."""
        folder = self._store.list(f"{layout.table(name)}/")
        self._tally.files += self._tally.delete(
            info for info in folder if self._now_ms - info.modified_ms > UNVERIFIED_MS
        )
        self._tally.objects += self._tally.delete(intents)
