"""What is wrong with something that a snapshot names."""

from __future__ import annotations

from typing import NamedTuple


class Problem(NamedTuple):
    """One thing that is not as a snapshot says.

    `kind` is `manifest`, `version`, `tag`, `file`, `rows`, `index`, `model` or `artifact`; `name` a table, a key or an
    identity; `message` says what is wrong.
    """

    kind: str
    name: str
    message: str
