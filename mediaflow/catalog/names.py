"""What file and folder names say: title and year, season and episode, parts, extras, versions."""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

_YEAR = r"(?:18[89]|19\d|20\d)\d"
_TITLE_YEAR = re.compile(rf"^(?P<title>.*?\S)[\s._-]*[(\[](?P<year>{_YEAR})[)\]](?P<rest>.*)$", re.S)
_PROVIDER = re.compile(r"\s*[\[{(](?:imdb|tmdb|tvdb|imdbid|tmdbid|tvdbid|anidb|edition)[-= ]?[^\]})]*[\]})]", re.I)
_RELEASE = re.compile(
    r"(?<![a-z0-9])(?:\d{3,4}[pi]|4k|uhd|x26[45]|h\.?26[45]|hevc|xvid|divx|blu-?ray|b[dr]rip|web-?(?:dl|rip)|hdtv|"
    r"dvd(?:rip|scr)|remux|hdr(?:10)?|aac|ac3|dts)(?![a-z0-9])",
    re.I,
)
_QUALITY_LABEL = re.compile(
    r"^(?:\d{3,4}[pi]|[48]k|uhd|hd|sd|fhd|hdr\S*|sdr|dvd\S*|blu-?ray|remux|web\S*|hevc|avc|av1|vp9|h\.?26[45]|x26[45]|"
    r"[\s._,-])+$",
    re.I,
)
_EPISODE = re.compile(
    r"(?<![a-z0-9])(?:s(?P<season>\d{1,4})[\s._-]*e(?P<episode>\d{1,4})|(?P<season_x>\d{1,2})x(?P<episode_x>\d{2,3}))"
    r"(?:[\s._-]*(?:-[\s._]*)?(?:e|\d{1,2}x)(?P<end>\d{1,4})|-(?P<end_bare>\d{2,4}))*(?![a-z0-9])",
    re.I,
)
_EPISODE_IN_SEASON = re.compile(
    r"(?:^|[\s._-])(?:e|ep|ep\.|episode|folge|odcinek|cap[ií]tulo|[ée]pisode|puntata|aflevering)[\s._-]*"
    r"(?P<episode>\d{1,4})(?!\w)|^(?P<leading>\d{1,3})(?=$|[\s._-])",
    re.I,
)
_SEASON = re.compile(
    r"^(?:(?:season|series|staffel|saison|temporada|stagione|seizoen|sezon|s[äa]song|s[æa]son|сезон)[\s._-]*|s)"
    r"(?P<season>\d{1,4})(?!\w)",
    re.I,
)
_SPECIALS = frozenset({"specials", "special", "extras special"})
_PART = re.compile(
    r"^(?P<base>.*?\S)(?:[\s._-]+[(\[]?|[(\[])(?P<word>cd|dvd|dis[ck]|pt|part)[\s._-]*(?P<number>[0-9]{1,2}|[a-d])[)\]]?$",
    re.I,
)
_EXTRA = re.compile(
    r"^(?P<base>.*?)[\s._-]*(?:[-._]\s?|^)(?:trailer|sample|teaser)\d{0,2}$|"
    r"^(?P<dashed>.*?)\s?-(?:scene|clip|interview|behindthescenes|deleted|deletedscene|featurette|short|other|extra)$",
    re.I,
)


class EpisodeName(NamedTuple):
    """Numbers of an episode, with the text before and after them in the file name."""

    season: int | None
    episode: int
    end: int | None
    before: str
    after: str


class NamedTitle(NamedTuple):
    """A title and the year that stood with it."""

    title: str
    year: int | None


class Part(NamedTuple):
    """One part of a film in several files; `word` is how the name counts (cd, disc, pt, part)."""

    base: str
    word: str
    number: int


def key(name: str) -> str:
    """Give the form in which names are compared: composed Unicode, no case."""
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()


def season_of(folder: str) -> int | None:
    """Give the season that a folder's name stands for; `Specials` is season 0."""
    if folder.strip().lower() in _SPECIALS:
        return 0
    found = _SEASON.match(folder.strip())
    return int(found["season"]) if found else None


