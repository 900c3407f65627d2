"""From what a user types to a query: timecodes, years, languages, clauses; each with a sentence where it is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from mediaflow.errors import UsageError
from mediaflow.search.query import (
    Clause,
    Comparison,
    Condition,
    Dialogue,
    Filters,
    FreeText,
    GroupBy,
    Query,
    SimilarToClip,
    SimilarToPicture,
    SimilarToRange,
    SimilarToShot,
    Sort,
    SortBy,
    Visual,
    Where,
)

_TIMECODE = re.compile(
    r"(?:(?:(?P<hours>\d+):)?(?P<minutes>\d+):)?(?P<seconds>\d+)(?:[.,](?P<fraction>\d{1,9}))?", re.A
)
_YEARS = re.compile(r"(?P<first>\d{4})?(?P<dash>\s*[-–]\s*)?(?P<last>\d{4})?", re.A)
_WHERE = re.compile(
    r"(?P<algorithm>[^=.\s<>~]+)(?:\.(?P<field>[^=.\s<>~]+)\s*(?P<how>[<>~]?)|\s*)=\s*(?P<value>.*\S)\s*", re.S
)
_HOW: Mapping[str, Comparison] = {"": "equals", ">": "least", "<": "most", "~": "contains"}
_SORT = re.compile(r"(?P<algorithm>[^.:\s]+)\.(?P<field>[^.:\s]+)(?P<descending>:desc)?")
_MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Options:
    """A question as typed; the fields are the options of `mediaflow search`."""

    text: str | None = None
    visual: Sequence[str] = ()
    dialogue: Sequence[str] = ()
    language: str | None = None
    kind: str | None = None
    image: Sequence[Path] = ()
    clip: Sequence[Path] = ()
    shot: Sequence[str] = ()
    range: Sequence[str] = ()
    where: Sequence[str] = ()
    title: Sequence[str] = ()
    series: Sequence[str] = ()
    season: Sequence[int] = ()
    genre: Sequence[str] = ()
    year: Sequence[str] = ()
    character: Sequence[str] = ()
    talent: Sequence[str] = ()
    group_by: str | None = None
    sort: str = "score"
    limit: int = 20
    score: str | None = None


def parse_query(options: Options) -> Query:
    """Return the query that the options ask; `UsageError` where one of them is wrong."""
    if (options.language or options.kind) and not (options.text or options.dialogue):
        raise UsageError("--language and --kind narrow what is said: give a text or --dialogue with them.")
    filters = Filters(
        titles=tuple(options.title),
        series=tuple(options.series),
        seasons=tuple(options.season),
        genres=tuple(options.genre),
        years=tuple(map(parse_years, options.year)),
        characters=tuple(options.character),
        talents=tuple(options.talent),
    )
    group_by = _one_of("--group-by", options.group_by, get_args(GroupBy)) if options.group_by is not None else None
    sort = parse_sort(options.sort)
    clauses = tuple(_clauses(options))
    return Query(clauses, filters, cast(GroupBy | None, group_by), sort, options.limit, options.score)


def parse_timecode(text: str) -> int:
    """Return the milliseconds of `hh:mm:ss.mmm`, `mm:ss` or seconds, rounded half up."""
    found = _TIMECODE.fullmatch(text.strip())
    minutes, seconds = (int(found[name] or 0) if found else 0 for name in ("minutes", "seconds"))
    if not found or (found["hours"] and minutes >= 60) or (found["minutes"] and seconds >= 60):
        raise UsageError(
            f"{text!r} is no timecode; write hh:mm:ss.mmm, mm:ss or seconds, such as 00:01:02.500.", timecode=text
        )
    fraction = (found["fraction"] or "0").ljust(9, "0")
    return (int(found["hours"] or 0) * 3600 + minutes * 60 + seconds) * 1000 + (int(fraction) + 500_000) // 1_000_000


def parse_years(text: str) -> tuple[int | None, int | None]:
    """Return first and last year of `1994`, `1990-1999`, `1990-` (open) or `-1999`."""
    found = _YEARS.fullmatch(text.strip())
    first, last = (int(found[name]) if found and found[name] else None for name in ("first", "last"))
    dashed = bool(found and found["dash"])
    if (first is None and last is None) or (first is not None and last is not None and (not dashed or last < first)):
        raise UsageError(f"{text!r} is no year; write 1994, 1990-1999 or 1990-.", year=text)
    return (first, last) if dashed else (first, first)


def parse_language(text: str) -> str:
    """Return the BCP 47 tag of a language given as a tag ("pt-br", "deu") or by name ("German")."""
    from mediaflow.media.languages import UNDETERMINED, language_of_name, language_of_tag

    wanted = text.strip()
    tag = language_of_tag(wanted) or language_of_name(wanted)
    if tag is None and wanted.lower() != UNDETERMINED:
        raise UsageError(f"{text!r} is no language; write a tag or a name, such as de or German.", language=text)
    return tag or UNDETERMINED


def parse_shot(text: str) -> SimilarToShot:
    """Return the shot of `TITLE@TIMECODE`."""
    title, at, timecode = text.rpartition("@")
    if not (at and title.strip()):
        raise UsageError(f"{text!r} names no shot; write TITLE@TIMECODE, such as sintel@00:01:02.500.", shot=text)
    return SimilarToShot(title.strip(), parse_timecode(timecode))


def parse_range(text: str) -> SimilarToRange:
    """Return the range of `TITLE@FROM-TO`."""
    title, at, times = text.rpartition("@")
    start, dash, end = times.partition("-")
    if not (at and title.strip() and dash):
        raise UsageError(f"{text!r} names no range; write TITLE@FROM-TO, such as sintel@1:02-1:20.5.", range=text)
    return SimilarToRange(title.strip(), parse_timecode(start), parse_timecode(end))


def parse_where(texts: Iterable[str]) -> list[Where]:
    """Return the clauses of `NAME=VALUE`, `NAME.FIELD=VALUE`, and with `>=`, `<=` or `~=` (contains) at a field.

    What is said of fields holds for each value that their algorithm is asked for; without any, they are one clause.
    """
    values: dict[str, list[str]] = {}
    conditions: dict[str, list[Condition]] = {}
    for text in texts:
        found = _WHERE.fullmatch(text.strip())
        if not found:
            raise UsageError(
                f"{text!r} is no condition; write NAME=VALUE, or NAME.FIELD=VALUE, where >=, <= and ~= (contains) may "
                "stand too.",
                where=text,
            )
        name = found["algorithm"]
        several = values.setdefault(name, [])
        if found["field"] is None:
            several.append(found["value"])
        else:
            one = Condition(found["field"], found["value"], _HOW[found["how"]])
            conditions.setdefault(name, []).append(one)
    return [
        Where(name, value, tuple(conditions.get(name, ())))
        for name, several in values.items()
        for value in (several or (None,))
    ]


def parse_sort(text: str) -> Sort | SortBy:
    """Return the order of `score`, `time`, `NAME.FIELD` or `NAME.FIELD:desc`."""
    if text in get_args(Sort):
        return cast(Sort, text)
    found = _SORT.fullmatch(text.strip())
    if not found:
        raise UsageError(
            f"--sort is {' or '.join(get_args(Sort))}, not {text!r}; or an algorithm's field, as NAME.FIELD or "
            "NAME.FIELD:desc.",
            option="--sort",
            value=text,
        )
    return SortBy(found["algorithm"], found["field"], bool(found["descending"]))


def read_picture(path: Path) -> SimilarToPicture:
    """Read the file of a picture; whether it is one is found when it is decoded."""
    return SimilarToPicture(_read(path, "picture"), path.name)


def read_clip(path: Path) -> SimilarToClip:
    """Read the file of a clip; whether it is one is found when it is decoded."""
    return SimilarToClip(_read(path, "clip"), path.name)


def _read(path: Path, what: str) -> bytes:
    try:
        if not path.is_file():
            raise UsageError(f"There is no file {str(path)!r}; give the path of a {what}.", path=str(path))
        if path.stat().st_size > _MOST_BYTES:
            raise UsageError(
                f"{str(path)!r} is larger than {_MOST_BYTES // 2**20} MiB; give a smaller {what}.", path=str(path)
            )
        return path.read_bytes()
    except OSError as error:
        raise UsageError(
            f"{str(path)!r} cannot be read ({error.strerror}); check its permissions.", path=str(path)
        ) from error


def _clauses(options: Options) -> Iterator[Clause]:
    language = parse_language(options.language) if options.language is not None else None
    if options.text is not None:
        yield FreeText(options.text, language, options.kind)
    yield from (Visual(text) for text in options.visual)
    yield from (Dialogue(text, language, options.kind) for text in options.dialogue)
    yield from map(read_picture, options.image)
    yield from map(read_clip, options.clip)
    yield from map(parse_shot, options.shot)
    yield from map(parse_range, options.range)
    yield from parse_where(options.where)


def _one_of(option: str, value: str, values: tuple[str, ...]) -> str:
    if value not in values:
        raise UsageError(f"{option} is {' or '.join(values)}, not {value!r}.", option=option, value=value)
    return value
