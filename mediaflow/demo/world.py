"""What a rendered picture can show: the objects, colours, counts, places and times of day, and their names."""

from __future__ import annotations

from dataclasses import dataclass

# RGB, chosen for hues that stay apart after chroma subsampling and at night.
COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 36, 40),
    "orange": (246, 140, 28),
    "yellow": (247, 223, 48),
    "green": (44, 168, 62),
    "blue": (42, 88, 220),
    "purple": (140, 52, 190),
    "pink": (250, 140, 190),
    "white": (244, 244, 244),
}

PLURALS: dict[str, str] = {
    "car": "cars",
    "boat": "boats",
    "tree": "trees",
    "house": "houses",
    "ball": "balls",
    "bird": "birds",
    "lamp": "lamps",
    "fish": "fish",
    "flower": "flowers",
    "kite": "kites",
    "umbrella": "umbrellas",
    "cup": "cups",
    "rocket": "rockets",
    "mushroom": "mushrooms",
    "chair": "chairs",
    "key": "keys",
}
OBJECTS: tuple[str, ...] = tuple(PLURALS)

PLACE_PHRASES: dict[str, str] = {
    "street": "on a street",
    "forest": "in a forest",
    "beach": "on a beach",
    "desert": "in a desert",
    "room": "in a room",
    "mountains": "in the mountains",
    "snow": "in the snow",
    "meadow": "in a meadow",
}
PLACES: tuple[str, ...] = tuple(PLACE_PHRASES)

COUNTS: tuple[str, ...] = ("one", "two", "three")
TIMES: tuple[str, ...] = ("day", "night")
MOTIONS: tuple[str, ...] = ("still", "left", "right", "rising")


@dataclass(frozen=True, slots=True)
class Scene:
    """What one shot shows: so many things of one kind and colour, somewhere, by day or by night."""

    object: str
    colour: str
    count: int
    place: str
    time: str
    motion: str = "still"

    @property
    def noun(self) -> str:
        """The object's name in the number that the count asks for."""
        return self.object if self.count == 1 else PLURALS[self.object]

    @property
    def caption(self) -> str:
        """One plain English sentence without a verb, e.g. ``two red cars on a street at night``."""
        single = "an" if self.colour[0] in "aeiou" else "a"
        article = single if self.count == 1 else COUNTS[self.count - 1]
        when = "at night" if self.time == "night" else "by day"
        return f"{article} {self.colour} {self.noun} {PLACE_PHRASES[self.place]} {when}"
