"""Subtitle files of all formats become the same rows, whatever their encoding, and bad ones get a sentence."""

from __future__ import annotations

import html
import re
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaflow.errors import TitleError
from mediaflow.media.schemas import CUES
from mediaflow.media.subtitles import read_track

SRT = """1
00:00:01,000 --> 00:00:02,500
<i>Good morning,</i>
{\\an8}everyone &amp; all.

2
00:00:03,000 --> 00:00:04,000
THOM: You're a jerk.
- CELIA: I know &lt;3

3
00:00:05,000 --> 00:00:06,000
[music]
"""

VTT = """WEBVTT
Kind: captions
Language: pt-br

NOTE nothing --
to see

STYLE
::cue { color: red }

first
00:01.000 --> 00:02.500 align:start
<v Thom>Good <b>morning</b></v> <v.loud Celia>to <00:00:02.000>you</v>

00:00:03.000 --> 00:00:04.000
- [music] &gt; 12
"""

ASS = """[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname
Style: Default,Arial,broken,values

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:03.00,0:00:04.00,Default,Celia,0,0,0,,Second{\\i1} one{\\i0},\\Nwith a comma
Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,First\\hone
Dialogue: 0,0:00:05.00,0:00:06.00,Default,,0,0,0,,{\\p1}m 0 0 l 10 10{\\p0}
Comment: 0,0:00:07.00,0:00:08.00,Default,,0,0,0,,Not shown
Dialogue: 0,nonsense,0:00:09.00,Default,,0,0,0,,Lost
"""

TTML = """<?xml version="1.0" encoding="UTF-8"?>
<tt xmlns="http://www.w3.org/ns/ttml" xmlns:ttm="http://www.w3.org/ns/ttml#metadata"
    xmlns:ttp="http://www.w3.org/ns/ttml#parameter" xmlns:itts="http://www.w3.org/ns/ttml/profile/imsc1#styling"
    xml:lang="fr" ttp:frameRate="25" ttp:tickRate="1000">
  <head><ttm:agent xml:id="a1" type="person"><ttm:name type="full">Celia</ttm:name></ttm:agent></head>
  <body begin="10s"><div begin="00:00:01.000" end="1m">
    <p begin="00:00:00:05" end="00:00:01:00" ttm:agent="a1">Bonjour,<br/>  tout   le
      monde</p>
    <p begin="2000t" dur="500ms" xml:lang="de" itts:forcedDisplay="true"><span>Guten</span> <span>Tag</span></p>
    <p>to the end of the div</p>
    <p begin="5s" end="4s">broken</p>
  </div></body>
</tt>"""


def rows(cues: pl.DataFrame, *columns: str) -> list[tuple[object, ...]]:
    return cues.select(columns).rows()


def test_srt_loses_its_markup_and_names_its_speakers() -> None:
    track = read_track("Film.srt", SRT.encode())
    assert track.cues.schema == pl.Schema(CUES)
    assert rows(track.cues, "cue_no", "start_ms", "end_ms", "speaker", "text") == [
        (0, 1000, 2500, None, "Good morning,\neveryone & all."),
        (1, 3000, 4000, "THOM", "You're a jerk."),
        (2, 3000, 4000, "CELIA", "I know <3"),
        (3, 5000, 6000, None, "[music]"),
    ]
    assert (track.language, track.forced, track.sdh, track.notes) == ("und", False, False, [])
    assert track.cues["track"].unique().to_list() == ["Film.srt"]


def test_vtt_voices_and_header() -> None:
    track = read_track("Film.vtt", VTT.encode())
    assert rows(track.cues, "start_ms", "end_ms", "speaker", "text", "kind", "language") == [
        (1000, 2500, "Thom", "Good morning", "dialogue", "pt-BR"),
        (1000, 2500, "Celia", "to you", "dialogue", "pt-BR"),
        (3000, 4000, None, "- [music] > 12", "dialogue", "pt-BR"),
    ]


def test_ass_is_sorted_without_codes_drawings_and_comments() -> None:
    track = read_track("Film.ja.sdh.ass", ASS.encode())
    assert rows(track.cues, "cue_no", "start_ms", "speaker", "text", "sdh") == [
        (0, 1000, None, "First one", True),
        (1, 3000, "Celia", "Second one,\nwith a comma", True),
    ]
    assert track.language == "ja"
    assert track.notes == ["1 broken cue left out (no valid start and end time)"]


def test_ttml_times_nest_and_agents_speak() -> None:
    track = read_track("Film.ttml", TTML.encode())
    assert rows(track.cues, "start_ms", "end_ms", "language", "speaker", "text", "forced") == [
        (11000, 70000, "fr", None, "to the end of the div", False),
        (11200, 12000, "fr", "Celia", "Bonjour,\ntout le monde", False),
        (13000, 13500, "de", None, "Guten Tag", True),
    ]
    assert track.language == "fr"
    assert track.notes == ["1 broken cue left out (no valid start and end time)"]