def episode_of(stem: str, season: int | None = None) -> EpisodeName | None:
    """Read season and episode from a file name.

    Parameters
    ----------
    stem : str
        File name without extension.
    season : int or None
        Season of the folder: inside of one, `E07`, `Episode 7` and `07 - Pilot` are enough.
    """
    found = _EPISODE.search(stem)
    if found:
        end = found["end"] or found["end_bare"]
        first = int(found["episode"] or found["episode_x"])
        last = int(end) if end and first < int(end) < first + 100 else None
        number = int(found["season"] or found["season_x"])
        return EpisodeName(number, first, last, stem[: found.start()], stem[found.end() :])
    if season is None:
        return None
    found = _EPISODE_IN_SEASON.search(stem)
    if not found:
        return None
    first = int(found["episode"] or found["leading"])
    return EpisodeName(season, first, None, stem[: found.start()], stem[found.end() :])


def named_title(name: str) -> NamedTitle:
    """Read title and year from the name of a file or folder.

    A year counts in brackets, `Name (1999)`. Names with the marks of a release (`Name.1999.1080p.x264`) are given to
    guessit, which costs about 20 ms a name; all others are taken as they are, with dots and underscores as spaces.
    """
    name = _PROVIDER.sub("", name)
    found = _TITLE_YEAR.match(name)
    if found:
        return NamedTitle(clean(found["title"]), int(found["year"]))
    if _RELEASE.search(name) and re.search(rf"[\s._]{_YEAR}[\s._]", name):
        guess = _guess(name, "movie")
        if guess.get("title"):
            year = guess.get("year")
            return NamedTitle(clean(str(guess["title"])), year if isinstance(year, int) else None)
    return NamedTitle(clean(name), None)


def guessed_episode(stem: str) -> EpisodeName | None:
    """Ask guessit for the episode of a name in a series folder which follows none of the usual forms."""
    guess = _guess(stem, "episode")
    episode, season = guess.get("episode"), guess.get("season")
    last = episode[-1] if isinstance(episode, list) else None
    first = episode[0] if isinstance(episode, list) else episode
    if not isinstance(first, int):
        return None
    before, after = str(guess.get("title") or ""), str(guess.get("episode_title") or "")
    return EpisodeName(season if isinstance(season, int) and season else None, first, last, before, after)


def _guess(name: str, kind: str) -> dict[str, object]:
    from guessit import guessit

    return dict(guessit(name, {"type": kind, "single_value": False}))


def episode_title(after: str) -> str:
    """Give the episode's own title from the text that follows its numbers, without the marks of a release."""
    text = _PROVIDER.sub("", after)
    found = _RELEASE.search(text)
    if found:
        text = text[: found.start()]
    return clean(re.sub(r"[\[({][^\])}]*$", "", text))


def clean(text: str) -> str:
    """Make a title readable: separators become spaces, dots only where no space separates already."""
    text = unicodedata.normalize("NFC", text).replace("_", " ")
    if " " not in text.strip():
        text = re.sub(r"\.(?!\.)", " ", text)
    return re.sub(r"\s+", " ", text).strip(" -–.,[(")


def part_of(stem: str) -> Part | None:
    """Read `Name - cd1`, `Name (disc 2)`, `Name pt1`, `Name part2`."""
    found = _PART.match(stem)
    if not found or not found["base"]:
        return None
    number = found["number"].lower()
    return Part(found["base"], found["word"].lower(), int(number) if number.isdigit() else ord(number) - 96)


def extra_base(stem: str) -> str | None:
    """Give the name of the film that a trailer or extra belongs to ("" for a bare `trailer`), None for no extra."""
    found = _EXTRA.match(stem)
    if not found:
        return None
    return (found["base"] if found["dashed"] is None else found["dashed"]) or ""


def version_label(stem: str, folder: str) -> str | None:
    """Give what a file name adds to its folder's name: "" for nothing, None when it is no version of that film."""
    if not key(stem).startswith(key(folder)):
        return None
    rest = unicodedata.normalize("NFC", stem)[len(unicodedata.normalize("NFC", folder)) :].strip()
    if not rest:
        return ""
    if rest[0] not in "-[.({":
        return None
    label = rest.strip(" -[](){}._")
    named_year = _TITLE_YEAR.match(folder) is not None
    return label if named_year or _QUALITY_LABEL.match(label) else None
