"""Full text in many languages: words in any order, phrases exactly, and nothing that a user types breaks a query."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaflow.errors import UsageError
from mediaflow.search.gateway import Gateway
from mediaflow.search.query import Dialogue, Query
from mediaflow.search.searchers.text import words_and_phrases
from mediaflow.storage.objects import FolderStore
from tests.conftest import examples
from tests.search.world import World, cue

LINES = {
    "hamlet": ("en", "To be, or not\nto be: that is the question."),
    "hamlet-turned": ("en", "Not to be is to question that. Be, or be not!"),
    "dont-curly": ("en", "I don’t know him."),
    "dont-straight": ("en", "Don't you dare"),
    "dont-apart": ("en", "Don, hand me that T-shirt"),
    "left": ("en", "HE SAID: I never left. Really?"),
    "left-turned": ("en", "He said I left. Never!"),
    "marks": ("en", '100% sure: C++ & "quotes" -- rock-n-roll (o\'neil)'),
    "german": ("de", "Fräulein Müller wohnt in der Straße; Grüße!"),
    "french": ("fr", "Ça n’a pas d’été, c’est l’amour là-bas."),
    "russian": ("ru", "Я никогда не сдавался."),
    "japanese": ("ja", "私は東京に住んでいます。"),
    "japanese-tower": ("ja", "東京タワーが見える"),
    "polish": ("pl", "Łódź jest daleko"),
    "spanish": ("es", "¿Dónde está la niña?"),
    "korean": ("ko", "나는 떠나지 않았다"),
    "thai": ("th", "ฉันรักภาษาไทย"),
    "brazilian": ("pt-BR", "Não vá embora"),
}

CASES = [
    ("to be or not to be", {"hamlet", "hamlet-turned"}),
    ('"to be or not to be"', {"hamlet"}),
    ("„to be or not to be“", {"hamlet"}),
    ('"BE OR NOT"', {"hamlet"}),
    ('question "or not to be"', {"hamlet"}),
    ("don't", {"dont-curly", "dont-straight"}),
    ("don’t", {"dont-curly", "dont-straight"}),
    ('"don\'t know"', {"dont-curly"}),
    ("never said left", {"left", "left-turned"}),
    ('he said "i never left"', {"left"}),
    ('"he said" "never"', {"left", "left-turned"}),
    ("he said never left dragon", set()),
    ('never "left', {"left", "left-turned"}),
    ("c++", {"marks", "french"}),
    ("100%", {"marks"}),
    ("rock-n-roll", {"marks"}),
    ("n roll", {"marks"}),
    ("o'neil", {"marks"}),
    ("fraulein muller", {"german"}),
    ("FRÄULEIN", {"german"}),
    ("strasse", {"german"}),
    ("straße grüße", {"german"}),
    ("été", {"french"}),
    ("amour", {"french"}),
    ("l'amour", {"french"}),
    ('"ca n\'a pas"', {"french"}),
    ("ça n’a pas", {"french"}),
    ("никогда", {"russian"}),
    ("НИКОГДА не", {"russian"}),
    ('"никогда не сдавался"', {"russian"}),
    ('"сдавался никогда"', set()),
    ("東京", {"japanese", "japanese-tower"}),
    ('"東京に住んで"', {"japanese"}),
    ('"住んで東京"', set()),
    ("東京 タワー", {"japanese-tower"}),
    ("lodz", {"polish"}),
    ("donde nina", {"spanish"}),
    ("do\u0301nde", {"spanish"}),
    ("떠나지", {"korean"}),
    ("ภาษา", {"thai"}),
    ("nao", {"brazilian"}),
]


@pytest.fixture(scope="module", params=["indexed", "partly indexed"])
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """All lines in one table; once all in the index, once every second one only written after it."""
    world = World(FolderStore(Path(tmp_path_factory.mktemp("text"))))
    cues = []
    for at, (title_id, (language, text)) in enumerate(LINES.items()):
        world.title(title_id)
        cues.append(cue(title_id, at * 1000, at * 1000 + 900, text, language=language))
    if request.param == "indexed":
        world.dialogue(*cues)
    else:
        world.dialogue(*cues[::2], unindexed=cues[1::2])
    yield world.gateway()


def found(gateway: Gateway, clause: Dialogue) -> set[str]:
    return {hit.title_id for hit in gateway.search(Query((clause,), limit=50))}


@pytest.mark.parametrize(("asked", "expected"), CASES, ids=[asked for asked, _ in CASES])
def test_words_and_phrases_are_found(gateway: Gateway, asked: str, expected: set[str]) -> None:
    assert found(gateway, Dialogue(asked)) == expected


def test_language_and_kind_narrow_the_cues(gateway: Gateway) -> None:
    assert found(gateway, Dialogue("東京", language="ja")) == {"japanese", "japanese-tower"}
    assert found(gateway, Dialogue("東京", language="de")) == set()
    assert found(gateway, Dialogue("embora", language="pt")) == {"brazilian"}
    assert found(gateway, Dialogue("embora", language="pt-BR")) == {"brazilian"}
    assert found(gateway, Dialogue("embora", language="pt-PT")) == set()
    assert found(gateway, Dialogue("embora", kind="dialogue")) == {"brazilian"}
    assert found(gateway, Dialogue("embora", kind="chapter")) == set()


@pytest.mark.parametrize("asked", ["", "  ", '""', "?!", "♪", "~^*?:[]{}\\"])
def test_a_text_without_words_is_a_sentence(gateway: Gateway, asked: str) -> None:
    with pytest.raises(UsageError, match="no word to look for"):
        gateway.search(Query((Dialogue(asked),)))


@pytest.mark.parametrize("hostile", ["x' OR 'a'='a", "de') OR (1=1", "%", "_", "'", '"', "`", "\\'", "--", "de\n"])
def test_what_looks_like_a_filter_is_only_a_text(gateway: Gateway, hostile: str) -> None:
    assert found(gateway, Dialogue("東京", language=hostile)) == set()


@examples(0.4)
@given(text=st.text(max_size=40))
def test_no_text_breaks_a_query(gateway: Gateway, text: str) -> None:
    if any(words_and_phrases(text)):
        gateway.search(Query((Dialogue(text),)))
    else:
        with pytest.raises(UsageError):
            gateway.search(Query((Dialogue(text),)))
