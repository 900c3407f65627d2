"""Titles whose files are not there any more: moved, not readable now, or gone; the guard against great loss."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from mediaflow.catalog.found import FoundTitle
from mediaflow.catalog.layout import Candidate
from mediaflow.catalog.records import FileRef, TitleRecord
from mediaflow.catalog.walk import FileStat


def match_moves(missing: list[TitleRecord], fresh: list[FoundTitle]) -> dict[str, FoundTitle]:
    """Find titles that go on under another path: the old one is gone, and the same bytes are at a new one.

    Parameters
    ----------
    missing : list of TitleRecord
        Titles whose path is gone.
    fresh : list of FoundTitle
        Titles at paths that no title ever had.

    Returns
    -------
    dict of str to FoundTitle
        By the new path, with `moved_from` set. Of several copies the one with the same file name is taken first.
    """
    by_bytes: dict[tuple[str, ...], list[TitleRecord]] = defaultdict(list)
    for record in sorted(missing, key=lambda each: each.path):
        by_bytes[_bytes_of(record.media)].append(record)
    moved = {}
    for same_name in (True, False):
        for title in sorted(fresh, key=lambda each: each.path):
            copies = by_bytes.get(_bytes_of(title.media), [])
            fitting = [each for each in copies if not same_name or _name(each.path) == _name(title.path)]
            if fitting and title.path not in moved:
                copies.remove(fitting[0])
                moved[title.path] = replace(title, moved_from=fitting[0].title_id)
    return moved


def may_be(record: TitleRecord, candidate: Candidate, sha256: Callable[[FileStat], str | None]) -> bool:
    """Say whether a title that is not whole yet may turn out to be a missing one at a new path."""
    return len(record.media) == len(candidate.media) and all(
        old.size == new.size and sha256(new) in (None, old.sha256)
        for old, new in zip(record.media, candidate.media, strict=True)
    )


def guard_message(root: Path, lost: int, present: int, loss_limit: float) -> str | None:
    """Say why a loss is not believed, or None when it is.

    One title may always go, else at most the share `loss_limit` of them; never all at once.
    """
    allowed = max(1, math.floor(loss_limit * present + 1e-9))
    if lost == 0 or (lost <= allowed and lost < present):
        return None
    if lost == present:
        what = "the only title is" if present == 1 else f"all {present} titles are"
    else:
        what = f"{lost} of {present} titles are"
    return (
        f"{what} not in {root} any more, as when a drive or share is not mounted: nothing was removed. "
        "Check the folder; if they were deleted on purpose, accept the loss explicitly."
    )


def unread_message(root: Path, error: OSError) -> str:
    """Say that the library folder cannot be read."""
    return (
        f"the library folder {root} cannot be read ({error.strerror or error}): nothing was removed. "
        "Check that the setting `library` is right, the drive mounted and the folder readable."
    )


def _bytes_of(media: tuple[FileRef, ...]) -> tuple[str, ...]:
    return tuple(file.sha256 for file in media)


def _name(path: str) -> str:
    return path.rpartition("/")[2]
