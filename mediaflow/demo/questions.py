"""The demo's own questions to a rendered library: each has one right shot, by the truth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from mediaflow.demo.lines import things
from mediaflow.demo.truth import CueTruth, FilmTruth, ShotTruth
from mediaflow.demo.world import COUNTS, TIMES
from mediaflow.errors import UsageError

Kind = Literal["visual", "dialogue", "image", "combined"]

# Captions are English.
_ENGLISH = "en"
_WANTED: dict[Kind, int] = {"visual": 4, "dialogue": 4, "image": 3, "combined": 3}


@dataclass(frozen=True, slots=True)
class Question:
    """One question and its answer.

    Attributes
    ----------
    kind : str
        ``visual``, ``dialogue``, ``image`` or ``combined`` (visual and dialogue in overlapping ranges).
    visual, dialogue : str or None
        What is to be seen, in English; words that are spoken.
    image_from : tuple of (str, int) or None
        A media file and a time in milliseconds: the frame shown then is the picture to search with.
    expected_path : str
        The right media file, relative to the library.
    start_ms, end_ms : int
        The right shot.
    words : str
        The whole question for a person to read.
    language : str or None
        BCP 47 tag of its words, where it asks in words.
    """

    kind: Kind
    visual: str | None
    dialogue: str | None
    image_from: tuple[str, int] | None
    expected_path: str
    start_ms: int
    end_ms: int
    words: str
    language: str | None = None


def questions(truth: dict[str, FilmTruth]) -> list[Question]:
    """Find questions that have exactly one right shot in the whole library.

    Parameters
    ----------
    truth : dict of str to FilmTruth
        As `make_library` gives it.

    Returns
    -------
    list of Question
        Four visual ones, four about dialogue, three with an image and three combined ones, spread over the films and
        over languages. Their shots begin and end with cuts, not with dissolves.

    Raises
    ------
    UsageError
        The library is too small for that many.
    """
    askers: dict[Kind, Callable[[dict[str, FilmTruth], FilmTruth, ShotTruth, int], Question | None]] = {
        "visual": _visual,
        "dialogue": _dialogue,
        "image": _image,
        "combined": _combined,
    }
    result: list[Question] = []
    unused = list(_spread(truth))
    asked_of: Counter[str] = Counter()
    for kind, count in _WANTED.items():
        for number in range(count):
            # The film that was asked about least comes first; among equals, the earlier shot.
            for film, shot in sorted(unused, key=lambda pair: asked_of[pair[0].path]):
                if question := askers[kind](truth, film, shot, number):
                    break
            else:
                raise UsageError(
                    f"The library holds too few shots for {sum(_WANTED.values())} questions: make it larger."
                )
            result.append(question)
            unused.remove((film, shot))
            asked_of[film.path] += 1
    return result


def _spread(truth: dict[str, FilmTruth]) -> Iterator[tuple[FilmTruth, ShotTruth]]:
    """Go through all shots that lie between cuts, taking turns among the films."""
    clean = {}
    for path, film in truth.items():
        mixed = {frame for start, end in film.dissolves for frame in range(start, end)}
        clean[path] = [shot for shot in film.shots if not mixed & {shot.start_frame, shot.end_frame}]
    for turn in range(max((len(shots) for shots in clean.values()), default=0)):
        for path, shots in clean.items():
            if turn < len(shots):
                yield truth[path], shots[turn]


def _visual(truth: dict[str, FilmTruth], film: FilmTruth, shot: ShotTruth, number: int) -> Question | None:
    by_turns = TIMES[number % len(TIMES)]
    if shot.scene.time != by_turns or len(_showing(truth, shot.caption, lambda other: other.caption)) != 1:
        return None
    return _ask("visual", film, shot, visual=shot.caption, words=shot.caption, language=_ENGLISH)


def _dialogue(truth: dict[str, FilmTruth], film: FilmTruth, shot: ShotTruth, number: int) -> Question | None:
    language = film.languages[number % len(film.languages)]
    cue = _cue(film, shot, language)
    if cue is None or len(_saying(truth, cue.text)) != 1:
        return None
    return _ask("dialogue", film, shot, dialogue=cue.text, words=f"who says: {cue.text}", language=language)


def _image(truth: dict[str, FilmTruth], film: FilmTruth, shot: ShotTruth, number: int) -> Question | None:
    time_ms = shot.start_ms + (shot.end_ms - shot.start_ms) * 2 // 5
    return _ask(
        "image", film, shot, image_from=(film.path, time_ms), words=f"the picture at {time_ms} ms of {film.path}"
    )


def _combined(truth: dict[str, FilmTruth], film: FilmTruth, shot: ShotTruth, number: int) -> Question | None:
    cue = _cue(film, shot, _ENGLISH)
    spoken = next((name for name in things(_ENGLISH) if cue and name in cue.text.lower()), None)
    if spoken is None:
        return None
    seen = _glance(shot)
    right = _showing(truth, seen, _glance) & _saying(truth, spoken)
    if len(right) != 1:
        return None
    words = f'{seen}, while somebody speaks of "{spoken}"'
    return _ask("combined", film, shot, visual=seen, dialogue=spoken, words=words, language=_ENGLISH)


def _glance(shot: ShotTruth) -> str:
    scene = shot.scene
    number = ("an" if scene.colour[0] in "aeiou" else "a") if scene.count == 1 else COUNTS[scene.count - 1]
    return f"{number} {scene.colour} {scene.noun}"


def _showing(truth: dict[str, FilmTruth], text: str, describe: Callable[[ShotTruth], str]) -> set[tuple[str, int]]:
    return {(film.path, shot.shot_no) for film in truth.values() for shot in film.shots if describe(shot) == text}


def _saying(truth: dict[str, FilmTruth], words: str) -> set[tuple[str, int]]:
    spoken = words.lower()
    return {(film.path, cue.shot_no) for film in truth.values() for cue in film.cues if spoken in cue.text.lower()}


def _cue(film: FilmTruth, shot: ShotTruth, language: str) -> CueTruth | None:
    return next((cue for cue in film.cues if (cue.shot_no, cue.language) == (shot.shot_no, language)), None)


def _ask(
    kind: Kind,
    film: FilmTruth,
    shot: ShotTruth,
    *,
    words: str,
    visual: str | None = None,
    dialogue: str | None = None,
    image_from: tuple[str, int] | None = None,
    language: str | None = None,
) -> Question:
    return Question(kind, visual, dialogue, image_from, film.path, shot.start_ms, shot.end_ms, words, language)
