"""Links: nobody can make one, they expire, and stay the same for a while."""

from __future__ import annotations

import itertools

import pytest

from mediaflow.serve.cursors import Cursors, Place
from mediaflow.serve.media.links import PERIOD_S, Extract, LinkExpired, Links, WrongLink

KEY = "a key of the tests alone"
HIT = {"snapshot": "00000000000000000001-9d8bf3f7", "title_id": "alpha-2001", "start_ms": 0, "end_ms": 1250, "score": 1}
EXTRACT = Extract("00000000000000000001-9d8bf3f7", "alpha-2001", 0, 1250)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_000_000 * PERIOD_S

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def links(clock: Clock) -> Links:
    return Links(KEY, now_s=clock)


def token(path: str | None) -> str:
    assert path is not None
    return path.rsplit("/", 1)[1].rsplit(".", 1)[0]


def test_a_link_says_what_it_shows_to_whoever_has_the_key(links: Links, clock: Clock) -> None:
    other = Links(KEY, now_s=clock)
    for path in (links.thumbnail(HIT), links.preview(HIT), *links.both(HIT).values()):
        assert other.read(token(path)) == EXTRACT
    assert links.both(HIT) == {"thumbnail_url": links.thumbnail(HIT), "preview_url": links.preview(HIT)}
    assert links.thumbnail(HIT).startswith("/media/thumbnail/") and links.thumbnail(HIT).endswith(".jpg")


def test_where_no_films_are_there_are_no_previews(clock: Clock) -> None:
    links = Links(KEY, previews=False, now_s=clock)
    assert links.preview(HIT) is None and links.both(HIT)["preview_url"] is None
    assert links.read(token(links.thumbnail(HIT))) == EXTRACT


def test_a_link_stays_the_same_for_its_period_and_is_good_until_the_end_of_the_next(links: Links, clock: Clock) -> None:
    first = links.thumbnail(HIT)
    clock.now_s += PERIOD_S - 1
    assert links.thumbnail(HIT) == first
    clock.now_s += 1
    second = links.thumbnail(HIT)
    assert second != first
    clock.now_s += PERIOD_S - 1
    assert links.read(token(first)) == EXTRACT
    clock.now_s += 1
    with pytest.raises(LinkExpired, match="has expired: ask the question again"):
        links.read(token(first))
    assert links.read(token(second)) == EXTRACT


def test_no_character_of_a_link_can_be_another(links: Links) -> None:
    made = token(links.thumbnail(HIT))
    for at, other in itertools.product(range(len(made)), "a0~-"):
        forged = made[:at] + other + made[at + 1 :]
        # Of the last character of a signature not every bit counts.
        if other != made[at] and at < len(made) - 1:
            with pytest.raises(WrongLink):
                links.read(forged)


@pytest.mark.parametrize("forged", ["", "~", "a~b~c~0~1", "ü", "a" * 10_000, "~~~~~"])
def test_what_is_no_link_is_refused(links: Links, forged: str) -> None:
    with pytest.raises(WrongLink, match="no link of this server"):
        links.read(forged)


def test_neither_another_key_nor_a_cursor_opens_anything(links: Links, clock: Clock) -> None:
    with pytest.raises(WrongLink):
        links.read(token(Links("another key of the tests", now_s=clock).thumbnail(HIT)))
    with pytest.raises(WrongLink):
        links.read(Cursors(KEY).write(Place("s", 1), {}))
    assert token(Links(now_s=clock).thumbnail(HIT)) != token(Links(now_s=clock).thumbnail(HIT))
