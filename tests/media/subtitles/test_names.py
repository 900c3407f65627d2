"""What a subtitle file's name says: language, kind and flags."""

from __future__ import annotations

import pytest

from mediaflow.media.languages import language_of_name, language_of_tag
from mediaflow.media.subtitles.names import NameFacts, read_name


@pytest.mark.parametrize(
    ("name", "language", "flags"),
    [
        ("Name.en.srt", "en", ""),
        ("Name.EN.srt", "en", ""),
        ("Name.de.forced.vtt", "de", "forced"),
        ("Name.ja.sdh.ass", "ja", "sdh"),
        ("Name.pt-BR.hi.srt", "pt-BR", "sdh"),
        ("Name.hi.srt", "hi", ""),
        ("Name.hi.en.srt", "en", "sdh"),
        ("Name.English.srt", "en", ""),
        ("Name.Deutsch.cc.srt", "de", "sdh"),
        ("Name.Brazilian Portuguese.srt", "pt-BR", ""),
        ("Name.ger.foreign.srt", "de", "forced"),
        ("Name.zh-Hans.default.srt", "zh-Hans", ""),
        ("Name.es-419.srt", "es-419", ""),
        ("subs/2_English.srt", "en", ""),
        ("sintel-de.vtt", "de", ""),
        ("TOS-fr-Goofy.vtt", "fr", ""),
        ("deadline_captions_pt-br.vtt", "pt-BR", ""),
        ("It.srt", None, ""),
        ("What.Is.It.srt", None, ""),
        ("Mr.Ed.srt", None, ""),
        ("Name.2019.srt", None, ""),
        ("Name.the.srt", None, ""),
        ("", None, ""),
    ],
)
def test_language_and_flags(name: str, language: str | None, flags: str) -> None:
    assert read_name(name) == NameFacts(language, None, flags == "forced", flags == "sdh")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("wwa_description_ja.vtt", "description"),
        ("Name.en.descriptions.vtt", "description"),
        ("Name.AudioDescription.en.srt", "description"),
        ("k_chapters_en.vtt", "chapter"),
        ("chapters.vtt", "chapter"),
        ("wwa_meta.vtt", "metadata"),
        ("wwa_captions_en.vtt", None),
    ],
)
def test_kind(name: str, kind: str | None) -> None:
    assert read_name(name).kind == kind


def test_tags_are_made_bcp_47_and_words_are_no_tags() -> None:
    assert [language_of_tag(t) for t in ("eng", "ger", "zh_CN", "sr-latn", "fil")] == [
        "en",
        "de",
        "zh-CN",
        "sr-Latn",
        "fil",
    ]
    assert [language_of_tag(t) for t in ("und", "zxx", "xx", "", "english", "the", "a b", "-")] == [None] * 8
    assert language_of_name("français") == "fr"
    assert language_of_name("Klingon") is None
