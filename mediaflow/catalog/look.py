"""A look at the library folder: what it changed in the catalogue, and what it told people, kept for who asks later."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mediaflow.catalog.hashes import HashMemory
from mediaflow.catalog.scan import scan
from mediaflow.catalog.titles import Catalog, Change, update
from mediaflow.errors import SystemFault
from mediaflow.settings import Settings

_NOTES = "scan.json"
_KEPT = ("guard", "ignored", "problems", "settling")


@dataclass(frozen=True)
class Looked:
    """What a look at the library folder came to: what changed, and lines for people."""

    change: Change
    settling: int
    hashing_bytes_left: int
    guard: str | None
    ignored: tuple[Mapping[str, Any], ...]
    problems: tuple[Mapping[str, Any], ...]


def look(
    root: Path,
    catalog: Catalog,
    cache: Path,
    settings: Settings,
    *,
    allow_loss: bool = False,
    now_ms: int | None = None,
) -> Looked:
    """Look at the library folder and write what changed into the catalogue.

    Parameters
    ----------
    root : Path
        The library folder.
    catalog : Catalog
        What is known so far.
    cache : Path
        Where hashes and notes are kept.
    settings : Settings
        Say when a file has held still, which loss is believed, and how much is hashed at once.
    allow_loss : bool
        Believe also a loss of many titles at once.
    now_ms : int, optional
        The time at which files are judged to have held still; now, if not given.

    Raises
    ------
    SystemFault
        Store or cache cannot be read or written.
    """
    with HashMemory(cache) as memory:
        seen = scan(
            root,
            catalog,
            memory,
            settle_s=settings.settle_s,
            loss_limit=settings.loss_limit,
            now_ms=time.time_ns() // 1_000_000 if now_ms is None else now_ms,
            budget_bytes=settings.hash_bytes_per_tick,
            allow_loss=allow_loss,
        )
    looked = Looked(
        update(catalog, seen),
        seen.settling,
        seen.hashing_bytes_left,
        seen.guard,
        tuple({"path": one.path, "reason": one.reason, "count": one.count} for one in seen.ignored),
        tuple({"path": one.path, "message": one.message} for one in seen.problems),
    )
    _keep(cache / _NOTES, {"root": str(root)} | {name: getattr(looked, name) for name in _KEPT})
    return looked


def _keep(file: Path, notes: Mapping[str, Any]) -> None:
    """Write the notes whole or not at all: others read them meanwhile."""
    part = file.with_name(f"{secrets.token_hex(6)}.part")
    try:
        part.write_text(json.dumps(notes, ensure_ascii=False))
        part.replace(file)
    except OSError as error:
        raise SystemFault(
            f"{file} cannot be written ({error.strerror}): check the folder and the space on its disk.", path=str(file)
        ) from error


def forget_notes(cache: Path) -> None:
    """Forget what the last look told people; the next one tells it anew."""
    (cache / _NOTES).unlink(missing_ok=True)


def last_look(cache: Path) -> dict[str, Any]:
    """Return what the last look told people: guard, ignored, problems, settling."""
    file = cache / _NOTES
    empty: dict[str, Any] = {"guard": None, "ignored": [], "problems": [], "settling": 0}
    return empty | (json.loads(file.read_text()) if file.is_file() else {})
