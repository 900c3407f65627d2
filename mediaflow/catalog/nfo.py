"""Reading Kodi's `.nfo`: movie, episodedetails, tvshow; also Jellyfin's, and those with a link at their end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from mediaflow.catalog.text import language_tag, line, paragraphs

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

MAX_BYTES = 1_000_000
_ROOTS = {"movie": "movie", "episodedetails": "episode", "tvshow": "series", "musicvideo": "video", "video": "video"}
_OPENING = re.compile(r"<(movie|episodedetails|tvshow|musicvideo|video)(?=[\s>/])")
_DECLARED = re.compile(rb"""^\s*<\?xml[^>]*encoding=["']([A-Za-z0-9._-]+)["']""")
_LINK = re.compile(r"^\s*(?:https?://\S+\s*)+$")
_NO_NFO = "is no Kodi .nfo (it has no <movie>, <episodedetails> or <tvshow>): mend or remove it"
_NAME_PARTS = re.compile(r"\s+/\s+|\s*\|\s*")


def parse_nfo(data: bytes) -> tuple[dict[str, Any], str | None]:
    """Read an `.nfo` file.

    Parameters
    ----------
    data : bytes
        The whole file.

    Returns
    -------
    facts : dict
        What it says, by the names of `CatalogueEntry`; nothing where it cannot be read. `kind` may be "series".
    problem : str or None
        A sentence when it could not be read.
    """
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        text = _decode(data)
    except (UnicodeError, LookupError):
        return {}, "is not text in the encoding that it states: save it as UTF-8"
    if _LINK.match(text) or not text.strip():
        return {}, None
    opening = _OPENING.search(text)
    if opening is None:
        return {}, _NO_NFO
    name = opening[1]
    # Kodi allows several episodes in a row and a link after the end, neither of which is one XML document.
    end = text.rfind(f"</{name}>")
    body = text[opening.start() : end + len(name) + 3] if end >= 0 else text[opening.start() :]
    try:
        document = fromstring(f"<nfo>{re.sub(r'<[?]xml[^>]*[?]>', '', body)}</nfo>")
    except (ParseError, DefusedXmlException, ValueError) as error:
        return {}, f"is broken XML ({error}): mend it; until then the title is known by its path"
    elements = [each for each in document if each.tag == name]
    return (_facts(elements), None) if elements else ({}, _NO_NFO)


def _decode(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16")
    declared = _DECLARED.match(data)
    encoding = declared[1].decode() if declared else "utf-8"
    return data.decode("utf-8-sig" if encoding.lower() in {"utf-8", "utf8", "utf-16"} else encoding)


def _facts(elements: list[Element]) -> dict[str, Any]:
    first, last = elements[0], elements[-1]
    titles = list(dict.fromkeys(filter(None, (_text(each, "title") for each in elements))))
    episode = _number(first, "episode")
    found: dict[str, Any] = {
        "kind": _ROOTS[first.tag],
        "title": " / ".join(titles),
        "original_title": _text(first, "originaltitle"),
        "year": _year(first),
        "genres": _names(first, "genre"),
        "languages": _languages(first),
        "series": _text(first, "showtitle"),
        "season": _number(first, "season"),
        "episode": episode,
        "episode_end": _number(last, "episode") if len(elements) > 1 else None,
        "plot": paragraphs(first.findtext("plot") or first.findtext("outline") or ""),
        "people": _people(elements),
    }
    return {name: value for name, value in found.items() if value not in (None, "", ())}


def _text(element: Element, name: str) -> str:
    return line(element.findtext(name) or "")


def _number(element: Element, name: str) -> int | None:
    text = (element.findtext(name) or "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _year(element: Element) -> int | None:
    for name in ("aired", "year", "premiered", "releasedate"):
        found = re.match(r"\s*(\d{4})(?!\d)", element.findtext(name) or "")
        if found and int(found[1]) >= 1850:
            return int(found[1])
    return None


def _names(element: Element, name: str) -> tuple[str, ...]:
    parts = (line(part) for each in element.findall(name) for part in _NAME_PARTS.split(each.text or ""))
    return tuple(dict.fromkeys(filter(None, parts)))


def _languages(element: Element) -> tuple[str, ...]:
    stated = [each.text or "" for name in ("language", "languages") for each in element.findall(name)]
    stated = stated or [each.text or "" for each in element.findall("fileinfo/streamdetails/audio/language")]
    tags = (language_tag(part) for text in stated for part in re.split(r"[\s,/|;]+", text) if part)
    return tuple(dict.fromkeys(filter(None, tags)))


def _people(elements: list[Element]) -> tuple[tuple[str, str | None], ...]:
    """Give talent and character in billing order: that of `<order>` (or `<sortorder>`), else as written."""
    billed = []
    for each in elements:
        for actor in each.findall("actor"):
            talent = _text(actor, "name")
            order = _number(actor, "order")
            order = _number(actor, "sortorder") if order is None else order
            if talent:
                billed.append((10**6 if order is None else order, talent, _text(actor, "role") or None))
    billed.sort(key=lambda person: person[0])
    return tuple(dict.fromkeys((talent, role) for _, talent, role in billed))
