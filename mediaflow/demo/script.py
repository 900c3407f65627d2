"""Plans a film before anything is drawn: its name and cast, its shots and how they join, who says what, and when."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

import numpy as np

from mediaflow.demo.lines import Line, LineDeck
from mediaflow.demo.truth import Role
from mediaflow.demo.world import COLOURS, MOTIONS, OBJECTS, PLACES, TIMES, Scene

GENRES: tuple[str, ...] = ("Adventure", "Animation", "Comedy", "Drama", "Fantasy", "Mystery", "Science Fiction")
_ADJECTIVES = ("Silent", "Crooked", "Amber", "Distant", "Hollow", "Gentle", "Wandering", "Hidden", "Restless", "Paper")
_NOUNS = ("Harbour", "Orchard", "Signal", "Meridian", "Garden", "Voyage", "Lantern", "Archive", "Summit", "Carousel")
_CHARACTERS = (
    "Mira",
    "Tobin",
    "Elsbeth",
    "Joaquin",
    "Sanna",
    "Oskar",
    "Yuki",
    "Leandro",
    "Petra",
    "Anselm",
    "Noor",
    "Wim",
)
_FIRST_NAMES = ("Ilva", "Corin", "Maddey", "Torvan", "Selka", "Brann", "Ottil", "Farro", "Jessa", "Quill")
_FAMILY_NAMES = ("Avenholt", "Brightmoor", "Castelrand", "Dunmarrow", "Eskeby", "Farnvale", "Gildersen", "Hartwick")
_TEXTS = ("CHAPTER {}", "{} YEARS EARLIER", "PLATFORM {}", "ROOM {}", "DAY {}", "KILOMETRE {}")

DISSOLVE_FRAMES: tuple[int, int] = (10, 15)


@dataclass(frozen=True, slots=True)
class Shot:
    """A planned shot: what it shows and how many frames from its border with the last shot to that with the next."""

    scene: Scene
    seed: int
    frames: int
    line: Line | None
    speaker: str
    text: str | None
    dissolve_frames: int  # length of the dissolve that leads into this shot; 0 is a cut


@dataclass(frozen=True, slots=True)
class Script:
    """A planned film."""

    title: str
    year: int
    genres: tuple[str, ...]
    cast: tuple[Role, ...]
    shots: tuple[Shot, ...]


@dataclass
class Decks:
    """What must not come twice in a library is dealt from piles that its films share.

    Lines are distinct among 240; pairs of colour and object among 128: up to that many shots, a question about a
    colour and an object, or about a line, has one right answer.
    """

    rng: np.random.Generator
    lines: LineDeck = field(init=False)
    _pairs: list[tuple[str, str]] = field(init=False, default_factory=list)
    _titles: list[str] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.lines = LineDeck(self.rng)

    def pair(self) -> tuple[str, str]:
        """Deal a colour and an object."""
        if not self._pairs:
            pairs = list(product(COLOURS, OBJECTS))
            self._pairs = [pairs[index] for index in self.rng.permutation(len(pairs))]
        return self._pairs.pop()

    def title(self) -> str:
        """Deal a film title."""
        if not self._titles:
            pairs = list(product(_ADJECTIVES, _NOUNS))
            self._titles = [f"The {a} {n}" for a, n in (pairs[index] for index in self.rng.permutation(len(pairs)))]
        return self._titles.pop()


def plan_film(
    seed: int,
    decks: Decks,
    *,
    shots: int,
    shot_seconds: float,
    fps: int,
    title: str | None = None,
    year: int | None = None,
) -> Script:
    """Plan a film.

    Parameters
    ----------
    seed : int
        Decides all that the decks do not.
    decks : Decks
        Shared by the films that must not repeat each other.
    shots : int
        Number of shots.
    shot_seconds : float
        Mean length of a shot; single ones differ by up to 15 %.
    fps : int
        Frames a second.
    title, year : str, int or None
        Invented where not given.

    Returns
    -------
    Script
        Neighbouring shots are set in different places. About one border in five is a dissolve, where the shots
        are long enough for one.
    """
    rng = np.random.default_rng([seed, 11])
    cast = _cast(rng)
    lengths = np.maximum(2, np.round(shot_seconds * fps * rng.uniform(0.85, 1.15, shots))).astype(int)
    # Each film has its own dissolve, whatever the dice say, as long as there is room for one.
    joins = rng.random(shots) < 0.1
    joins[min(shots - 1, 2)] = True
    planned = _shots(rng, decks, cast, lengths, joins)
    genres = tuple(sorted(GENRES[index] for index in rng.choice(len(GENRES), 2, replace=False)))
    return Script(
        title=title or decks.title(),
        year=year or int(rng.integers(1950, 2024)),
        genres=genres,
        cast=cast,
        shots=planned,
    )


def _shots(
    rng: np.random.Generator, decks: Decks, cast: tuple[Role, ...], lengths: np.ndarray, joins: np.ndarray
) -> tuple[Shot, ...]:
    """Plan shots of these lengths (frames); a border is a dissolve where `joins` says so and both sides are long."""
    planned: list[Shot] = []
    for number in range(len(lengths)):
        room = number > 0 and min(lengths[number - 1], lengths[number]) >= 2 * DISSOLVE_FRAMES[1]
        planned.append(
            Shot(
                scene=_scene(rng, decks, avoid=planned[-1].scene.place if planned else ""),
                seed=int(rng.integers(2**31)),
                frames=int(lengths[number]),
                line=decks.lines.deal() if number % 4 != 3 else None,
                speaker=cast[int(rng.integers(len(cast)))].character,
                text=_text(rng) if number % 4 == 2 else None,
                dissolve_frames=int(rng.integers(*DISSOLVE_FRAMES, endpoint=True)) if joins[number] and room else 0,
            )
        )
    return tuple(planned)


def _cast(rng: np.random.Generator) -> tuple[Role, ...]:
    characters = rng.choice(_CHARACTERS, 3, replace=False)
    families = rng.choice(_FAMILY_NAMES, 3, replace=False)
    firsts = rng.choice(_FIRST_NAMES, 3, replace=False)
    return tuple(Role(f"{f} {n}", str(c)) for f, n, c in zip(firsts, families, characters, strict=True))


def _text(rng: np.random.Generator) -> str:
    return _TEXTS[int(rng.integers(len(_TEXTS)))].format(int(rng.integers(2, 99)))


def _scene(rng: np.random.Generator, decks: Decks, *, avoid: str) -> Scene:
    colour, thing = decks.pair()
    places = [place for place in PLACES if place != avoid]
    return Scene(
        object=thing,
        colour=colour,
        count=int(rng.integers(1, 4)),
        place=places[int(rng.integers(len(places)))],
        time=TIMES[int(rng.integers(len(TIMES)))],
        motion=MOTIONS[int(rng.integers(len(MOTIONS)))],
    )
