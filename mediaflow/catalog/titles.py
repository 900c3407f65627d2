"""The catalogue: title records folded from a numbered log, and the one way to change them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from mediaflow.catalog.found import FoundTitle, Scan
from mediaflow.catalog.ids import free_id
from mediaflow.catalog.records import ERASED, CatalogueEntry, TitleRecord
from mediaflow.storage.layout import CATALOG
from mediaflow.storage.log import FULL_EVERY, NumberedLog
from mediaflow.storage.objects import ObjectStore

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Catalog:
    """All titles that the log knows, as of its entry `n`.

    Parameters
    ----------
    log : NumberedLog
        Where the entries are: deltas, and the full state in each one whose number is a multiple of 64.
    n : int
        Number of the last entry seen; 0 for an empty log.
    titles : dict of str to TitleRecord
        By title id, those with a tombstone included.
    """

    log: NumberedLog
    n: int = 0
    titles: dict[str, TitleRecord] = field(default_factory=dict)

    @classmethod
    def load(cls, store: ObjectStore) -> Catalog:
        """Fold the log: one listing, at most 64 objects."""
        return cls(NumberedLog(store, CATALOG)).refresh()

    def refresh(self) -> Catalog:
        """Give the newest state; reads only what is new."""
        entries = self.log.since(self.n, "titles", _FORMAT)
        if not entries:
            return self
        titles = dict(self.titles)
        for _, body in entries:
            for value in body["titles"]:
                record = TitleRecord.from_json(value)
                if record.erased:
                    # Whoever read the log before the title was buried knows it under its id.
                    titles = {one: of for one, of in titles.items() if of.title_no != record.title_no}
                titles[record.title_id] = record
        return Catalog(self.log, entries[-1][0], titles)

    def erase(self, title_no: int) -> None:
        """Take what the log says of a title out of all its entries; its number stays taken.

        This is the one place where an entry is replaced. It may be, as nothing else in it changes: what is folded
        from the log before and after differs in the buried title alone, and nobody reads that any more. Entries are
        replaced whole, by a put, so a run that was killed leaves each as it was or as it shall be.
        """
        for number in self.log.numbers():
            body = self.log.read(number)
            titles = [_buried(one) if one["title_no"] == title_no else one for one in body["titles"]]
            if titles != body["titles"]:
                self.log.replace(number, {**body, "titles": titles})

    def present(self) -> list[TitleRecord]:
        """Give the titles without a tombstone, by number."""
        return sorted((record for record in self.titles.values() if not record.removed), key=lambda each: each.title_no)


@dataclass(frozen=True, slots=True)
class Change:
    """What an update did, by title ids; `catalog` is the state after it."""

    catalog: Catalog
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


def update(catalog: Catalog, scan: Scan) -> Change:
    """Append the differences between scan and catalogue as one entry, if there are any.

    When another process appended first, its entries are read and the differences worked out again, so two scans of
    the same folder never give a title two ids.

    Raises
    ------
    SystemFault
        The store cannot be read or written.
    """
    while True:
        records = _differences(catalog, scan)
        if not records:
            return Change(catalog)
        after = Catalog(catalog.log, catalog.n + 1, catalog.titles | {record.title_id: record for record in records})
        if catalog.log.append(after.n, _entry(after, records)):
            return _change(catalog, after, records)
        catalog = catalog.refresh()


def _entry(after: Catalog, changed: Iterable[TitleRecord]) -> dict[str, Any]:
    """Return the entry that leads to a state: what changed, or all of it."""
    full = after.n % FULL_EVERY == 0
    written = after.titles.values() if full else changed
    return {"format": _FORMAT, "full": full, "titles": [record.to_json() for record in written]}


def bury(catalog: Catalog, title_no: int) -> Catalog:
    """Append a tombstone that bears nothing but the title's number, unless there is one.

    It comes before entries are erased: whoever appends next has read it, so nobody writes the title down again.
    """
    while True:
        known = next((one for one in catalog.titles.values() if one.title_no == title_no), None)
        if known is None or known.erased:
            return catalog
        record = TitleRecord.from_json(_buried(known.to_json()))
        titles = {one: of for one, of in catalog.titles.items() if of.title_no != title_no}
        after = Catalog(catalog.log, catalog.n + 1, titles | {record.title_id: record})
        if catalog.log.append(after.n, _entry(after, [record])):
            return after
        catalog = catalog.refresh()


def _buried(title: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON form of a title's tombstone that says nothing but its number."""
    number = int(title["title_no"])
    return TitleRecord(number, f"{ERASED}{number}", "", (), (), CatalogueEntry(""), {}, removed=True).to_json()


def _differences(catalog: Catalog, scan: Scan) -> list[TitleRecord]:
    by_path = {record.path: record for record in catalog.titles.values()}
    found = {title.path: title for title in scan.titles}
    taken = set(catalog.titles)
    next_no = max((record.title_no for record in catalog.titles.values()), default=0) + 1
    records = []
    for path in sorted(found):
        title = found[path]
        known = by_path.get(path) or _moved(catalog, title, found)
        if known is None:
            title_id = free_id(title.entry, path, taken)
            taken.add(title_id)
            known = TitleRecord(next_no, title_id, path, (), (), title.entry, {}, removed=True)
            next_no += 1
        record = replace(
            known,
            path=path,
            media=title.media,
            subtitles=title.subtitles,
            entry=title.entry,
            roots=title.roots,
            removed=False,
        )
        if record != known:
            records.append(record)
    changed = {record.title_id for record in records}
    gone = (catalog.titles[title_id] for title_id in scan.removed if title_id in catalog.titles)
    records += [
        replace(record, removed=True)
        for record in gone
        if not record.removed and record.path not in found and record.title_id not in changed
    ]
    return records


def _moved(catalog: Catalog, title: FoundTitle, found: dict[str, FoundTitle]) -> TitleRecord | None:
    """Give the record that moved here, unless another scan has settled meanwhile what became of it."""
    record = catalog.titles.get(title.moved_from or "")
    return None if record is None or record.removed or record.path in found else record


def _change(before: Catalog, after: Catalog, records: list[TitleRecord]) -> Change:
    kinds: dict[str, list[str]] = {"added": [], "changed": [], "moved": [], "returned": [], "removed": []}
    for record in records:
        old = before.titles.get(record.title_id)
        if old is None:
            kind = "added"
        elif record.removed:
            kind = "removed"
        elif old.removed:
            kind = "returned"
        else:
            kind = "changed" if old.path == record.path else "moved"
        kinds[kind].append(record.title_id)
    return Change(after, **{kind: tuple(ids) for kind, ids in kinds.items()})
