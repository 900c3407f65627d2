"""Pictures of hits: the kept frame nearest to the middle of each, written to a cache folder when it is asked for."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from mediaflow.errors import SystemFault
from mediaflow.search.literals import among
from mediaflow.search.results import Hit
from mediaflow.snapshots.reader import SnapshotReader


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
    times = _times(reader, hits)
    paths = [
        None if time_ms is None else folder / f"{hit.title_id}-{time_ms}.jpg"
        for hit, time_ms in zip(hits, times, strict=True)
    ]
    missing = {
        (hit.title_no, time_ms): path
        for hit, time_ms, path in zip(hits, times, paths, strict=True)
        if hit.title_no is not None and path is not None and time_ms is not None and not path.is_file()
    }
    if missing:
        _write(reader, missing)
    return paths


def _times(reader: SnapshotReader, hits: Sequence[Hit]) -> list[int | None]:
    if reader.manifest.thumbnails is None or not hits:
        return [None] * len(hits)
    table = reader.table(reader.manifest.thumbnails)
    chosen = among("title_no", {hit.title_no for hit in hits if hit.title_no is not None})
    kept = pl.DataFrame(pl.from_arrow(table.to_table(columns=["title_no", "time_ms"], filter=chosen)))
    times: dict[int, list[int]] = {}
    for title_no, time_ms in kept.sort("time_ms").iter_rows():
        times.setdefault(title_no, []).append(time_ms)
    return [_nearest(times.get(hit.title_no, []) if hit.title_no is not None else [], hit) for hit in hits]


def _nearest(times: list[int], hit: Hit) -> int | None:
    middle_ms = (hit.start_ms + hit.end_ms) // 2
    return min(times, key=lambda time_ms: (abs(time_ms - middle_ms), time_ms), default=None)


def _write(reader: SnapshotReader, missing: dict[tuple[int, int], Path]) -> None:
    assert reader.manifest.thumbnails is not None
    table = reader.table(reader.manifest.thumbnails)
    times = among("time_ms", {time_ms for _, time_ms in missing})
    titles = among("title_no", {title_no for title_no, _ in missing})
    found = table.to_table(columns=["title_no", "time_ms", "jpeg"], filter=f"{titles} AND {times}")
    for title_no, time_ms, jpeg in pl.DataFrame(pl.from_arrow(found)).iter_rows():
        path = missing.get((title_no, time_ms))
        if path is not None:
            _put(path, jpeg)


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
