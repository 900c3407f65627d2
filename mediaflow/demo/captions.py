"""English captions of scenes, whole or partial, and which of them training never sees."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from mediaflow.demo.world import COLOURS, OBJECTS, PLACES, PLURALS, TIMES, Scene

_COUNT_WORDS: tuple[tuple[str, ...], ...] = (("one", "a single", "1"), ("two", "a pair of", "2"), ("three", "3"))
_PLACE_WORDS: dict[str, tuple[str, ...]] = {
    "street": ("on a street", "on the street", "in a street"),
    "forest": ("in a forest", "in the forest", "in the woods"),
    "beach": ("on a beach", "on the beach", "at the beach"),
    "desert": ("in a desert", "in the desert"),
    "room": ("in a room", "in the room", "inside a room"),
    "mountains": ("in the mountains", "in front of mountains", "near the mountains"),
    "snow": ("in the snow", "on snow", "in a snowy landscape"),
    "meadow": ("in a meadow", "on a meadow", "in the meadow"),
}
_TIME_WORDS: dict[str, tuple[str, ...]] = {
    "day": ("by day", "in the daytime", "in daylight", "during the day"),
    "night": ("at night", "by night", "in the dark", "during the night"),
}

_VALUES: dict[str, tuple[str | int, ...]] = {
    "object": OBJECTS,
    "colour": tuple(COLOURS),
    "count": (1, 2, 3),
    "place": PLACES,
    "time": TIMES,
}
ATTRIBUTES: tuple[str, ...] = tuple(_VALUES)

# {what} is always there; {where} and {when} vanish with their commas where a caption leaves them out.
TRAINING_TEMPLATES: tuple[str, ...] = (
    "{what} {where} {when}",
    "{what}, {where}, {when}",
    "{what} {when} {where}",
    "{where} {when}, {what}",
    "{when} {where}, {what}",
    "{when}, {what} {where}",
    "a picture of {what} {where} {when}",
    "a photo of {what}, {when}, {where}",
    "there is {what} {where} {when}",
    "the film shows {what} {where} {when}",
    "here is {what}, {when} and {where}",
    "{where} there is {what} {when}",
    "{when} there was nothing but {what} {where}",
    "a frame with {what}, taken {where} {when}",
    "one can make out {what} {where}, {when}",
    "nobody knew why {what} stood {where} {when}",
)
HELD_OUT_TEMPLATES: tuple[str, ...] = (
    "{where}, the camera finds {what} {when}",
    "this shot has {what} in it, {when}, {where}",
    "{when} we see {what}, all of it {where}",
    "look for {what} that can be seen {where} {when}",
)


@dataclass(frozen=True, slots=True)
class Ask:
    """What a caption says; None is left open. `plural` without a count means two or three."""

    object: str | None
    colour: str | None
    count: int | None
    plural: bool
    place: str | None
    time: str | None

    @classmethod
    def whole(cls, scene: Scene) -> Ask:
        """Ask for everything that the scene has."""
        return cls(scene.object, scene.colour, scene.count, scene.count > 1, scene.place, scene.time)

    @classmethod
    def partial(cls, scene: Scene, rng: np.random.Generator) -> Ask:
        """Leave some of it open: what stays is drawn at random, and is never nothing."""
        thing, colour, count, place, time = rng.random(5) < (0.9, 0.8, 0.75, 0.7, 0.7)
        thing = bool(thing or not (colour or place or time))
        return cls(
            object=scene.object if thing else None,
            colour=scene.colour if colour else None,
            # "a red car" says one, "red cars" says more than one: only a number of two or three can be left out.
            count=scene.count if count or scene.count == 1 else None,
            plural=scene.count > 1,
            place=scene.place if place else None,
            time=scene.time if time else None,
        )

    def mask(self) -> int:
        """The scenes that fit, as bits: one per value of each attribute; see `scene_bits`."""
        bits = _bits(OBJECTS, self.object) | _bits(tuple(COLOURS), self.colour) << 16
        counts = 0b111 if not self.names_number else 1 << self.count - 1 if self.count else 0b110
        return bits | counts << 24 | _bits(PLACES, self.place) << 27 | _bits(TIMES, self.time) << 35

    @property
    def names_number(self) -> bool:
        """Whether the caption's noun tells how many there are: a caption of a place alone has none."""
        return self.object is not None or self.colour is not None


