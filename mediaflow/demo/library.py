"""Makes films and whole library folders of the rendered world, laid out as a user's own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mediaflow.demo import film
from mediaflow.demo.lines import LANGUAGES
from mediaflow.demo.script import Decks, Script, plan_film
from mediaflow.demo.sidecars import write_nfo, write_subtitles, write_tvshow_nfo
from mediaflow.demo.truth import FilmTruth, frame_ms
from mediaflow.errors import UsageError

DEMO_SEED = 1

_FILM_KINDS: tuple[tuple[str, str], ...] = (("h264", ".mp4"), ("hevc", ".mkv"), ("vp9", ".webm"), ("mpeg4", ".avi"))
_FILM_LANGUAGES: tuple[tuple[str, ...], ...] = (
    ("en", "de", "fr", "ja"),
    ("en", "fr"),
    ("en", "de", "es"),
    ("en", "ja"),
)
_EPISODE_LANGUAGES: tuple[str, ...] = ("en", "de")


@dataclass(frozen=True, slots=True)
class _Look:
    size: tuple[int, int]
    fps: int
    codec: str
    languages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Episode:
    series: str
    season: int
    number: int


def make_film(
    path: Path,
    *,
    seed: int,
    shots: int = 8,
    size: tuple[int, int] = (320, 180),
    shot_seconds: float = 2.0,
    fps: int = 24,
    codec: str = "h264",
    subtitles: tuple[str, ...] = ("en",),
) -> FilmTruth:
    """Render one film with its subtitles and `.nfo` beside it.

    Parameters
    ----------
    path : Path
        The media file to write: ``Name (Year).mp4`` gives the title and year, another name the title alone. The
        container follows from the suffix. Its folder is made where missing.
    seed : int
        The same seed and parameters show and say the same.
    shots : int
        Number of shots.
    size : tuple of int
        Width and height in pixels, both even.
    shot_seconds : float
        Mean length of a shot. Dissolves appear where both shots are at least 30 frames long.
    fps : int
        Frames a second.
    codec : str
        ``h264``, ``hevc``, ``vp9`` or ``mpeg4``.
    subtitles : tuple of str
        Languages: ``en`` and ``de`` become SRT, ``fr`` WebVTT, ``es`` TTML, ``ja`` ASS.

    Returns
    -------
    FilmTruth
        Its `path` is the file's name.

    Raises
    ------
    UsageError
        Where the codec, a language or the size cannot be made.
    """
    named = re.fullmatch(r"(.+) \((\d{4})\)", path.stem)
    title, year = (named[1], int(named[2])) if named else (path.stem, None)
    decks = Decks(np.random.default_rng([seed, 3]))
    script = plan_film(seed, decks, shots=shots, shot_seconds=shot_seconds, fps=fps, title=title, year=year)
    truth = _describe(path.name, script, _Look(size, fps, codec, subtitles))
    _write(path, script, truth)
    return truth


def make_library(
    folder: Path,
    truth: Path,
    *,
    seed: int = DEMO_SEED,
    films: int = 4,
    episodes: int = 2,
    shots: int = 8,
    size: tuple[int, int] = (320, 180),
    shot_seconds: float = 2.0,
    fps: int = 24,
) -> dict[str, FilmTruth]:
    """Render films and a series into a library folder.

    A second call with the same parameters renders only what is missing: usually nothing. Up to 128 shots in all, no
    colour and object come together twice, and up to 240 no line is spoken twice.

    Parameters
    ----------
    folder : Path
        The library: ``Name (Year)/Name (Year).mp4`` and ``Show/Season 01/Show - S01E01.mkv`` with their sidecars.
    truth : Path
        Another folder, for this library alone: one JSON file a film, named like it.
    seed : int
        The same seed and parameters show and say the same.
    films, episodes : int
        How many; the films take turns in container, codec and subtitle languages.
    shots, size, shot_seconds, fps
        As in `make_film`.

    Returns
    -------
    dict of str to FilmTruth
        By relative path of the media file.

    Raises
    ------
    UsageError
        Where the size cannot be made.
    """
    decks = Decks(np.random.default_rng([seed, 3]))
    planned: list[tuple[Script, FilmTruth]] = []
    for number in range(films):
        script = plan_film(seed * 1000 + number, decks, shots=shots, shot_seconds=shot_seconds, fps=fps)
        codec, suffix = _FILM_KINDS[number % len(_FILM_KINDS)]
        stem = f"{script.title} ({script.year})"
        look = _Look(size, fps, codec, _FILM_LANGUAGES[number % len(_FILM_LANGUAGES)])
        planned.append((script, _describe(f"{stem}/{stem}{suffix}", script, look)))
    series = decks.title()
    for number in range(1, episodes + 1):
        script = plan_film(seed * 1000 + 500 + number, decks, shots=shots, shot_seconds=shot_seconds, fps=fps)
        name = f"{series}/Season 01/{series} - S01E{number:02d}.mkv"
        look = _Look(size, fps, "h264", _EPISODE_LANGUAGES)
        planned.append((script, _describe(name, script, look, _Episode(series, 1, number))))
    truth.mkdir(parents=True, exist_ok=True)
    for script, described in planned:
        _write_once(folder, truth, script, described)
    if episodes:
        _write_series(folder / series, planned[-episodes][1])
    return {described.path: described for _, described in planned}


def read_truth(folder: Path) -> dict[str, FilmTruth]:
    """Read all the truths that `make_library` wrote into `folder`, by relative path of the media file."""
    truths = [FilmTruth.from_json(file.read_bytes()) for file in sorted(folder.glob("*.json"))]
    return {truth.path: truth for truth in truths}


def _describe(name: str, script: Script, look: _Look, episode: _Episode | None = None) -> FilmTruth:
    _check(look)
    frames = film.borders(script)[-1]
    return FilmTruth(
        path=name,
        title=script.title,
        year=script.year,
        series=episode.series if episode else None,
        season=episode.season if episode else None,
        episode=episode.number if episode else None,
        genres=script.genres,
        languages=look.languages,
        cast=script.cast,
        codec=look.codec,
        width=look.size[0],
        height=look.size[1],
        fps_num=look.fps,
        fps_den=1,
        frames=frames,
        duration_ms=frame_ms(frames, look.fps),
        cuts=film.cuts(script),
        dissolves=film.dissolves(script),
        shots=film.shot_truth(script, look.fps),
        cues=film.cue_truth(script, look.fps, Path(name).stem, look.languages),
        texts=film.text_truth(script, look.fps),
    )


def _check(look: _Look) -> None:
    if look.codec not in film.CODECS:
        raise UsageError(f"No film can be made with the codec {look.codec!r}: take one of {', '.join(film.CODECS)}.")
    unknown = [language for language in look.languages if language not in LANGUAGES]
    if unknown:
        raise UsageError(f"No subtitles can be made in {unknown[0]!r}: take some of {', '.join(LANGUAGES)}.")
    if any(side < 32 or side % 2 for side in look.size):
        raise UsageError(f"No film can be made at {look.size[0]}x{look.size[1]}: take even sides of 32 pixels or more.")


def _write(path: Path, script: Script, truth: FilmTruth) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    size = (truth.width, truth.height)
    film.encode(path, film.frames(script, size, truth.fps_num), size=size, fps=truth.fps_num, codec=truth.codec)
    write_subtitles(path.parent, truth.cues)
    write_nfo(path.with_suffix(".nfo"), truth)


def _write_once(folder: Path, truths: Path, script: Script, truth: FilmTruth) -> None:
    """Render a film unless its truth, which is written last, says that this very film is there."""
    record = truths / f"{Path(truth.path).stem}.json"
    if (folder / truth.path).is_file() and record.is_file() and record.read_text(encoding="utf-8") == truth.to_json():
        return
    _write(folder / truth.path, script, truth)
    record.write_text(truth.to_json(), encoding="utf-8")


def _write_series(folder: Path, first: FilmTruth) -> None:
    entry = folder / "tvshow.nfo"
    if not entry.is_file():
        write_tvshow_nfo(entry, folder.name, first.year, first.genres)
