"""Finds the title that is to be erased, and sees that the next look at the library will not bring it back."""

from __future__ import annotations

from pathlib import Path

from mediaflow.catalog.titles import Catalog
from mediaflow.errors import UsageError
from mediaflow.publishing.erase.erase import Erasure, erasures
from mediaflow.storage.objects import ObjectStore


def find(store: ObjectStore, catalog: Catalog, root: Path, title: str) -> Erasure:
    """Return what erasing a title is about.

    Parameters
    ----------
    store, catalog : ObjectStore, Catalog
        What is known; also of titles that have left the library, and of erasures that were not finished.
    root : Path
        The library folder.
    title : str
        The title's id, or its name where only one has it.

    Raises
    ------
    UsageError
        There is none, or more than one of that name, or its files are still in the library folder.
    """
    begun = {one.title_id: one for one in erasures(store)}
    known = {one.title_id: Erasure.of(one) for one in catalog.titles.values() if not one.erased}
    named = [one.title_id for one in catalog.titles.values() if not one.erased and one.entry.title == title]
    if title in begun | known:
        erasure = (known | begun)[title]
    elif len(named) == 1:
        erasure = known[named[0]]
    elif named:
        raise UsageError(f"More than one title is called {title!r}: {', '.join(sorted(named))}. Give the id.")
    else:
        raise UsageError(f"There is no title {title!r}, and there was none: 'mediaflow titles' lists them.")
    there = [path for path in erasure.paths if path and (root / path).exists()]
    if there:
        raise UsageError(
            f"{erasure.title_id} is still in the library folder, so the next look would bring it back: "
            f"remove {', '.join(there)} first.",
            title_id=erasure.title_id,
            paths=there,
        )
    return erasure
