"""What this machine's cache remembers of a title: pictures and previews of hits, and what was read of its files."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from mediaflow.catalog.hashes import HashMemory
from mediaflow.catalog.look import forget_notes


def forget(cache: Path, title_id: str, paths: Collection[str]) -> None:
    """Delete all of a title from the cache.

    Parameters
    ----------
    cache : Path
        The cache folder.
    title_id : str
        The title.
    paths : collection of str
        Its files, relative to the library.
    """
    picture = re.compile(re.escape(title_id) + r"-\d+\.jpg")
    for file in (cache / "thumbnails").glob("*/*"):
        if picture.fullmatch(file.name) or file.suffix == ".part":
            file.unlink(missing_ok=True)
    preview = re.compile(re.escape(title_id) + r"-[0-9a-f]{24}\.mp4")
    for file in (cache / "previews").glob("*"):
        if preview.fullmatch(file.name) or file.suffix == ".part":
            file.unlink(missing_ok=True)
    with HashMemory(cache) as memory:
        memory.forget(paths)
    forget_notes(cache)
