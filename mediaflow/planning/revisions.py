"""Input-addressed names: a revision for an artifact of a title, a generation for a stage as a whole."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

_BYTES = 16


def digest(value: Any) -> str:
    """Return the BLAKE2b hash (32 hex digits) of a JSON value, the same for equal values in any key order."""
    data = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(data.encode(), digest_size=_BYTES).hexdigest()


def revision(recipe: str, inputs: Iterable[str]) -> str:
    """Return the revision of an artifact.

    Parameters
    ----------
    recipe : str
        Hash of what the stage is, apart from its inputs: name, code version, parameters, model identity.
    inputs : iterable of str
        Revisions of the inputs, in the order in which the stage declares them.
    """
    return hashlib.blake2b("\n".join([recipe, *inputs]).encode(), digest_size=_BYTES).hexdigest()
