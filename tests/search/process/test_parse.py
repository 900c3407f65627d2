"""What users type: timecodes, years, languages, shots and conditions, and a sentence for each that is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaflow.cli.output import timecode
from mediaflow.errors import UsageError
from mediaflow.search.process.parse import (
    Options,
    parse_language,
    parse_query,
    parse_range,
    parse_shot,
    parse_sort,
    parse_timecode,
    parse_where,
    parse_years,
)
from mediaflow.search.query import (
    Condition,
    Dialogue,
    Filters,
    FreeText,
    Query,
    SimilarToClip,
    SimilarToPicture,
    SimilarToRange,
    SimilarToShot,
    SortBy,
    Visual,
    Where,
)

TIMECODES = [
    ("0", 0),
    ("12", 12_000),
    ("12.5", 12_500),
    ("12,5", 12_500),
    ("90", 90_000),
    ("1:02", 62_000),
    ("90:00", 5_400_000),
    ("00:01:02.500", 62_500),
    ("1:02:03", 3_723_000),
    ("100:00:00.001", 360_000_001),
    ("0.0004", 0),
    ("0.0005", 1),
    (" 5 ", 5_000),
]


@pytest.mark.parametrize(("text", "expected"), TIMECODES, ids=[text for text, _ in TIMECODES])
def test_timecodes_are_read(text: str, expected: int) -> None:
    assert parse_timecode(text) == expected


@pytest.mark.parametrize(
    "text", ["", "x", "1:60", "1:60:00", "1:00:60", "-1", "1:2:3:4", "1.", ".5", "1e3", "٣", "1 2"]
)
def test_what_is_no_timecode_gets_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="is no timecode; write hh:mm:ss"):
        parse_timecode(text)


@given(st.integers(0, 10**9))
def test_a_printed_timecode_is_read_back(time_ms: int) -> None:
    assert parse_timecode(timecode(time_ms)) == time_ms


YEARS = [
    ("1994", (1994, 1994)),
    ("1990-1999", (1990, 1999)),
    ("1990 – 1999", (1990, 1999)),
    ("1990-", (1990, None)),
    ("-1999", (None, 1999)),
]


@pytest.mark.parametrize(("text", "expected"), YEARS, ids=[text for text, _ in YEARS])
def test_years_are_read(text: str, expected: tuple[int | None, int | None]) -> None:
    assert parse_years(text) == expected


@pytest.mark.parametrize("text", ["", "-", "94", "nineties", "1999-1990", "19901999", "1990-1999-2000"])
def test_what_is_no_year_gets_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="is no year"):
        parse_years(text)


@pytest.mark.parametrize(
    ("text", "tag"),
    [("de", "de"), ("ger", "de"), ("German", "de"), ("PT-br", "pt-BR"), ("日本語", "ja"), ("und", "und")],
)
def test_languages_are_read_as_tags_and_names(text: str, tag: str) -> None:
    assert parse_language(text) == tag


@pytest.mark.parametrize("text", ["", "klingonish", "de' OR 1=1"])
def test_what_is_no_language_gets_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="is no language"):
        parse_language(text)


def test_shots_and_conditions_are_read() -> None:
    assert parse_shot("me@home@1:02.5") == SimilarToShot("me@home", 62_500)
    assert parse_range("me@home-2@1:02.5-00:01:20") == SimilarToRange("me@home-2", 62_500, 80_000)
    assert parse_where(["faces=Ann = Lee "]) == [Where("faces", "Ann = Lee")]
    assert parse_where(["dialogue.speaker = ANN"]) == [Where("dialogue", conditions=(Condition("speaker", "ANN"),))]
    assert parse_where(["faces.name=a>=b"]) == [Where("faces", conditions=(Condition("name", "a>=b"),))]


def test_conditions_on_fields_of_one_algorithm_hold_in_one_row() -> None:
    both = (Condition("age", "30", "least"), Condition("age", "40", "most"))
    assert parse_where(["faces.age>=30", "signs=exit", "faces.age <= 40"]) == [
        Where("faces", conditions=both),
        Where("signs", "exit"),
    ]
    red = (Condition("oklab_l", "0.5", "least"),)
    texts = ["palette=teal", "palette.oklab_l>=0.5", "palette=#aa2200"]
    assert parse_where(texts) == [Where("palette", "teal", red), Where("palette", "#aa2200", red)]
    assert parse_where(["scene.tags~=night"]) == [Where("scene", conditions=(Condition("tags", "night", "contains"),))]


def test_an_order_is_that_of_scores_times_or_a_field() -> None:
    assert [parse_sort(text) for text in ("score", "time")] == ["score", "time"]
    assert parse_sort("palette.oklab_l") == SortBy("palette", "oklab_l")
    assert parse_sort("faces.age:desc") == SortBy("faces", "age", descending=True)
    for text in ("faces", "faces.age:up", ".age", ""):
        with pytest.raises(UsageError, match="--sort is score or time, not "):
            parse_sort(text)


@pytest.mark.parametrize("text", ["", "faces", "faces=", "=x", "a.b.c=1", "a b=1", ".b=1"])
def test_what_is_no_condition_gets_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match="is no condition; write NAME=VALUE"):
        parse_where([text])


@pytest.mark.parametrize("text", ["sintel", "@1:00", "sintel@", "sintel@soon"])
def test_what_is_no_shot_gets_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match=r"names no shot|is no timecode"):
        parse_shot(text)


@pytest.mark.parametrize("text", ["sintel", "@1-2", "sintel@", "sintel@1:00", "sintel@1:00-", "sintel@1-2-3"])
def test_what_is_no_range_gets_a_sentence(text: str) -> None:
    with pytest.raises(UsageError, match=r"names no range|is no timecode"):
        parse_range(text)


def test_options_become_one_query(tmp_path: Path) -> None:
    picture = tmp_path / "red.jpg"
    picture.write_bytes(b"\xff\0\0")
    options = Options(
        text="a red car",
        visual=["red"],
        dialogue=['"never"'],
        language="deu",
        kind="dialogue",
        image=[picture],
        clip=[picture],
        shot=["a@1"],
        range=["b@1-2"],
        where=["faces=Ann"],
        title=["a"],
        series=["s"],
        season=[1, 2],
        genre=["Drama"],
        year=["1990-"],
        character=["Neo"],
        talent=["Ann"],
        group_by="series",
        sort="time",
        limit=3,
    )
    clauses = (
        FreeText("a red car", "de", "dialogue"),
        Visual("red"),
        Dialogue('"never"', "de", "dialogue"),
        SimilarToPicture(b"\xff\0\0", "red.jpg"),
        SimilarToClip(b"\xff\0\0", "red.jpg"),
        SimilarToShot("a", 1000),
        SimilarToRange("b", 1000, 2000),
        Where("faces", "Ann"),
    )
    filters = Filters(("a",), ("s",), (1, 2), ("Drama",), ((1990, None),), ("Neo",), ("Ann",))
    assert parse_query(options) == Query(clauses, filters, "series", "time", 3)


WRONG = [
    (Options(text="x", group_by="genre"), "--group-by is title or series"),
    (Options(text="x", sort="length"), "--sort is score or time"),
    (Options(visual=["x"], language="de"), "--language and --kind narrow what is said"),
    (Options(image=[Path("no/such.jpg")]), r"There is no file 'no/such\.jpg'"),
    (Options(image=[Path("/")]), "There is no file"),
    (Options(clip=[Path("no/such.mp4")]), r"There is no file 'no/such\.mp4'; give the path of a clip"),
]


@pytest.mark.parametrize(("options", "sentence"), WRONG, ids=[sentence for _, sentence in WRONG])
def test_wrong_options_get_a_sentence(options: Options, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        parse_query(options)


def test_a_file_too_large_for_a_picture_is_not_read(tmp_path: Path) -> None:
    large = tmp_path / "large.jpg"
    with large.open("wb") as file:
        file.truncate(65 * 2**20)
    for options, what in ((Options(image=[large]), "picture"), (Options(clip=[large]), "clip")):
        with pytest.raises(UsageError, match=f"larger than 64 MiB; give a smaller {what}"):
            parse_query(options)