def scene_bits(scene: Scene) -> int:
    """Give the five bits of a scene; a caption fits where its mask holds them all."""
    return Ask.whole(scene).mask()


def caption(ask: Ask, template: str, rng: np.random.Generator) -> str:
    """Put what is asked for into words.

    Parameters
    ----------
    ask : Ask
        What to say.
    template : str
        From `TRAINING_TEMPLATES` or `HELD_OUT_TEMPLATES`.
    rng : numpy.random.Generator
        Chooses among words of the same meaning.

    Returns
    -------
    str
        Lower case, without a full stop.
    """

    def one_of(words: tuple[str, ...]) -> str:
        return words[int(rng.integers(len(words)))]

    where = one_of(_PLACE_WORDS[ask.place]) if ask.place else ""
    when = one_of(_TIME_WORDS[ask.time]) if ask.time else ""
    text = template.format(what=_what(ask, rng), where=where, when=when)
    parts = (" ".join(part.split()) for part in text.split(","))
    return ", ".join(part for part in parts if part)


def keywords(ask: Ask) -> str:
    """Put what is asked for as bare words, e.g. ``two red cars street night``."""
    number = ask.count if ask.names_number and ask.count != 1 else None
    noun = PLURALS[ask.object] if ask.object and ask.plural else ask.object
    words = (_COUNT_WORDS[number - 1][0] if number else None, ask.colour, noun, ask.place, ask.time)
    return " ".join(word for word in words if word)


def _what(ask: Ask, rng: np.random.Generator) -> str:
    if not ask.names_number:
        return "a scene"
    noun = (PLURALS[ask.object] if ask.plural else ask.object) if ask.object else ("things" if ask.plural else "thing")
    words = f"{ask.colour} {noun}" if ask.colour else noun
    if ask.count is None:
        return ("some " if rng.random() < 0.3 else "") + words
    if ask.count == 1 and rng.random() < 0.7:
        return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"
    numbers = _COUNT_WORDS[ask.count - 1]
    return f"{numbers[int(rng.integers(len(numbers)))]} {words}"


def _bits(values: tuple[str, ...], value: str | None) -> int:
    return (1 << len(values)) - 1 if value is None else 1 << values.index(value)


def held_out_pairs(scene: Scene) -> tuple[str, ...]:
    """Name the pairs of attributes in a scene that training never shows together.

    One colour in eight and one place in eight are held out for each object.

    Returns
    -------
    tuple of str
        Of ``colour x object`` and ``object x place``.
    """
    thing, colour, place = OBJECTS.index(scene.object), list(COLOURS).index(scene.colour), PLACES.index(scene.place)
    pairs = {
        "colour x object": (colour + 3 * thing) % 8 == 0,
        "object x place": (thing + 5 * place) % 8 == 3,
    }
    return tuple(name for name, held in pairs.items() if held)


def random_scene(rng: np.random.Generator, *, held_out: bool) -> Scene:
    """Draw a scene evenly among those that training sees, or evenly among those that it never sees."""
    while True:
        scene = Scene(
            object=OBJECTS[int(rng.integers(len(OBJECTS)))],
            colour=list(COLOURS)[int(rng.integers(len(COLOURS)))],
            count=int(rng.integers(1, 4)),
            place=PLACES[int(rng.integers(len(PLACES)))],
            time=TIMES[int(rng.integers(len(TIMES)))],
        )
        if bool(held_out_pairs(scene)) == held_out:
            return scene


def values_of(attribute: str) -> tuple[str | int, ...]:
    """Give all values of an attribute: `object`, `colour`, `count`, `place` or `time`."""
    return _VALUES[attribute]


def changed(scene: Scene, attribute: str, value: str | int) -> Scene:
    """Give a scene with another value for one attribute."""
    return Scene(**{**asdict(scene), attribute: value})


def with_other(scene: Scene, attribute: str, rng: np.random.Generator) -> Scene:
    """Give a scene with another value for one attribute, drawn evenly."""
    others = [value for value in _VALUES[attribute] if value != getattr(scene, attribute)]
    return changed(scene, attribute, others[int(rng.integers(len(others)))])
