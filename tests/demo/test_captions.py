"""Captions and what they are true of, and that training never sees what the evaluation asks for."""

from __future__ import annotations

import numpy as np
import pytest

from mediaflow.demo.captions import (
    ATTRIBUTES,
    HELD_OUT_TEMPLATES,
    TRAINING_TEMPLATES,
    Ask,
    caption,
    held_out_pairs,
    keywords,
    random_scene,
    scene_bits,
    with_other,
)
from mediaflow.demo.pictures import GROUP, SIDE, VIEWS, scene_group
from mediaflow.demo.world import COLOURS, OBJECTS, PLACES, Scene

RED_CARS = Scene("car", "red", 2, "street", "night")


def fits(ask: Ask, scene: Scene) -> bool:
    """What `Ask` promises, said once more in plain words."""
    if ask.count is not None:
        number = scene.count == ask.count or not (ask.object or ask.colour)
    else:
        number = scene.count > 1 or not (ask.object or ask.colour)
    others = ((getattr(ask, name), getattr(scene, name)) for name in ("object", "colour", "place", "time"))
    return number and all(asked is None or asked == there for asked, there in others)


def test_masks_say_which_scenes_a_caption_is_true_of() -> None:
    rng = np.random.default_rng(1)
    scenes = [random_scene(rng, held_out=bool(number % 2)) for number in range(150)]
    asks = [Ask.partial(scene, rng) for scene in scenes] + [Ask.whole(scene) for scene in scenes]
    for ask in asks:
        for scene in scenes:
            bits = scene_bits(scene)
            assert (ask.mask() & bits == bits) == fits(ask, scene), (ask, scene)
    assert all(fits(ask, scene) for ask, scene in zip(asks, scenes + scenes, strict=True))


@pytest.mark.parametrize(
    ("ask", "template", "expected"),
    [
        (Ask.whole(RED_CARS), "{what} {where} {when}", {"two red cars on a street at night"}),
        (Ask("car", "red", 1, False, None, None), "{when}, {what}, {where}", {"a red car"}),
        (Ask("umbrella", "orange", 1, False, None, "day"), "{where} {when}, {what}", {"by day, an orange umbrella"}),
        (Ask(None, "red", None, True, "beach", None), "{what} {where} {when}", {"red things on a beach"}),
        (Ask(None, None, None, False, "room", "night"), "{what} {where} {when}", {"a scene in a room at night"}),
    ],
)
def test_captions_are_sentences_with_nothing_left_over(ask: Ask, template: str, expected: set[str]) -> None:
    rng = np.random.default_rng(2)
    texts = {caption(ask, template, rng) for _ in range(400)}
    assert expected <= texts
    assert not any("  " in text or ", ," in text or text.strip(" ,") != text or "None" in text for text in texts)


def test_keywords_are_bare_words() -> None:
    assert keywords(Ask.whole(RED_CARS)) == "two red cars street night"
    assert keywords(Ask("fish", None, 1, False, None, "day")) == "fish day"


def test_training_pictures_never_show_a_held_out_pair_nor_sentences_a_held_out_template() -> None:
    scenes = [scene for seed in range(12) for scene in scene_group(seed)[0]]
    assert not any(held_out_pairs(scene) for scene in scenes)
    assert not set(TRAINING_TEMPLATES) & set(HELD_OUT_TEMPLATES)


def test_every_object_has_a_colour_and_places_held_out_and_others_not() -> None:
    for thing in OBJECTS:
        colours = [c for c in COLOURS if "colour x object" in held_out_pairs(Scene(thing, c, 1, "street", "day"))]
        places = [p for p in PLACES if "object x place" in held_out_pairs(Scene(thing, "red", 1, p, "day"))]
        assert (len(colours), len(places)) == (1, 1)


def test_a_group_differs_from_its_first_scene_in_one_attribute_each() -> None:
    scenes, pictures = scene_group(3)
    assert pictures.shape == (GROUP, VIEWS, SIDE, SIDE, 3)
    for other in scenes[1:]:
        assert sum(getattr(other, name) != getattr(scenes[0], name) for name in ATTRIBUTES) == 1
    same_scenes, same_pictures = scene_group(3)
    assert scenes == same_scenes
    assert np.array_equal(pictures, same_pictures)


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_with_other_changes_one_attribute_and_reaches_every_value(attribute: str) -> None:
    rng = np.random.default_rng(4)
    others = [with_other(RED_CARS, attribute, rng) for _ in range(200)]
    assert all(getattr(other, attribute) != getattr(RED_CARS, attribute) for other in others)
    assert all(sum(getattr(o, name) != getattr(RED_CARS, name) for name in ATTRIBUTES) == 1 for o in others)
    reached = {"object": 15, "colour": 7, "count": 2, "place": 7, "time": 1}
    assert len({getattr(other, attribute) for other in others}) == reached[attribute]
