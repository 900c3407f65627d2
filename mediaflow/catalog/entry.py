"""Making a title's catalogue entry: names first, then the series' files, then the title's `.nfo`, last `title.json`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mediaflow.catalog import nfo
from mediaflow.catalog.layout import Candidate, Show
from mediaflow.catalog.names import (
    EpisodeName,
    clean,
    episode_of,
    episode_title,
    guessed_episode,
    named_title,
    season_of,
    version_label,
)
from mediaflow.catalog.notes import Notes
from mediaflow.catalog.records import CatalogueEntry, Person
from mediaflow.catalog.walk import FileStat

Reader = Callable[[FileStat], bytes]

_FROM_SHOW = ("genres", "languages", "year", "people", "fields")
_NUMBERS = ("series", "season", "episode", "episode_end")


def read_entry(candidate: Candidate, read: Reader, notes: Notes) -> CatalogueEntry:
    """Read what is known of a title.

    Parameters
    ----------
    candidate : Candidate
        The title's files.
    read : callable
        Gives the bytes of an `.nfo` or `title.json`, at most `nfo.MAX_BYTES` + 1 of them.
    notes : Notes
        Takes a problem for each file, or field of `title.json`, that is broken; the rest is used.

    Raises
    ------
    OSError
        One of the files cannot be read.
    """
    show = _show_facts(candidate.show, read, notes) if candidate.show else {}
    stated = _nfo_facts(candidate.nfo, read, notes)
    if stated.get("kind") == "series":
        assert candidate.nfo is not None
        notes.problem(candidate.nfo.path, "describes a series but stands beside one video: name it tvshow.nfo")
        stated = {}
    overlay = _overlay_facts(candidate.overlay, read, notes)
    named = _named_facts(candidate, show.get("series"))
    if "series" in show:
        # One name for the whole series, however each episode's file spells it.
        stated.pop("series", None)
    facts = named | {name: show[name] for name in _FROM_SHOW if name in show} | stated
    facts["people"] = (*show.get("people", ()), *stated.get("people", ()))
    facts |= overlay
    facts["fields"] = show.get("fields", {}) | overlay.get("fields", {})
    if facts["kind"] != "episode":
        facts |= {name: stated.get(name) for name in _NUMBERS} | {
            name: overlay[name] for name in _NUMBERS if name in overlay
        }
    people = dict.fromkeys(facts.pop("people"))
    cast = tuple(Person(talent, character, order) for order, (talent, character) in enumerate(people))
    return CatalogueEntry(**facts, people=cast)


def _named_facts(candidate: Candidate, series: str | None) -> dict[str, Any]:
    found = episode_of(candidate.stem, candidate.season)
    if found is None and candidate.show is not None:
        found = guessed_episode(candidate.stem)
    if found is not None or candidate.show is not None:
        return _episode_facts(candidate, series, found)
    name = named_title(candidate.stem)
    if candidate.own_folder:
        around = named_title(candidate.folder)
        if around.year is not None or version_label(candidate.stem, candidate.folder) is not None:
            name = around
    title = name.title or clean(candidate.stem) or candidate.stem
    return {"title": title, "year": name.year, "kind": "video" if name.year is None else "movie"}


def _episode_facts(candidate: Candidate, series: str | None, found: EpisodeName | None) -> dict[str, Any]:
    before = named_title(found.before) if found else None
    if series is None and candidate.show is not None and candidate.show.name:
        series = named_title(candidate.show.name).title
    if series is None:
        around = "" if season_of(candidate.folder) is not None else named_title(candidate.folder).title
        series = (before.title if before else "") or around or None
    season = candidate.season if found is None or found.season is None else found.season
    number = "" if found is None else (f"S{season:02d}" if season is not None else "") + f"E{found.episode:02d}"
    title = episode_title(found.after) if found else clean(candidate.stem)
    return {
        "title": title or f"{series or ''} {number}".strip(),
        "kind": "episode",
        "year": before.year if before else None,
        "series": series,
        "season": season,
        "episode": found.episode if found else None,
        "episode_end": found.end if found else None,
    }


def _show_facts(show: Show, read: Reader, notes: Notes) -> dict[str, Any]:
    stated = _nfo_facts(show.nfo, read, notes)
    overlay = _overlay_facts(show.overlay, read, notes)
    facts = {"year": named_title(show.name).year} | stated | overlay
    series = overlay.get("title") or overlay.get("series") or stated.get("title")
    kept = {name: facts[name] for name in _FROM_SHOW if facts.get(name)}
    return kept | ({"series": series} if series else {})


def _nfo_facts(file: FileStat | None, read: Reader, notes: Notes) -> dict[str, Any]:
    data = _bytes(file, read, notes)
    if file is None or data is None:
        return {}
    facts, problem = nfo.parse_nfo(data)
    if problem:
        notes.problem(file.path, problem)
    return facts


def _overlay_facts(file: FileStat | None, read: Reader, notes: Notes) -> dict[str, Any]:
    data = _bytes(file, read, notes)
    if file is None or data is None:
        return {}
    from mediaflow.catalog.overlay import parse_overlay

    facts, problems = parse_overlay(data)
    for problem in problems:
        notes.problem(file.path, problem)
    return facts


def _bytes(file: FileStat | None, read: Reader, notes: Notes) -> bytes | None:
    if file is None:
        return None
    data = read(file)
    if len(data) > nfo.MAX_BYTES:
        notes.problem(file.path, "is larger than 1 MB, which no catalogue file is: nothing was taken from it")
        return None
    return data