@pytest.mark.parametrize(
    ("text", "speakers"),
    [
        ("00:01.000 --> 00:02.000\nRemember: it is late", [None]),
        ("00:01.000 --> 00:02.000\nWARNING: it is late", [None]),
        ("00:01.000 --> 00:02.000\nMAN 1: it is late", ["MAN 1"]),
        ("00:01.000 --> 00:02.000\nMAN:\nit is late", ["MAN"]),
        ("00:01.000 --> 00:02.000\nIt is 12: late", [None]),
        ("00:01.000 --> 00:02.000\nThom: late\n\n00:03.000 --> 00:04.000\nThom: later", ["Thom", "Thom"]),
        ("00:01.000 --> 00:02.000\nTHOM: late\nand later", ["THOM"]),
    ],
)
def test_a_prefix_is_a_speaker_only_where_it_clearly_is_one(text: str, speakers: list[str | None]) -> None:
    assert read_track("a.srt", text.encode()).cues["speaker"].to_list() == speakers


def test_description_tracks_have_no_speakers_in_prefixes() -> None:
    track = read_track("a_descriptions_en.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\nWORDS APPEAR: The end")
    assert rows(track.cues, "kind", "speaker", "text") == [("description", None, "WORDS APPEAR: The end")]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
def test_encodings(codec: str) -> None:
    text = SRT.replace("[music]", "Die Straße führt über größere Brücken – ängstlich, schön und «müde»")
    track = read_track("Film.de.srt", text.encode(codec))
    assert track.cues["text"][-1] == "Die Straße führt über größere Brücken – ängstlich, schön und «müde»"
    assert bool(track.notes) == (codec == "cp1252")


@pytest.mark.parametrize(
    ("language", "codec", "text"),
    [
        ("ru", "cp1251", "Это копьё с темным прошлым. Его лезвие выпило немало невинной крови."),
        ("ru", "koi8_r", "Это копьё с темным прошлым. Его лезвие выпило немало невинной крови."),
        ("pl", "cp1250", "To ostrze ma mroczną przeszłość. Wytoczyło wiele niewinnej krwi."),
        ("el", "cp1253", "Αυτή η λεπίδα έχει σκοτεινό παρελθόν."),
        ("ja", "cp932", "この剣には暗い過去がある。罪のない血を流してきた。"),
        ("zh", "gb18030", "这把剑有着黑暗的过去，沾满了无辜者的鲜血。"),
        ("ko", "cp949", "이 칼날에는 어두운 과거가 있다."),
    ],
)
def test_legacy_code_pages_by_language(language: str, codec: str, text: str) -> None:
    data = f"1\n00:00:01,000 --> 00:00:02,000\n{text}\n".encode(codec)
    track = read_track(f"Film.{language}.srt", data)
    assert track.cues["text"].to_list() == [text]
    assert "not in UTF-8" in track.notes[0]


@pytest.mark.parametrize(
    "text", ['"straight" quotes', "It’s “curly” … 12½ – ﬁ", "ＦＵＬＬＷＩＤＴＨ　ｶﾅ", "Ã, Ä und É", "naïve café"]
)
def test_right_text_is_left_alone(text: str) -> None:
    track = read_track("a.en.srt", f"00:01.000 --> 00:02.000\n{text}".encode())
    assert track.cues["text"].to_list() == [text.strip()]
    assert track.notes == []


def test_text_encoded_twice_in_one_place_is_repaired_there_alone() -> None:
    good = "Où est l’âme sœur ?"
    bad = good.encode().decode("latin-1")
    data = f"00:01.000 --> 00:02.000\n{good}\n\n00:03.000 --> 00:04.000\n{bad}\n".encode()
    track = read_track("a.fr.srt", data)
    assert track.cues["text"].to_list() == [good, good]
    assert track.notes == ["1 line had been encoded to UTF-8 twice; repaired"]


def test_broken_cues_are_counted_and_the_rest_is_sorted() -> None:
    text = (
        "00:09.000 --> 00:10.000\nlast\n\n00:05.000 --> 00:04.000\nbackwards\n\n99:99 --> what\nno time\n\n"
        "00:01.000 --> 00:20.000\nfirst\n\n00:03.000 --> 00:03.000\nempty\n"
    )
    track = read_track("a.srt", text.encode())
    assert track.cues["text"].to_list() == ["first", "last"]
    assert track.notes == ["3 broken cues left out (no valid start and end time)"]


