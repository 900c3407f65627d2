"""Folders as people lay them out, and the titles that they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.catalog.library import Library

EXTRAS = "trailers, samples and extras of a title"
LOOSE = "subtitle that belongs to no video here"
LEFT_OUT = "subtitle of a video that is left out"
VERSION = "another version of a film that is there already"


@dataclass(frozen=True)
class Tree:
    """A layout: `files` in, expected facts by title id out."""

    name: str
    files: str
    titles: dict[str, dict[str, Any]]
    ignored: dict[tuple[str, str], int] = field(default_factory=dict)
    contents: dict[str, str] = field(default_factory=dict)


def facts(title: str, kind: str = "video", year: int | None = None, **more: Any) -> dict[str, Any]:
    return {"title": title, "kind": kind, "year": year} | more


def episode(title: str, series: str, season: int | None, number: int | None, **more: Any) -> dict[str, Any]:
    return facts(title, "episode", more.pop("year", None), series=series, season=season, episode=number, **more)


FILMS = [
    Tree(
        "film in its folder",
        "Alien (1979)/Alien (1979).mkv, Alien (1979)/Alien (1979).en.srt, Alien (1979)/Alien (1979).de.forced.vtt, "
        "Alien (1979)/Alien (1979).ja.sdh.ass, Alien (1979)/poster.jpg, Alien (1979)/fanart.jpg",
        {
            "alien-1979": facts(
                "Alien",
                "movie",
                1979,
                subtitles="Alien (1979).de.forced.vtt, Alien (1979).en.srt, Alien (1979).ja.sdh.ass",
            )
        },
        {("Alien (1979)", "image"): 2},
    ),
    Tree("bare file", "holiday_beach.mp4", {"holiday-beach": facts("holiday beach")}),
    Tree("bare file with year", "Heat (1995).mp4", {"heat-1995": facts("Heat", "movie", 1995)}),
    Tree(
        "number as title",
        "2012 (2009).mkv, 1917.mkv",
        {"2012-2009": facts("2012", "movie", 2009), "1917": facts("1917")},
    ),
    Tree(
        "release name",
        "The.Long.Film.2010.1080p.BluRay.x264-GRP.mkv",
        {"the-long-film-2010": facts("The Long Film", "movie", 2010)},
    ),
    Tree(
        "release name in a clean folder",
        "Movies/Alien (1979) {tmdb-348}/alien.1979.2160p.hevc-grp.mkv",
        {"alien-1979": facts("Alien", "movie", 1979)},
    ),
    Tree(
        "folder without year does not rename",
        "Movies/Heat.mkv, Movies/notes.txt",
        {"heat": facts("Heat")},
        {("Movies", "text"): 1},
    ),
    Tree(
        "any script",
        "千と千尋の神隠し (2001).mkv, Сталкер (1979).mkv, Amélie (2001).mkv",
        {
            "qian-toqian-xun-noshen-yin-si-2001": facts("千と千尋の神隠し", "movie", 2001),
            "stalker-1979": facts("Сталкер", "movie", 1979),
            "amelie-2001": facts("Amélie", "movie", 2001),
        },
    ),
    Tree(
        "parts are one title",
        "Epic (1960)/Epic (1960) - cd1.avi, Epic (1960)/Epic (1960) - cd2.avi, Epic (1960)/Epic (1960).en.srt",
        {"epic-1960": facts("Epic", "movie", 1960, media=2, subtitles="Epic (1960).en.srt")},
    ),
    Tree(
        "parts need the first",
        "Epic - cd2.avi, Epic - cd3.avi",
        {"epic-cd2": facts("Epic - cd2"), "epic-cd3": facts("Epic - cd3")},
    ),
    Tree(
        "part one and two of a saga stay two films",
        "Saga Part 1.mkv, Saga Part 2.mkv, Other.mkv",
        {"saga-part-1": facts("Saga Part 1"), "saga-part-2": facts("Saga Part 2"), "other": facts("Other")},
    ),
    Tree(
        "versions",
        "Heat (1995)/Heat (1995) - 2160p.mkv, Heat (1995)/Heat (1995) - 1080p.mkv, Heat (1995)/Heat (1995).mkv, "
        "Heat (1995)/Heat (1995).en.srt, Heat (1995)/Heat (1995) - 2160p.de.srt",
        {"heat-1995": facts("Heat", "movie", 1995, path="Heat (1995)/Heat (1995).mkv", subtitles="Heat (1995).en.srt")},
        {("Heat (1995)", VERSION): 2, ("Heat (1995)", LEFT_OUT): 1},
    ),
    Tree(
        "lectures are no versions",
        "Lectures/Lectures - Algebra.mp4, Lectures/Lectures - Geometry.mp4",
        {"lectures-algebra": facts("Lectures - Algebra"), "lectures-geometry": facts("Lectures - Geometry")},
    ),
    Tree(
        "extras of a film",
        "Heat (1995)/Heat (1995).mkv, Heat (1995)/Heat (1995)-trailer.mp4, Heat (1995)/sample.mkv, "
        "Heat (1995)/extras/How.mkv, Heat (1995)/Trailers/Two.mkv, Heat (1995)/Heat (1995)-trailer.en.srt",
        {"heat-1995": facts("Heat", "movie", 1995, subtitles="")},
        {
            ("Heat (1995)", EXTRAS): 2,
            ("Heat (1995)", LEFT_OUT): 1,
            ("Heat (1995)/extras", EXTRAS): 1,
            ("Heat (1995)/Trailers", EXTRAS): 1,
        },
    ),
    Tree(
        "a trailer without its film",
        "Heat (1995)/Heat (1995)-trailer.mp4",
        {},
        {("Heat (1995)", EXTRAS): 1},
    ),
    Tree(
        "a collection of trailers and clips",
        "trailers/Heat.mkv, clips/Cat.mp4, Dog-trailer.mp4, Cow.mp4, Cow-trailer.mp4",
        {"heat": facts("Heat"), "cat": facts("Cat"), "dog-trailer": facts("Dog-trailer"), "cow": facts("Cow")},
        {(".", EXTRAS): 1},
    ),
]

SERIES = [
    Tree(
        "series with seasons",
        "Lost Ark/Season 01/Lost Ark - S01E01 - Pilot.mkv, Lost Ark/Season 01/Lost Ark - S01E01 - Pilot.en.srt, "
        "Lost Ark/Season 01/Lost Ark - S01E02-E03.mkv, Lost Ark/Specials/Lost Ark - S00E01 - Christmas.mkv, "
        "Lost Ark/tvshow.nfo, Lost Ark/Season 01/Lost Ark - S01E01 - Pilot.nfo",
        {
            "lost-ark-s01e01": episode(
                "The Pilot", "Lost Ark", 1, 1, year=2004, subtitles="Lost Ark - S01E01 - Pilot.en.srt"
            ),
            "lost-ark-s01e02-e03": episode("Lost Ark S01E02", "Lost Ark", 1, 2, year=2003, episode_end=3),
            "lost-ark-s00e01": episode("Christmas", "Lost Ark", 0, 1, year=2003, genres=("Drama",)),
        },
        contents={
            "Lost Ark/tvshow.nfo": "<tvshow><title>Lost Ark</title><year>2003</year><genre>Drama</genre></tvshow>",
            "Lost Ark/Season 01/Lost Ark - S01E01 - Pilot.nfo": "<episodedetails><title>The Pilot</title>"
            "<aired>2004-02-01</aired></episodedetails>",
        },
    ),
    Tree(
        "short names inside of a season",
        "Show (2008)/Season 1/01 - Pilot.mkv, Show (2008)/Season 1/Episode 2.mkv, Show (2008)/Staffel 2/E05.mkv",
        {
            "show-s01e01": episode("Pilot", "Show", 1, 1, year=2008),
            "show-s01e02": episode("Show S01E02", "Show", 1, 2, year=2008),
            "show-s02e05": episode("Show S02E05", "Show", 2, 5, year=2008),
        },
    ),
    Tree(
        "bare episodes",
        "Show.S01E02.Some.Title.1080p.WEB-DL.mkv, Other 3x04.mkv",
        {"show-s01e02": episode("Some Title", "Show", 1, 2), "other-s03e04": episode("Other S03E04", "Other", 3, 4)},
    ),
    Tree(
        "episodes in the series' folder",
        "Show/S01E01.mkv, Show/S01E02.mkv",
        {"show-s01e01": episode("Show S01E01", "Show", 1, 1), "show-s01e02": episode("Show S01E02", "Show", 1, 2)},
    ),
    Tree(
        "unnumbered file of a series",
        "Show/tvshow.nfo, Show/Making of.mkv, Show/Show - 07.mkv",
        {"show-making-of": episode("Making of", "Show", None, None), "show-e07": episode("Show E07", "Show", None, 7)},
        contents={"Show/tvshow.nfo": "<tvshow><title>Show</title></tvshow>"},
    ),
    Tree(
        "extras of a series",
        "Show/Season 1/Show S01E01.mkv, Show/Extras/Cast.mkv, Show/trailer.mp4",
        {"show-s01e01": episode("Show S01E01", "Show", 1, 1)},
        {("Show/Extras", EXTRAS): 1, ("Show", EXTRAS): 1},
    ),
]

SIDECARS = [
    Tree(
        "each video has its own",
        "a.mp4, a2.mp4, a.en.srt, a2.en.srt, a2.de.srt, A.FR.VTT, b.srt, a3.en.srt",
        {"a": facts("a", subtitles="A.FR.VTT, a.en.srt"), "a2": facts("a2", subtitles="a2.de.srt, a2.en.srt")},
        {(".", LOOSE): 2},
    ),
    Tree(
        "the only video takes all",
        "film.mp4, wwa_captions_en.vtt, sintel-de.vtt",
        {"film": facts("film", subtitles="sintel-de.vtt, wwa_captions_en.vtt")},
    ),
    Tree(
        "TTML by its content",
        "film.mp4, film.en.xml, film.de.ttml, film.fr.dfxp, film.data.xml, film.sub",
        {"film": facts("film", subtitles="film.de.ttml, film.en.xml, film.fr.dfxp")},
        {(".", "no media file"): 1, (".", "subtitle format that is not read (SRT, WebVTT, ASS and TTML are)"): 1},
        {"film.en.xml": "<?xml version='1.0'?>\n<tt xmlns='http://www.w3.org/ns/ttml'/>", "film.data.xml": "<ttx/>"},
    ),
    Tree(
        "folder of subtitles",
        "Heat (1995)/Heat.mkv, Heat (1995)/Subs/2_English.srt, Heat (1995)/Subs/Heat.de.srt",
        {"heat-1995": facts("Heat", "movie", 1995, subtitles="Subs/2_English.srt, Subs/Heat.de.srt")},
    ),
    Tree(
        "folder of subtitles by episode",
        "S/Season 1/S S01E01.mkv, S/Season 1/S S01E02.mkv, S/Season 1/Subs/S S01E02/2_English.srt, "
        "S/Season 1/Subs/other.srt",
        {
            "s-s01e01": episode("S S01E01", "S", 1, 1, subtitles=""),
            "s-s01e02": episode("S S01E02", "S", 1, 2, subtitles="Subs/S S01E02/2_English.srt"),
        },
        {("S/Season 1", LOOSE): 1},
    ),
]

NO_MEDIA = [
    Tree(
        "streaming trees",
        "film.mp4, dash/manifest.mpd, dash/video_init.mp4, dash/v/1.m4s, hls/master.m3u8, hls/seg1.ts, "
        "plain/list.m3u8, plain/clip.mp4",
        {"film": facts("film"), "clip": facts("clip")},
        {
            ("dash", "streaming tree (DASH, HLS)"): 3,
            ("hls", "streaming tree (DASH, HLS)"): 2,
            ("plain", "playlist or streaming manifest"): 1,
        },
        {"hls/master.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:4\nseg1.ts\n", "plain/list.m3u8": "#EXTM3U\nclip.mp4\n"},
    ),
    Tree(
        "a stray manifest hides no library",
        "film.mp4, stray.mpd",
        {"film": facts("film")},
        {(".", "playlist or streaming manifest"): 1},
    ),
    Tree(
        "other things",
        "film.mp4, .hidden.mp4, @eaDir/film.mp4/x.jpg, film2.mkv.part, ~x.mp4, Thumbs.db, song.mp3, disc.iso, a.zip, "
        "VIDEO_TS/VTS_01_1.VOB, private/.nomedia, private/x.mp4, film.info.json",
        {"film": facts("film")},
        {
            (".", "hidden or system file or folder"): 3,
            (".", "unfinished or temporary file"): 2,
            (".", "sound without picture"): 1,
            (".", "disc image"): 1,
            (".", "archive"): 1,
            (".", "no media file"): 1,
            ("VIDEO_TS", "disc folder (DVD, Blu-ray)"): 1,
            ("private", "folder marked with .ignore or .nomedia"): 2,
        },
    ),
    Tree("bad bytes are a title all the same", "broken.mp4", {"broken": facts("broken")}, contents={"broken.mp4": ""}),
]


@pytest.mark.parametrize("tree", [*FILMS, *SERIES, *SIDECARS, *NO_MEDIA], ids=lambda tree: tree.name)
def test_layout(library: Library, tree: Tree) -> None:
    for path in tree.files.split(", "):
        library.write(path, tree.contents.get(path))
    library.refresh()
    assert set(library.catalog.titles) == set(tree.titles)
    for title_id, expected in tree.titles.items():
        record = library.title(title_id)
        folder = record.path.rpartition("/")[0]
        shown = {name: getattr(record.entry, name) for name in expected if hasattr(record.entry, name)}
        shown |= {"path": record.path, "media": len(record.media)}
        shown["subtitles"] = ", ".join(file.path.removeprefix(folder).lstrip("/") for file in record.subtitles)
        assert {name: shown[name] for name in expected} == expected
    assert library.reasons() == tree.ignored
    assert library.last.problems == []


def test_a_known_version_stays_when_a_better_one_comes(library: Library) -> None:
    library.write("Heat (1995)/Heat (1995) - 2160p.mkv")
    library.refresh()
    library.write("Heat (1995)/Heat (1995).mkv")
    assert library.refresh().catalog.n == 1
    assert library.ids() == {"Heat (1995)/Heat (1995) - 2160p.mkv": "heat-1995"}
