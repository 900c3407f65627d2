"""Pictures of hits: the kept frame nearest to the middle of each, read, or written to a cache folder."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import polars as pl

from mediaflow.errors import SystemFault
from mediaflow.search.literals import among
from mediaflow.search.results import Hit
from mediaflow.snapshots.reader import SnapshotReader


class Range(NamedTuple):
    """A range of a title, half-open."""

    title_no: int
    start_ms: int
    end_ms: int


def read_thumbnail(reader: SnapshotReader, of: Range) -> bytes | None:
    """Return the picture of a range of a title, as JPEG; None where the snapshot has no thumbnail of the title."""
    (time_ms,) = _times(reader, [of])
    if time_ms is None:
        return None
    return next(jpeg for _, jpeg in _jpegs(reader, {(of.title_no, time_ms)}))


def write_thumbnails(reader: SnapshotReader, hits: Sequence[Hit], folder: Path) -> list[Path | None]:
    """Write the thumbnails of hits that are not there yet.

    Parameters
    ----------
    reader : SnapshotReader
        The snapshot that the hits come from.
    hits : sequence of Hit
        Of that snapshot.
    folder : Path
        Where they go, one folder a snapshot; files are `<title_id>-<time in ms>.jpg`.

    Returns
    -------
    list of Path or None
        One a hit; None where the snapshot has no thumbnail of the title.

    Raises
    ------
    SystemFault
        The folder cannot be written.
    """
    ranges = [Range(_number(hit), hit.start_ms, hit.end_ms) for hit in hits]
    times = _times(reader, ranges)
    paths = [
        None if time_ms is None else folder / f"{hit.title_id}-{time_ms}.jpg"
        for hit, time_ms in zip(hits, times, strict=True)
    ]
    missing = {
        (of.title_no, time_ms): path
        for of, time_ms, path in zip(ranges, times, paths, strict=True)
        if path is not None and time_ms is not None and not path.is_file()
    }
    if missing:
        for of, jpeg in _jpegs(reader, missing):
            _put(missing[of], jpeg)
    return paths


def _number(hit: Hit) -> int:
    assert hit.title_no is not None, "a hit that a server gave has its pictures there"
    return hit.title_no


def _times(reader: SnapshotReader, hits: Sequence[Range]) -> list[int | None]:
    if reader.manifest.thumbnails is None or not hits:
        return [None] * len(hits)
    table = reader.table(reader.manifest.thumbnails)
    chosen = among("title_no", {hit.title_no for hit in hits})
    kept = pl.DataFrame(pl.from_arrow(table.to_table(columns=["title_no", "time_ms"], filter=chosen)))
    times: dict[int, list[int]] = {}
    for title_no, time_ms in kept.sort("time_ms").iter_rows():
        times.setdefault(title_no, []).append(time_ms)
    return [_nearest(times.get(hit.title_no, []), hit) for hit in hits]


def _nearest(times: list[int], hit: Range) -> int | None:
    middle_ms = (hit.start_ms + hit.end_ms) // 2
    return min(times, key=lambda time_ms: (abs(time_ms - middle_ms), time_ms), default=None)


def _jpegs(reader: SnapshotReader, wanted: Collection[tuple[int, int]]) -> Iterator[tuple[tuple[int, int], bytes]]:
    """Yield pictures by number of the title and time."""
    assert reader.manifest.thumbnails is not None
    table = reader.table(reader.manifest.thumbnails)
    times = among("time_ms", {time_ms for _, time_ms in wanted})
    titles = among("title_no", {title_no for title_no, _ in wanted})
    found = table.to_table(columns=["title_no", "time_ms", "jpeg"], filter=f"{titles} AND {times}")
    for title_no, time_ms, jpeg in pl.DataFrame(pl.from_arrow(found)).iter_rows():
        if (title_no, time_ms) in wanted:
            yield (title_no, time_ms), jpeg


def _put(path: Path, data: bytes) -> None:
    part = path.with_name(f"{secrets.token_hex(6)}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(path)
    except OSError as error:
        raise SystemFault(
            f"A thumbnail could not be written to {str(path.parent)!r} ({error.strerror}); check the folder and the"
            " space on its disk.",
            path=str(path),
        ) from error
