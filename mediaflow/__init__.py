"""mediaflow keeps a media library searchable: one published snapshot behind every answer."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mediaflow.library import Library

# Lance writes notices about every new table to the terminal; errors still come as exceptions.
os.environ.setdefault("LANCE_LOG", "error")

__all__ = ["open"]


def open(**settings: Any) -> Library:
    """Open the library that the settings name; see `mediaflow.library.Library`.

    Parameters
    ----------
    **settings
        Settings that win over `mediaflow.toml` and the environment, such as `home` and `library`.
    """
    from mediaflow.library import open_library

    return open_library(**settings)
