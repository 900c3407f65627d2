"""Owners as Dagster takes them: an e-mail address, or a team."""

import re

_EMAIL = re.compile(r"[\w.%+-]+@[\w-]+(\.[\w-]+)+", re.ASCII)


def owner_of(declared: str) -> str:
    """Return the owner that an author declared; what is neither an address nor a team is taken for a team's name."""
    if _EMAIL.fullmatch(declared) or (declared.startswith("team:") and declared != "team:"):
        return declared
    return f"team:{declared.removeprefix('team:').replace(':', '-') or 'unknown'}"
