"""Names for GraphQL, from those that the authors of algorithms give.

A name becomes one of GraphQL by these rules, in this order:

1. What is no GraphQL name has none: other characters than Latin letters, digits and `_`, a digit or `__` at the start.
2. `_` before a letter or digit goes, and the letter becomes a capital: `oklab_l` is `oklabL`. Types begin with one.
3. Where a name is taken, by a member that all have or by another name, `_` is put behind it until it is free. Names
   that rule 2 leaves as they are come first, then the others by the alphabet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_NAME = re.compile(r"(?!__)[_A-Za-z][_A-Za-z0-9]*")
_NEXT = re.compile(r"(?<=[^_])_+([A-Za-z0-9])")


def members(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Return the names of members of one type by those that authors gave; what can have none is left out."""
    found: dict[str, str] = {}
    known = set(taken)
    for name in sorted(filter(is_name, names), key=lambda name: (camel(name) != name, name)):
        found[name] = free(camel(name), known)
        known.add(found[name])
    return {name: found[name] for name in sorted(found)}


def is_name(name: str) -> bool:
    """Say whether GraphQL can have a name."""
    return bool(_NAME.fullmatch(name))


def camel(name: str) -> str:
    """Return a name as those of members are written."""
    return _NEXT.sub(lambda found: found[1].upper(), name)


def pascal(name: str) -> str:
    """Return a name as those of types are written."""
    return camel(name)[0].upper() + camel(name)[1:]


def free(name: str, taken: set[str]) -> str:
    """Return a name, with as many `_` behind it as make it one that is not taken."""
    while name in taken:
        name += "_"
    return name
