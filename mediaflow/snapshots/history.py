"""What was served when: the release log with what each snapshot holds, and the way from a number, id or time to one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

from mediaflow.errors import UsageError
from mediaflow.snapshots.leases import leases, store_clock_ms
from mediaflow.snapshots.manifest import Manifest
from mediaflow.snapshots.reader import NOTHING, NothingPublished, Releases, UnknownSnapshot
from mediaflow.snapshots.release import FENCE, Release
from mediaflow.storage import layout
from mediaflow.storage.objects import ObjectStore

_ID = re.compile(r"\d{20}-[0-9a-f]{8}")
_NUMBER = re.compile(r"\d{1,18}")

CURRENT, PREVIOUS = "current", "previous"


def lines(store: ObjectStore) -> list[dict[str, Any]]:
    """Return one line a release, the newest last, and before them the snapshots that were never released.

    Returns
    -------
    list of dict
        number, kind, at_ms (None: not written down), snapshot, state (`current`, `held`, `not released`, `gone` or
        empty), reason, titles (number of them), algorithms (by name: generation, model, its declared name), pins (on
        the snapshot: id, snapshot, who, why, until_ms). A snapshot that was never released has no number and no kind;
        of one that is gone, titles and algorithms are not known.
    """
    releases = Releases(store)
    find = cache(lambda snapshot: _manifest(releases, snapshot))
    log = [one for one in map(releases.entry, releases.log.numbers()) if one.kind != FENCE]
    released = {one.snapshot for one in log}
    names = (info.key.removeprefix(layout.SNAPSHOTS).removesuffix(".json") for info in store.list(layout.SNAPSHOTS))
    found = [_line(None, name, find(name)) for name in names if _ID.fullmatch(name) and name not in released]
    found += [_line(one, one.snapshot, find(one.snapshot)) for one in log]
    if log:
        found[-1]["state"] = "held" if log[-1].held else "current"
    pinned = pins(store)
    return [{**line, "pins": pinned.get(line["snapshot"], [])} for line in found]


def pins(store: ObjectStore) -> dict[str, list[dict[str, Any]]]:
    """Return the pins that count, by snapshot: id, snapshot, who, why, until_ms (the store's clock)."""
    found = leases(store, layout.PINS)
    now_ms = store_clock_ms(store) if found else 0
    pinned: dict[str, list[dict[str, Any]]] = {}
    for one in found:
        if one.live(now_ms):
            said = {name: one.body[name] for name in ("snapshot", "who", "why")}
            line = {"id": one.id, **said, "until_ms": one.put_ms + int(one.body["ttl_ms"])}
            pinned.setdefault(said["snapshot"], []).append(line)
    return pinned


def which(releases: Releases, wanted: str) -> str:
    """Return the id of the snapshot that an id or the number of a release names; `UnknownSnapshot` where none is."""
    if _NUMBER.fullmatch(wanted):
        return releases.entry(int(wanted)).snapshot
    return releases.manifest(wanted).id


def previous(releases: Releases) -> tuple[str, str]:
    """Return the ids of the snapshot that was served before the current one, and of that one.

    Raises
    ------
    NothingPublished, UnknownSnapshot
        There is no release, or all of them name the same snapshot.
    """
    newest = releases.newest()
    if newest is None:
        raise NothingPublished(NOTHING)
    for one in _back(releases, newest):
        if one.snapshot != newest.snapshot:
            return one.snapshot, newest.snapshot
    raise UnknownSnapshot(
        f"Snapshot {newest.snapshot} is the only one that was ever released: there is nothing to compare it with.",
        snapshot=newest.snapshot,
    )


def as_of(releases: Releases, wanted: str) -> tuple[str, str]:
    """Return the id of the snapshot that an id or a time names, and a sentence that says which that is.

    Parameters
    ----------
    releases : Releases
        The release log.
    wanted : str
        An id, or a date or time as in ISO 8601, local unless it says otherwise; a date is its first moment. What was
        current then is the highest release whose entry bears no later time.
    """
    if _ID.fullmatch(wanted):
        return releases.manifest(wanted).id, f"As of snapshot {wanted}."
    try:
        moment = datetime.fromisoformat(wanted).astimezone()
    except (ValueError, OverflowError) as error:
        raise UsageError(
            f"{wanted!r} is neither the id of a snapshot nor a time such as 2026-01-31 or 2026-01-31T18:30; "
            "'mediaflow snapshots' lists both.",
            wanted=wanted,
        ) from error
    newest = releases.newest()
    if newest is None:
        raise NothingPublished(NOTHING)
    for one in _back(releases, newest):
        at_ms = _time_ms(one, _manifest(releases, one.snapshot))
        if at_ms is not None and at_ms <= moment.timestamp() * 1000:
            said = f"As of release {one.n} ({one.kind}, {when(at_ms)}), snapshot {one.snapshot}."
            return releases.manifest(one.snapshot).id, said
    raise UnknownSnapshot(
        f"Nothing was published yet at {moment:%Y-%m-%d %H:%M:%S}: 'mediaflow snapshots' says since when there is "
        "something.",
        wanted=wanted,
    )


def named(releases: Releases, wanted: str) -> str:
    """Return the id of the snapshot that somebody means: by its id, a release's number, or a time, or in a word.

    Parameters
    ----------
    releases : Releases
        The release log.
    wanted : str
        As `which` and `as_of` take it; or `current`, or `previous`: what was served before that.
    """
    if wanted == CURRENT:
        return releases.current().id
    if wanted == PREVIOUS:
        return previous(releases)[0]
    return which(releases, wanted) if _NUMBER.fullmatch(wanted) else as_of(releases, wanted)[0]


def when(at_ms: int | None) -> str:
    """Return a time as people read it, in local time; empty where it was not written down."""
    return "" if at_ms is None else f"{datetime.fromtimestamp(at_ms / 1000):%Y-%m-%d %H:%M:%S}"


def _back(releases: Releases, newest: Release) -> Iterator[Release]:
    """Give the releases from the newest one back to the first, without fences."""
    for number in range(newest.n, 0, -1):
        one = newest if number == newest.n else releases.entry(number)
        if one.kind != FENCE:
            yield one


def _line(release: Release | None, snapshot: str, manifest: Manifest | None) -> dict[str, Any]:
    state = "not released" if release is None else "" if manifest else "gone"
    return {
        "number": release.n if release else None,
        "kind": release.kind if release else None,
        "at_ms": _time_ms(release, manifest),
        "snapshot": snapshot,
        "state": state,
        "reason": release.reason if release else "",
        "titles": manifest.tables["titles"].rows if manifest else None,
        "algorithms": _algorithms(manifest) if manifest else {},
    }


def _algorithms(manifest: Manifest) -> dict[str, dict[str, str | None]]:
    return {
        name: {
            "generation": part.generation,
            "model": part.model,
            "model_name": manifest.encoders.get(part.model) if part.model else None,
        }
        for name, part in sorted(manifest.algorithms.items())
    }


def _time_ms(release: Release | None, manifest: Manifest | None) -> int | None:
    """Return when an entry was written; one that does not say so was written just after its manifest."""
    if release is not None and release.at_ms is not None:
        return release.at_ms
    return manifest.created_ms if manifest else None


def _manifest(releases: Releases, snapshot: str) -> Manifest | None:
    try:
        return releases.manifest(snapshot)
    except UnknownSnapshot:
        return None
