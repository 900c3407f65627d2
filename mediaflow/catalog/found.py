"""What a scan of the library gives: the titles that are there, those that are gone, and what to tell people."""

from __future__ import annotations

from dataclasses import dataclass

from mediaflow.catalog.notes import Ignored, Problem
from mediaflow.catalog.records import CatalogueEntry, FileRef


@dataclass(frozen=True, slots=True)
class FoundTitle:
    """A title in the library, whole: all its files have settled and are hashed, or its last whole state stands.

    Parameters
    ----------
    moved_from : str or None
        Id of the title whose path is gone and whose bytes these are.
    """

    path: str
    media: tuple[FileRef, ...]
    subtitles: tuple[FileRef, ...]
    entry: CatalogueEntry
    roots: dict[str, str]
    moved_from: str | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """One look at the library folder.

    Parameters
    ----------
    titles : list of FoundTitle
        By path.
    removed : list of str
        Ids of titles that are gone.
    ignored, problems
        Lines for people.
    settling : int
        Files that have not held still long enough.
    hashing_bytes_left : int
        Bytes not yet hashed; scan again to go on.
    guard : str or None
        Why titles that seem gone were kept, as a sentence.
    """

    titles: list[FoundTitle]
    removed: list[str]
    ignored: list[Ignored]
    problems: list[Problem]
    settling: int = 0
    hashing_bytes_left: int = 0
    guard: str | None = None
