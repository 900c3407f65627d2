"""Kodi's `.nfo` as it is found in the wild."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaflow.catalog.nfo import parse_nfo
from tests.catalog.library import Library

MOVIE = """<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>
<!-- created on 2020-01-01 -->
<movie>
  <title>Spirited  Away</title><originaltitle>千と千尋の神隠し</originaltitle>
  <year>2001</year><premiered>2001-07-20</premiered>
  <genre>Animation</genre><genre>Fantasy / Family</genre>
  <plot>First line.
Second   line.</plot>
  <languages>ja, eng</languages>
  <fileinfo><streamdetails><audio><language>ger</language></audio></streamdetails></fileinfo>
  <actor><name>Miyu Irino</name><role>Haku</role><order>1</order></actor>
  <actor><name>Rumi Hiiragi</name><role>Chihiro</role><order>0</order></actor>
  <actor><name>Mari Natsuki</name><role>Yubaba</role></actor>
  <actor><name>Mari Natsuki</name><role>Zeniba</role></actor>
  <actor><name></name><role>Nobody</role></actor>
  <actor><name>Akio Nakamura</name></actor>
</movie>
https://www.themoviedb.org/movie/129?a=1&b=2
"""


def test_movie() -> None:
    facts, problem = parse_nfo(MOVIE.encode())
    assert problem is None
    assert facts == {
        "kind": "movie",
        "title": "Spirited Away",
        "original_title": "千と千尋の神隠し",
        "year": 2001,
        "genres": ("Animation", "Fantasy", "Family"),
        "languages": ("ja", "en"),
        "plot": "First line.\nSecond line.",
        "people": (
            ("Rumi Hiiragi", "Chihiro"),
            ("Miyu Irino", "Haku"),
            ("Mari Natsuki", "Yubaba"),
            ("Mari Natsuki", "Zeniba"),
            ("Akio Nakamura", None),
        ),
    }


def test_episodes_in_a_row() -> None:
    one = "<episodedetails><title>{}</title><season>1</season><episode>{}</episode><aired>2004-09-22</aired>"
    one += "</episodedetails>"
    facts, problem = parse_nfo((one.format("Pilot", 1) + "\n<?xml version='1.0'?>\n" + one.format("Two", 2)).encode())
    assert problem is None
    assert facts == {
        "kind": "episode", "title": "Pilot / Two", "year": 2004, "season": 1, "episode": 1, "episode_end": 2,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("data", "title"),
    [
        ("<movie><title>Amélie</title></movie>".encode("utf-8-sig"), "Amélie"),
        ("<?xml version='1.0' encoding='utf-16'?><movie><title>Amélie</title></movie>".encode("utf-16"), "Amélie"),
        ("<?xml version='1.0' encoding='ISO-8859-1'?><movie><title>Amélie</title></movie>".encode("latin-1"), "Amélie"),
        (b"<movie><title>a&amp;b &#x41;</title></movie>", "a&b A"),
        (b"<movie><title><![CDATA[<b>]]></title></movie>", "<b>"),
        (b"<movie/>", None),
        (b"https://www.imdb.com/title/tt0078748/\n", None),
        (b"", None),
    ],
)
def test_spellings(data: bytes, title: str | None) -> None:
    facts, problem = parse_nfo(data)
    assert (facts.get("title"), problem) == (title, None)


BOMB = b"""<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>
<movie><title>&b;</title></movie>"""
FILE = b"""<!DOCTYPE movie [<!ENTITY x SYSTEM "file:///etc/hostname">]><movie><title>&x;</title></movie>"""
INNER = b"""<movie><!DOCTYPE x [<!ENTITY a "b">]><title>&a;</title></movie>"""


@pytest.mark.parametrize("data", [BOMB, FILE, INNER, b"<movie><title>a & b</title></movie>", b"<movie>" * 100_000])
def test_broken_or_hostile_is_told_and_gives_nothing(data: bytes) -> None:
    facts, problem = parse_nfo(data)
    assert facts == {}
    assert problem is not None
    assert "mend it" in problem


@given(st.integers(0, len(MOVIE)), st.integers(0, 40), st.binary(max_size=8))
def test_no_damage_raises(start: int, length: int, instead: bytes) -> None:
    data = MOVIE.encode()
    facts, problem = parse_nfo(data[:start] + instead + data[start + length :])
    assert problem is None or (facts == {} and problem)


@pytest.mark.parametrize("encoding", ["idna", "punycode", "hex", "undefined", "no-such", "utf-7", "unicode_escape"])
def test_odd_encodings(encoding: str) -> None:
    facts, problem = parse_nfo(f"<?xml version='1.0' encoding='{encoding}'?><movie><title>+2AA-é\\ud800".encode())
    assert facts == {}
    assert problem is not None


def test_a_namespace_is_no_kodi_file() -> None:
    facts, problem = parse_nfo(b"<movie xmlns='urn:x'><title>a</title></movie>")
    assert (facts, problem is None) == ({}, False)


def test_series_facts_reach_the_episodes(library: Library) -> None:
    library.write("Show/Season 1/Show S01E01.mkv")
    library.write(
        "Show/tvshow.nfo",
        "<tvshow><title>The Show</title><year>2010</year><genre>Crime</genre><plot>of the series</plot>"
        "<actor><name>Ann</name><role>Cop</role></actor></tvshow>",
    )
    library.write("Show/title.json", '{"languages": ["en"], "fields": {"network": "N1", "rank": 3}}')
    library.write(
        "Show/Season 1/Show S01E01.nfo",
        "<episodedetails><title>Pilot</title><showtitle>Show, The</showtitle><aired>2011-01-01</aired>"
        "<actor><name>Guest</name><role>Thief</role></actor><actor><name>Ann</name><role>Cop</role></actor>"
        "</episodedetails>",
    )
    library.write("Show/Season 1/Show S01E01.json", '{"fields": {"rank": 1}}')
    library.refresh()
    entry = library.title("the-show-s01e01").entry
    assert (entry.series, entry.title, entry.year, entry.genres) == ("The Show", "Pilot", 2011, ("Crime",))
    assert [(person.talent, person.character, person.order) for person in entry.people] == [
        ("Ann", "Cop", 0),
        ("Guest", "Thief", 1),
    ]
    assert (entry.plot, entry.languages, entry.fields) == (None, ("en",), {"network": "N1", "rank": 1})
