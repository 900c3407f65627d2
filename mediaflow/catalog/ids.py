"""Title ids: readable slugs that are given once and never to another title."""

from __future__ import annotations

import hashlib
from collections.abc import Container

from mediaflow.catalog.records import CatalogueEntry

_MAX_CHARS = 80


def slug(entry: CatalogueEntry, path: str) -> str:
    """Give the id that a title would like to have: `[a-z0-9-]`, at most 80 characters.

    `name-1999` for a film, `show-s01e02` for an episode. Other scripts are transliterated; where nothing is left the
    id comes from a hash of the path.

    Examples
    --------
    >>> slug(CatalogueEntry("Alien", "movie", year=1979), "Alien (1979)/Alien.mkv")
    'alien-1979'
    """
    if entry.kind == "episode" and entry.series:
        name, tail = entry.series, _episode_tail(entry) or _cut(_slugify(entry.title), _MAX_CHARS // 2)
    else:
        name, tail = entry.title, str(entry.year) if entry.year is not None else ""
    body = _slugify(name) or f"title-{_hash(path)[:8]}"
    room = _MAX_CHARS - len(tail) - 1
    return "-".join(filter(None, (_cut(body, room if tail else _MAX_CHARS), tail)))


def free_id(entry: CatalogueEntry, path: str, taken: Container[str]) -> str:
    """Give the slug, with as much of the path's hash as makes it differ from the ids already taken."""
    wanted = slug(entry, path)
    if wanted not in taken:
        return wanted
    digest = _hash(path)
    for length in range(6, len(digest) + 1, 2):
        suffixed = f"{_cut(wanted, _MAX_CHARS - length - 1)}-{digest[:length]}"
        if suffixed not in taken:
            return suffixed
    raise AssertionError("two paths have the same SHA-256")


def _episode_tail(entry: CatalogueEntry) -> str:
    if entry.episode is None:
        return ""
    last = f"-e{entry.episode_end:02d}" if entry.episode_end is not None else ""
    season = f"s{entry.season:02d}" if entry.season is not None else ""
    return f"{season}e{entry.episode:02d}{last}"


def _slugify(text: str) -> str:
    from slugify import slugify

    return slugify(text)


def _cut(text: str, length: int) -> str:
    """Shorten at a hyphen where there is one in the second half."""
    if len(text) <= length:
        return text
    cut = text[: length + 1].rpartition("-")[0]
    return (cut if len(cut) > length // 2 else text[:length]).strip("-")


def _hash(path: str) -> str:
    return hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()
