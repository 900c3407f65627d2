"""Intents: which files an attempt to commit has said that it writes."""

from __future__ import annotations

import json

from mediaflow.errors import NotFound
from mediaflow.storage.objects import ObjectInfo, ObjectStore


def files_of(store: ObjectStore, intent: ObjectInfo) -> list[str]:
    """Return the paths of the data files that an intent names, relative to its table's folder.

    None where another collector has deleted it meanwhile, which it does after the files.
    """
    try:
        said = json.loads(store.get(intent.key))
    except NotFound:
        return []
    return [f"data/{name}" for name in said["files"]]
