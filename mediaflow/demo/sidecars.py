"""Writes what lies beside a film in a user's library: subtitles in several formats and Kodi's `.nfo` entries."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as Xml

import pysubs2

from mediaflow.demo.truth import CueTruth, FilmTruth

# One format a language, so that a library of a few films shows them all.
_FORMATS: dict[str, str] = {"en": "srt", "de": "srt", "fr": "vtt", "es": "ttml", "ja": "ass"}


def track_name(stem: str, language: str) -> str:
    """Name of the sidecar of a film called `stem` in one language, e.g. ``The Hidden Summit (1987).fr.vtt``."""
    return f"{stem}.{language}.{_FORMATS[language]}"


def speaker_as_written(character: str, language: str) -> str:
    """Give the speaker's name as the language's format writes it: before a colon it stands in capitals."""
    return character.upper() if _FORMATS[language] in ("srt", "ttml") else character


def write_subtitles(folder: Path, cues: tuple[CueTruth, ...]) -> None:
    """Write one file a track: `NAME: words` in SRT and TTML, `<v Name>` in WebVTT, the name field in ASS."""
    for track in sorted({cue.track for cue in cues}):
        subtitles = pysubs2.SSAFile()
        suffix = track.rsplit(".", 1)[1]
        for cue in cues:
            if cue.track == track:
                subtitles.append(_event(cue, suffix))
        (folder / track).write_text(subtitles.to_string(suffix), encoding="utf-8")


def _event(cue: CueTruth, suffix: str) -> pysubs2.SSAEvent:
    text = {"vtt": f"<v {cue.speaker}>{cue.text}", "ass": cue.text}.get(suffix, f"{cue.speaker}: {cue.text}")
    return pysubs2.SSAEvent(start=cue.start_ms, end=cue.end_ms, text=text, name=cue.speaker)


def write_nfo(file: Path, truth: FilmTruth) -> None:
    """Write the catalogue entry of a film or an episode."""
    entry = Xml.Element("movie" if truth.episode is None else "episodedetails")
    _add(entry, "title", truth.title)
    if truth.series is not None:
        _add(entry, "showtitle", truth.series)
        _add(entry, "season", str(truth.season))
        _add(entry, "episode", str(truth.episode))
    _add(entry, "year", str(truth.year))
    for genre in truth.genres:
        _add(entry, "genre", genre)
    for order, role in enumerate(truth.cast):
        actor = Xml.SubElement(entry, "actor")
        _add(actor, "name", role.talent)
        _add(actor, "role", role.character)
        _add(actor, "order", str(order))
    track = Xml.SubElement(Xml.SubElement(entry, "fileinfo"), "streamdetails")
    for language in truth.languages:
        _add(Xml.SubElement(track, "subtitle"), "language", language)
    _write(file, entry)


def write_tvshow_nfo(file: Path, title: str, year: int, genres: tuple[str, ...]) -> None:
    """Write the catalogue entry of a whole series."""
    entry = Xml.Element("tvshow")
    _add(entry, "title", title)
    _add(entry, "year", str(year))
    for genre in genres:
        _add(entry, "genre", genre)
    _write(file, entry)


def _add(parent: Xml.Element, tag: str, text: str) -> None:
    Xml.SubElement(parent, tag).text = text


def _write(file: Path, entry: Xml.Element) -> None:
    Xml.indent(entry)
    Xml.ElementTree(entry).write(file, encoding="utf-8", xml_declaration=True)
