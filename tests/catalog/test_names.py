"""What names say, as a table of cases."""

from __future__ import annotations

import pytest

from mediaflow.catalog.names import episode_of, extra_base, named_title, part_of, season_of, version_label


@pytest.mark.parametrize(
    ("name", "title", "year"),
    [
        ("Alien (1979)", "Alien", 1979),
        ("Alien [1979]", "Alien", 1979),
        ("Alien.(1979).Directors.Cut", "Alien", 1979),
        ("2001 A Space Odyssey (1968) {imdb-tt0062622}", "2001 A Space Odyssey", 1968),
        ("Blade Runner 2049", "Blade Runner 2049", None),
        ("Blade.Runner.2049.2017.1080p.BluRay.x264-GRP", "Blade Runner 2049", 2017),
        ("Dr. Strange", "Dr. Strange", None),
        ("Mr.Robot", "Mr Robot", None),
        ("sintel_26s_480p", "sintel 26s 480p", None),
        ("holiday_2019_beach", "holiday 2019 beach", None),
        ("Cafe\u0301 (2001)", "Caf\u00e9", 2001),
        ("千と千尋の神隠し (2001)", "千と千尋の神隠し", 2001),
    ],
)
def test_title_and_year(name: str, title: str, year: int | None) -> None:
    assert named_title(name) == (title, year)


@pytest.mark.parametrize(
    ("stem", "season", "numbers"),
    [
        ("Show - S01E02", None, (1, 2, None)),
        ("show.s1e2.title", None, (1, 2, None)),
        ("Show S01 E02", None, (1, 2, None)),
        ("Show 1x02", None, (1, 2, None)),
        ("Show S01E02-E04", None, (1, 2, 4)),
        ("Show S01E02E03", None, (1, 2, 3)),
        ("Show S01E02-03", None, (1, 2, 3)),
        ("Show S2020E105", None, (2020, 105, None)),
        ("Show S01E02 - 1080p", None, (1, 2, None)),
        ("E07", 3, (3, 7, None)),
        ("Episode 7 - Name", 3, (3, 7, None)),
        ("07 - Name", 3, (3, 7, None)),
        ("S02E07", 3, (2, 7, None)),
        ("E07", None, None),
        ("Film 1920x1080", None, None),
        ("Rush 2x4", None, None),
        ("Class1e2", None, None),
        ("2012", 1, None),
    ],
)
def test_episode(stem: str, season: int | None, numbers: tuple[int | None, int, int | None] | None) -> None:
    found = episode_of(stem, season)
    assert (None if found is None else (found.season, found.episode, found.end)) == numbers


@pytest.mark.parametrize(
    ("folder", "season"),
    [
        ("Season 01", 1),
        ("season 1 (2010)", 1),
        ("S02", 2),
        ("Staffel 3", 3),
        ("Saison 4", 4),
        ("Temporada 5", 5),
        ("Specials", 0),
        ("Season", None),
        ("S.W.A.T.", None),
        ("Seasons of Love", None),
        ("S1mone (2002)", None),
    ],
)
def test_season_folder(folder: str, season: int | None) -> None:
    assert season_of(folder) == season


@pytest.mark.parametrize(
    ("stem", "part"),
    [
        ("Film - cd1", ("Film", "cd", 1)),
        ("Film (disc 2)", ("Film", "disc", 2)),
        ("Film.pt3", ("Film", "pt", 3)),
        ("Film Part B", ("Film", "part", 2)),
        ("cd1", None),
        ("Depart1", None),
        ("abcd1", None),
    ],
)
def test_part(stem: str, part: tuple[str, str, int] | None) -> None:
    assert part_of(stem) == part


@pytest.mark.parametrize(
    ("stem", "base"),
    [
        ("Film-trailer", "Film"),
        ("Film - trailer", "Film"),
        ("film.sample", "film"),
        ("trailer", ""),
        ("Film (2010)-behindthescenes", "Film (2010)"),
        ("Big Short", None),
        ("resample", None),
        ("Trailer Park", None),
        ("bbb_trailer_vp8", None),
    ],
)
def test_extra(stem: str, base: str | None) -> None:
    assert extra_base(stem) == base


@pytest.mark.parametrize(
    ("stem", "folder", "label"),
    [
        ("Film (2010)", "Film (2010)", ""),
        ("Film (2010) - Director's Cut", "Film (2010)", "Director's Cut"),
        ("film (2010) [1080p]", "Film (2010)", "1080p"),
        ("Film - 4K HDR", "Film", "4K HDR"),
        ("Film - Geometry", "Film", None),
        ("Film (2010)b", "Film (2010)", None),
    ],
)
def test_version(stem: str, folder: str, label: str | None) -> None:
    assert version_label(stem, folder) == label


@pytest.mark.timeout(5)
@pytest.mark.parametrize("name", ["-" * 250 + "x", "(" * 250, "s1e1-" * 50, ". " * 120, "1x01" * 60, "[a " * 80])
def test_no_name_takes_long(name: str) -> None:
    named_title(name)
    episode_of(name, 1)
    part_of(name)
    extra_base(name)
    version_label(name, name[:3])
