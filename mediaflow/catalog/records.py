"""What the catalogue knows of a title: files, entry, roots, and their one JSON form."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, cast

Kind: TypeAlias = Literal["movie", "episode", "video"]
FieldValue: TypeAlias = str | int | float | bool | list[str]

ROOTS = ("media", "subtitles", "catalogue")
# No slug has a colon.
ERASED = "erased:"


def canonical(value: Any) -> bytes:
    """Give the one spelling of a JSON value that revisions are made of: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


@dataclass(frozen=True, slots=True)
class FileRef:
    """A file of the library with the identity of its bytes.

    Parameters
    ----------
    path : str
        POSIX path relative to the library.
    size : int
        Bytes.
    sha256 : str
        Hex digest of the bytes.
    """

    path: str
    size: int
    sha256: str

    def to_json(self) -> list[Any]:
        return [self.path, self.size, self.sha256]

    @classmethod
    def from_json(cls, value: list[Any]) -> FileRef:
        return cls(*value)


@dataclass(frozen=True, slots=True)
class Person:
    """A talent, the character played (if any), and the place in the cast, from 0."""

    talent: str
    character: str | None = None
    order: int = 0

    def to_json(self) -> list[Any]:
        return [self.talent, self.character, self.order]


@dataclass(frozen=True, slots=True)
class CatalogueEntry:
    """What names, `.nfo` and `title.json` say about a title.

    Parameters
    ----------
    title : str
        As shown to people.
    kind : {"movie", "episode", "video"}
        An episode has (usually) series, season and episode.
    year : int or None
        Of the release; for an episode that of its own broadcast, else of the series.
    languages : tuple of str
        BCP 47, as far as they were stated; what the media file says is not in here.
    episode_end : int or None
        The last episode in the file when it holds more than one.
    people : tuple of Person
        The cast in billing order.
    fields : dict
        Custom fields of `title.json`: strings, numbers, truth values, lists of strings.
    """

    title: str
    kind: Kind = "video"
    original_title: str | None = None
    year: int | None = None
    genres: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    series: str | None = None
    season: int | None = None
    episode: int | None = None
    episode_end: int | None = None
    plot: str | None = None
    people: tuple[Person, ...] = ()
    fields: dict[str, FieldValue] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "title": self.title,
            "kind": self.kind,
            "original_title": self.original_title,
            "year": self.year,
            "genres": list(self.genres),
            "languages": list(self.languages),
            "series": self.series,
            "season": self.season,
            "episode": self.episode,
            "episode_end": self.episode_end,
            "plot": self.plot,
            "people": [person.to_json() for person in self.people],
            "fields": self.fields,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> CatalogueEntry:
        return cls(
            **{
                **value,
                "genres": tuple(value["genres"]),
                "languages": tuple(value["languages"]),
                "people": tuple(Person(*person) for person in value["people"]),
            }
        )

    def revision(self) -> str:
        """Hash what is said, not how it was written: an `.nfo` that says the same changes nothing."""
        return hashlib.sha256(canonical(self.to_json())).hexdigest()


@dataclass(frozen=True, slots=True)
class TitleRecord:
    """One title of the library as the catalogue log holds it.

    Parameters
    ----------
    title_no : int
        Small, unique, never given again.
    title_id : str
        Readable slug, `[a-z0-9-]`; belongs to this title for ever.
    path : str
        POSIX path of the (first) media file, relative to the library.
    media, subtitles : tuple of FileRef
        Media parts in playing order; sidecars sorted by path.
    roots : dict of str to str
        Revision (hex) of `media`, `subtitles` and `catalogue`.
    removed : bool
        A tombstone: the title left the library, number and slug stay taken.
    """

    title_no: int
    title_id: str
    path: str
    media: tuple[FileRef, ...]
    subtitles: tuple[FileRef, ...]
    entry: CatalogueEntry
    roots: dict[str, str]
    removed: bool = False

    @property
    def erased(self) -> bool:
        """Whether nothing is left of it but its number."""
        return self.title_id.startswith(ERASED)

    def to_json(self) -> dict[str, Any]:
        return {
            "title_no": self.title_no,
            "title_id": self.title_id,
            "path": self.path,
            "media": [file.to_json() for file in self.media],
            "subtitles": [file.to_json() for file in self.subtitles],
            "entry": self.entry.to_json(),
            "roots": self.roots,
            "removed": self.removed,
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> TitleRecord:
        return cls(
            title_no=value["title_no"],
            title_id=value["title_id"],
            path=value["path"],
            media=tuple(FileRef.from_json(file) for file in value["media"]),
            subtitles=tuple(FileRef.from_json(file) for file in value["subtitles"]),
            entry=CatalogueEntry.from_json(value["entry"]),
            roots=cast(dict[str, str], value["roots"]),
            removed=value["removed"],
        )


def media_revision(parts: tuple[FileRef, ...]) -> str:
    """Give the SHA-256 of the one media file, or of the list of digests when a film comes in parts."""
    if len(parts) == 1:
        return parts[0].sha256
    return hashlib.sha256(canonical([part.sha256 for part in parts])).hexdigest()


def subtitles_revision(title_path: str, sidecars: tuple[FileRef, ...]) -> str:
    """Hash names and bytes of the sidecars; names count because they carry language and purpose.

    Names are taken relative to the title's folder, so moving the folder changes nothing.
    """
    folder = title_path.rpartition("/")[0]
    skip = len(folder) + 1 if folder else 0
    named = sorted([file.path[skip:], file.sha256] for file in sidecars)
    return hashlib.sha256(canonical(named)).hexdigest()
