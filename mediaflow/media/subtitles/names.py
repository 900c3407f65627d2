"""Language, kind and flags of a subtitle file, read from its file name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePosixPath

from mediaflow.media.languages import language_of_name, language_of_tag

_FORCED = {"forced", "foreign"}
_SDH = {"sdh", "cc"}
_PLAIN = {"default", "full", "subtitles", "subtitle", "subs", "sub", "captions", "caption", "dialogue", "commentary"}
_KINDS = {
    "description": "description",
    "descriptions": "description",
    "audiodescription": "description",
    "ad": "description",
    "chapter": "chapter",
    "chapters": "chapter",
    "metadata": "metadata",
    "meta": "metadata",
}


@dataclass
class NameFacts:
    """What a file name says; None where it says nothing."""

    language: str | None = None
    kind: str | None = None
    forced: bool = False
    sdh: bool = False


def read_name(name: str) -> NameFacts:
    """Read `Name.pt-BR.hi.srt`, `Name.English.forced.vtt`, `wwa_description_de.vtt` and their like.

    Parameters
    ----------
    name : str
        File name, with or without folders.

    Returns
    -------
    NameFacts
        `hi` is Hindi where no other language stands in the name, and "hearing impaired" otherwise.
    """
    stem = PurePosixPath(name.replace("\\", "/")).stem
    facts = NameFacts()
    parts = stem.split(".")
    last = len(parts) - 1
    while last > 0 and _take(parts[last], facts):
        last -= 1
    if last == len(parts) - 1:
        _read_words(parts[-1], facts)
    return facts


def _take(part: str, facts: NameFacts) -> bool:
    word = part.casefold().strip()
    if word == "hi" and facts.language is None:
        # Whether this is Hindi or "hearing impaired" is only known from what stands to its left.
        facts.language = "hi"
        return True
    if word in _FORCED:
        facts.forced = True
    elif word in _SDH or (word == "hi" and facts.language):
        facts.sdh = True
    elif word in _KINDS:
        facts.kind = _KINDS[word]
    elif word in _PLAIN:
        pass
    else:
        return _take_language(part, facts)
    return True


def _take_language(part: str, facts: NameFacts) -> bool:
    language = (language_of_tag(part) if _is_written_as_tag(part) else None) or language_of_name(part)
    if language is None or facts.language not in (None, "hi"):
        return False
    if facts.language == "hi":
        facts.sdh = True
    facts.language = language
    return True


def _is_written_as_tag(part: str) -> bool:
    # "It" or "De" in a title are words; as tags people write "it" or "IT".
    primary = re.split(r"[-_]", part)[0]
    return primary.islower() or primary.isupper()


def _read_words(stem: str, facts: NameFacts) -> None:
    """Read `TOS-de`, `wwa_captions_ja`, `deadline_captions_pt-br`: words joined by `_` or `-`, not by dots."""
    facts.kind = _KINDS.get(stem.casefold())
    for word in re.split(r"[_\s-]", stem)[1:]:
        facts.kind = _KINDS.get(word.casefold(), facts.kind)
    for separator in "_-":
        words = stem.split(separator)
        # One capitalised word may stand behind the language: `TOS-fr-Goofy`.
        for word in words[:0:-1][: 2 if words[-1].istitle() else 1]:
            if re.fullmatch(r"[a-z]{2}(?:-[A-Za-z]{2,4})?", word) and (tag := language_of_tag(word)):
                facts.language = tag
                return
            if language := language_of_name(word):
                facts.language = language
                return
