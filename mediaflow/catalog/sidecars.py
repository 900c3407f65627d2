"""Which subtitle file belongs to which video of its folder."""

from __future__ import annotations

import re

from mediaflow.catalog.names import key
from mediaflow.catalog.notes import Notes
from mediaflow.catalog.walk import FileStat, head

_TTML = re.compile(rb"<(?:\w+:)?tt[\s>]")


def is_ttml(path: str) -> bool:
    """Tell TTML from any other XML by its root element."""
    text = head(path)
    if text[:2] in (b"\xff\xfe", b"\xfe\xff"):
        text = text.replace(b"\0", b"")
    return _TTML.search(text) is not None


class Sidecars:
    """Gives each subtitle to the video with the longest name that it begins with.

    Parameters
    ----------
    titles : list of list of str
        The folded stems of each title in the folder.
    left_out : list of str
        Folded stems of videos that are no titles: what belongs to a trailer is not the film's.
    """

    def __init__(self, titles: list[list[str]], left_out: list[str]) -> None:
        self.count = len(titles)
        self.owners = dict.fromkeys(left_out) | {name: no for no, names in enumerate(titles) for name in names}

    def assign(self, folder: str, subtitles: list[FileStat], notes: Notes) -> list[tuple[FileStat, ...]]:
        """Give the subtitles of each title, sorted by path; the others get a line.

        Subtitles beside the only title of a folder belong to it even when their names differ.
        """
        taken: list[list[FileStat]] = [[] for _ in range(self.count)]
        for file in subtitles:
            named, owner = self._owner(folder, file)
            if not named and self.count == 1:
                owner = 0
            if owner is not None:
                taken[owner].append(file)
            elif named:
                notes.ignore(folder, "subtitle of a video that is left out")
            else:
                notes.ignore(folder, "subtitle that belongs to no video here: begin its name with the video's")
        return [tuple(sorted(files, key=lambda file: file.path)) for files in taken]

    def _owner(self, folder: str, file: FileStat) -> tuple[bool, int | None]:
        """Look at the file's name, then at the folder around it (`Subs/<video>/2_English.srt`)."""
        for part in reversed(file.path[len(folder) :].lstrip("/").split("/")):
            name = key(part)
            for end in range(len(name), 0, -1):
                if (end == len(name) or not name[end].isalnum()) and name[:end] in self.owners:
                    return True, self.owners[name[:end]]
        return False, None
