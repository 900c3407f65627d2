"""The stages that start from a title's own bytes: media, subtitles, catalogue, and the decode pass after them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediaflow.catalog.records import FileRef, TitleRecord, media_revision
from mediaflow.errors import MediaflowError, SystemFault, TitleError

if TYPE_CHECKING:
    import polars as pl

    from mediaflow.media.pool import DecodePool

_THUMBNAIL_HEIGHT = 144
_THUMBNAIL_QUALITY = 80


class ChangedMeanwhile(MediaflowError):
    """A file is not what the catalogue says any more: nothing is computed, the next look at the library sees it."""


@dataclass(frozen=True)
class Made:
    """What a stage made of a title: the parts of the artifact, counts for people, and what was odd."""

    parts: dict[str, pl.DataFrame]
    facts: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def media(pool: DecodePool, root: Path, record: TitleRecord) -> Made:
    """Probe the media files: facts (one row of JSON) and the cues that are embedded in them."""
    import polars as pl

    _verify(root, record)
    probes = [pool.probe(root / part.path) for part in record.media]
    facts = probes[0].facts.to_dict()
    cues, offset = [], 0
    for probe in probes:
        cues.append(probe.cues.with_columns(pl.col("start_ms", "end_ms") + offset))
        offset += probe.facts.duration_ms
    facts |= {"duration_ms": offset, "parts_ms": [probe.facts.duration_ms for probe in probes]}
    embedded = pl.concat(cues)
    frame = pl.DataFrame({"facts": [json.dumps(facts, sort_keys=True, ensure_ascii=False)]})
    notes = [note for probe in probes for note in probe.notes]
    said = {name: facts[name] for name in ("duration_ms", "width", "height", "video_codec", "container")}
    return Made({"media": frame, "cues": embedded}, said | {"embedded cues": len(embedded)}, notes)


def subtitles(root: Path, record: TitleRecord) -> Made:
    """Read the sidecar tracks; one that cannot be read is left out and said, unless none can.

    Times are as written; `part` (Int32) says which of the title's media files they count from.
    """
    import polars as pl

    from mediaflow.media.schemas import CUES
    from mediaflow.media.subtitles import read_track

    tracks, notes, failed = [], [], []
    for file in record.subtitles:
        data = _bytes(root, file)
        try:
            track = read_track(Path(file.path).name, data)
        except TitleError as error:
            failed.append(error)
            notes.append(error.message)
            continue
        tracks.append(track.cues.with_columns(pl.lit(_part_of(record, file), dtype=pl.Int32).alias("part")))
        notes += [f"{Path(file.path).name}: {note}" for note in track.notes]
    if failed and not tracks:
        raise failed[0]
    cues = pl.concat(tracks) if tracks else pl.DataFrame(schema={**CUES, "part": pl.Int32})
    languages = sorted(cues["language"].unique())
    return Made({"cues": cues}, {"cues": len(cues), "tracks": len(tracks), "languages": ", ".join(languages)}, notes)


def _part_of(record: TitleRecord, sidecar: FileRef) -> int:
    """Return which media file a sidecar is named like, 0 where it is named like none (or like the title)."""
    name = Path(sidecar.path).name
    stems = [Path(part.path).stem for part in record.media]
    named = [number for number, stem in enumerate(stems) if name.startswith(stem)]
    return max(named, key=lambda number: len(stems[number]), default=0)


def catalogue(record: TitleRecord) -> Made:
    """Write the catalogue entry as one row, and its cast as rows of talent and character."""
    import polars as pl

    entry = record.entry
    row = {
        "title": entry.title,
        "kind": entry.kind,
        "year": entry.year,
        "genres": list(entry.genres),
        "languages": list(entry.languages),
        "series": entry.series,
        "season": entry.season,
        "episode": entry.episode,
        "entry": json.dumps(entry.to_json(), ensure_ascii=False, sort_keys=True),
        "people": json.dumps([person.to_json() for person in entry.people], ensure_ascii=False),
    }
    kinds: dict[str, Any] = {
        "year": pl.Int32,
        "season": pl.Int32,
        "episode": pl.Int32,
        "series": pl.String,
        "genres": pl.List(pl.String),
        "languages": pl.List(pl.String),
    }
    people = {
        "talent": [person.talent for person in entry.people],
        "character": [person.character for person in entry.people],
        "position": [person.order for person in entry.people],
    }
    schema = {"talent": pl.String, "character": pl.String, "position": pl.Int32}
    return Made(
        {"catalogue": pl.DataFrame([row], schema_overrides=kinds), "people": pl.DataFrame(people, schema=schema)},
        {"title": entry.title, "people": len(entry.people)},
    )


def frames(pool: DecodePool, root: Path, record: TitleRecord, parameters: Mapping[str, Any]) -> Made:
    """Decode the film once: shots, kept frames, and a small picture of each shot.

    `parameters` are the fields of `mediaflow.media.options.DecodeOptions`.
    """
    import polars as pl

    from mediaflow.media.options import DecodeOptions

    before = _stamps(root, record)
    options = DecodeOptions(**parameters)
    passes = [pool.decode(root / part.path, options) for part in record.media]
    if _stamps(root, record) != before:
        raise ChangedMeanwhile(f"{record.path} changed while it was decoded.", title_id=record.title_id)
    shots, kept, offset = [], [], {"shot_no": 0, "frame_no": 0, "ms": 0}
    for one in passes:
        shots.append(_shifted(one.shots, offset, ("start_frame", "end_frame"), ("start_ms", "end_ms")))
        kept.append(_shifted(one.frames, offset, ("frame_no",), ("time_ms",)))
        last = shots[-1].row(-1, named=True)
        offset = {"shot_no": last["shot_no"] + 1, "frame_no": last["end_frame"], "ms": last["end_ms"]}
    all_shots, all_frames = pl.concat(shots), pl.concat(kept)
    said = {"shots": len(all_shots), "frames kept": len(all_frames), "frames decoded": offset["frame_no"]}
    notes = [note for one in passes for note in one.notes]
    parts = {"shots": all_shots, "frames": all_frames, "thumbnails": thumbnails(all_frames)}
    return Made(parts, said | {"seconds of film": round(offset["ms"] / 1000, 1)}, notes)


def thumbnails(frames: pl.DataFrame) -> pl.DataFrame:
    """Return one small JPEG a shot, of the middle one of its kept frames: shot_no, time_ms, width, height, jpeg."""
    import cv2
    import numpy as np
    import polars as pl

    middle = frames.group_by("shot_no", maintain_order=True).agg(pl.all().get(pl.len() // 2))
    rows = []
    for row in middle.iter_rows(named=True):
        picture = cv2.imdecode(np.frombuffer(row["jpeg"], np.uint8), cv2.IMREAD_COLOR)
        assert picture is not None
        height, width = picture.shape[:2]
        size = (max(1, round(width * _THUMBNAIL_HEIGHT / height)), _THUMBNAIL_HEIGHT)
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        done, jpeg = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _THUMBNAIL_QUALITY])
        if not done:
            raise SystemFault("A thumbnail could not be written as JPEG.")
        rows.append((row["shot_no"], row["time_ms"], *size, jpeg.tobytes()))
    schema = {"shot_no": pl.Int32, "time_ms": pl.Int64, "width": pl.Int32, "height": pl.Int32, "jpeg": pl.Binary}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _shifted(frame: pl.DataFrame, offset: dict[str, int], numbers: Sequence[str], times: Sequence[str]) -> pl.DataFrame:
    import polars as pl

    return frame.with_columns(
        pl.col("shot_no") + offset["shot_no"], pl.col(*numbers) + offset["frame_no"], pl.col(*times) + offset["ms"]
    )


def _verify(root: Path, record: TitleRecord) -> None:
    """Compare the media files' bytes with the identity in the catalogue, so that no artifact bears a wrong one."""
    parts = []
    for part in record.media:
        with _opened(root, part) as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        parts.append(FileRef(part.path, part.size, digest))
    if media_revision(tuple(parts)) != record.roots["media"]:
        raise ChangedMeanwhile(f"{record.path} is not the file that the catalogue saw.", title_id=record.title_id)


def _bytes(root: Path, ref: FileRef) -> bytes:
    with _opened(root, ref) as file:
        data: bytes = file.read()
    if hashlib.sha256(data).hexdigest() != ref.sha256:
        raise ChangedMeanwhile(f"{ref.path} is not the file that the catalogue saw.", path=ref.path)
    return data


def _opened(root: Path, ref: FileRef) -> Any:
    try:
        return (root / ref.path).open("rb")
    except FileNotFoundError as error:
        raise ChangedMeanwhile(f"{ref.path} is not in the library any more.", path=ref.path) from error
    except OSError as error:
        raise SystemFault(f"{ref.path} cannot be read: {error.strerror}; check the library's disk.") from error


def _stamps(root: Path, record: TitleRecord) -> list[tuple[int, int]]:
    stamps = []
    for part in record.media:
        try:
            facts = (root / part.path).stat()
        except OSError as error:
            raise ChangedMeanwhile(f"{part.path} is not in the library any more.", path=part.path) from error
        if facts.st_size != part.size:
            raise ChangedMeanwhile(f"{part.path} is not the file that the catalogue saw.", path=part.path)
        stamps.append((facts.st_size, facts.st_mtime_ns))
    return stamps