LAUGHS = '<!DOCTYPE tt [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><tt xmlns="http://www.w3.org/ns/ttml">&b;</tt>'
OUTSIDE = '<!DOCTYPE tt [<!ENTITY x SYSTEM "file:///etc/passwd">]><tt xmlns="http://www.w3.org/ns/ttml">&x;</tt>'
DEEP = '<tt xmlns="http://www.w3.org/ns/ttml"><body>' + "<div>" * 5000 + "</div>" * 5000 + "</body></tt>"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf \n", "is empty"),
        (b"MZ\x90\x00\x03\x00\x00\x00" * 50, "not a subtitle file"),
        (b"hello world", "not a subtitle file"),
        (b"<html><body>404</body></html>", "not a subtitle file"),
        (b"<tt xmlns='http://www.w3.org/ns/ttml'><body>", "not well-formed"),
        (LAUGHS.encode(), "for safety"),
        (OUTSIDE.encode(), "for safety"),
        (b'<!DOCTYPE tt SYSTEM "http://127.0.0.1/tt.dtd"><tt xmlns="http://www.w3.org/ns/ttml"/>', "for safety"),
        (DEEP.encode(), "levels deep"),
    ],
)
def test_what_is_no_subtitle_gets_a_sentence(data: bytes, says: str) -> None:
    with pytest.raises(TitleError, match=says) as error:
        read_track("dir.en.srt", data)
    assert error.value.fields == {"stage": "subtitles", "file": "dir.en.srt"}


def test_limits_on_size_and_cues() -> None:
    with pytest.raises(TitleError, match="more than the limit of 10"):
        read_track("a.srt", b"x" * 11, max_bytes=10)
    with pytest.raises(TitleError, match="more than the limit of 2"):
        read_track("a.srt", SRT.encode(), max_cues=2)


def test_a_metadata_track_holds_no_cues() -> None:
    track = read_track("a.vtt", b"WEBVTT\nKind: metadata\n\n00:01.000 --> 00:02.000\n{json}")
    assert track.cues.is_empty()
    assert "metadata track" in track.notes[0]


@given(
    st.sampled_from([SRT, VTT, ASS, TTML]),
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 12), st.binary(max_size=8)), min_size=1, max_size=6),
    st.sampled_from(["a.srt", "Film.de.forced.vtt", "x-hi.ass", "TOS-it.ttml"]),
)
def test_damage_of_any_kind_gives_cues_or_a_title_error(
    text: str, edits: list[tuple[int, int, bytes]], name: str
) -> None:
    data = bytearray(text.encode())
    for at, cut, new in edits:
        data[at : at + cut] = new
    check_bytes(name, bytes(data))


@given(st.one_of(st.binary(max_size=400), st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))))
def test_any_bytes_give_cues_or_a_title_error(data: bytes) -> None:
    check_bytes("any.srt", data)
    check_bytes("any.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\n" + data)


def check_bytes(name: str, data: bytes) -> None:
    try:
        track = read_track(name, data)
    except TitleError as error:
        assert error.message.endswith(".")
        return
    assert (track.cues["start_ms"] < track.cues["end_ms"]).all()
    assert track.cues["start_ms"].is_sorted()
    assert (track.cues["text"].str.strip_chars() != "").all()


TWICE = {"sintel-de": "de", "sintel-es": "es", "sintel-fr": "fr", "sintel-pl": "pl", "sintel-ru": "ru"}


@pytest.mark.parametrize("folder", ["sintel_full", "tears_of_steel", "ableplayer"])
def test_real_files_come_through_and_only_the_double_encoded_ones_are_repaired(shared_data: Path, folder: str) -> None:
    files = sorted((shared_data / "subtitles" / folder).glob("*.vtt"))
    assert files
    for path in files:
        track = read_track(path.name, path.read_bytes())
        original = html.unescape(re.sub("<[^>]*>", "", path.read_text(encoding="utf-8")))
        repaired = any("encoded to UTF-8 twice" in note for note in track.notes)
        assert repaired == (path.stem in TWICE), path.name
        lines = [line for text in track.cues["text"] for line in text.split("\n")]
        assert path.stem == "wwa_meta" or len(lines) >= 2
        if not repaired:
            assert [line for line in lines if line not in original] == [], path.name
        else:
            assert not any("\N{LATIN CAPITAL LETTER A WITH TILDE}" in line for line in lines)
            assert track.language == TWICE[path.stem]


def test_sintel_in_russian_reads_as_russian(shared_data: Path) -> None:
    path = shared_data / "subtitles" / "sintel_full" / "sintel-ru.vtt"
    track = read_track(path.name, path.read_bytes())
    assert track.cues["text"][0] == "О! Это копьё с темным прошлым."
    assert (track.language, track.cues.height) == ("ru", 26)


def test_voices_of_real_captions(shared_data: Path) -> None:
    path = shared_data / "subtitles" / "ableplayer" / "deadline_captions_pt-br.vtt"
    track = read_track(path.name, path.read_bytes())
    assert track.language == "pt-BR"
    assert set(track.cues["speaker"].drop_nulls()) == {"Projeto", "Garoto"}
    assert not track.cues["text"].str.contains("<").any()


def test_conformance_files_of_ttml_give_cues_or_a_title_error(shared_data: Path) -> None:
    files = sorted((shared_data / "subtitles" / "imsc-tests" / "imsc1" / "ttml").rglob("*.ttml"))[::4]
    assert files
    for path in files:
        check_bytes(path.name, path.read_bytes())
